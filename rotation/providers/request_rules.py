"""Error signals about this one request, and what a status says by itself. In order; see `errors.RULES`."""

from __future__ import annotations

from rotation.core.failures import FailureKind
from rotation.providers.rule import REQUEST, Rule, sentences, words

TOO_LARGE = (
    Rule(
        FailureKind.TOO_LARGE_FOR_BUDGET,
        words=words("request_too_large payload_too_large image_too_large"),
        starts=sentences(r"request too large for\b"),
    ),
)

GENERATION = (
    Rule(
        FailureKind.GENERATION_FAILED,
        words=words("tool_use_failed json_validate_failed output_parse_failed failed_generation model_error"),
        starts=sentences(
            r"the model produced (?:an )?invalid (?:content|output|tool call)",
            r"failed to parse (?:the )?tool call",
        ),
        relayed=True,
    ),
)

CONTEXT = (
    Rule(
        FailureKind.TOO_LONG,
        words=words(
            "context_length_exceeded exceed_context_size_error max_tokens_exceeded token_limit_exceeded "
            "model_context_window_exceeded"
        ),
        relayed=True,
    ),
    Rule(
        FailureKind.TOO_LONG,
        says=sentences(
            r"(?:this|the) (?:model|endpoint)(?:'s|’s)? maximum context (?:length|limit|window)\b",
            r"model's (?:maximum )?context (?:length|limit|window)\b",
            r"\bcontext (?:size|length|window|limit) (?:has been |was |is )?exceeded",
            r"\b(?:request|prompt|input|input length|tokens\)?) exceeds? (?:the |this |its )?(?:\w+ ){0,3}context\b",
            r"\bexceeds? context (?:limit|window|length)",
            r"input tokens exceed the configured limit",
            r"[`'\"]?inputs[`'\"]? tokens \+ [`'\"]?max_new_tokens[`'\"]? must be",
            r"exceeds the maximum number of tokens allowed",
            r"(?:please )?reduce the length of (?:the|your) (?:messages|prompt|input|either)",
            r"current length is \d+ while limit is \d+",
            r"prompt is too long: \d+ tokens",
        ),
        statuses=REQUEST,
        relayed=True,
    ),
)

POLICY = (
    Rule(
        FailureKind.CONTENT_POLICY,
        words=words(
            "content_policy_violation content_filter moderation moderation_blocked refusal "
            "responsibleaipolicyviolation data_inspection_failed datainspectionfailed"
        ),
        relayed=True,
    ),
    Rule(
        FailureKind.CONTENT_POLICY,
        starts=sentences(
            r"request blocked:",
            r"[^\s\"]{1,200} requires moderation on\b",
            r"internalerror\.algo\.datainspectionfailed",  # a content filter that calls itself a 502
            r"(?:in|out)put data may contain inappropriate content",
            r"your (?:request|prompt|input) was (?:rejected|flagged|blocked)\b.{0,120}\b(?:safety|polic|moderation)",
            r"invalid prompt: your prompt was flagged",
        ),
        relayed=True,
    ),
    Rule(
        FailureKind.CONTENT_POLICY,
        says=sentences(r"content management policy", r"violat\w+ (?:\w+ ){0,3}usage polic"),
        statuses=REQUEST,
        relayed=True,
    ),
)

LAST = (
    Rule(FailureKind.TOO_LARGE_FOR_BUDGET, statuses=frozenset({413})),
    Rule(
        FailureKind.OVERLOADED,
        starts=sentences(r"the model has crashed\b", r"(?:error|failed to) load(?:ing)?(?: the)? model\b"),
        statuses=frozenset({None, 400, 500}),
    ),
    Rule(FailureKind.BAD_REQUEST, starts=sentences(r"failed to create new sequence: failed to process inputs: image")),
    Rule(FailureKind.OVERLOADED, words=words("temporarily_unavailable")),
    Rule(
        FailureKind.OVERLOADED,
        words=words(
            "server_error api_error internal_server_error internalservererror internal_error overloaded_error "
            "service_unavailable provider_overloaded provider_unavailable unavailable_error timeout server unmapped "
            "flex_tier_capacity_exceeded"
        ),
        statuses=frozenset({None}),
    ),
    Rule(
        FailureKind.BAD_REQUEST,
        words=words(
            "invalid_request_error invalid_request invalid_request_body badrequesterror invalid_prompt invalid_value "
            "unprocessable string_too_long string_above_max_length invalid_image unsupported_image_format "
            "image_too_small image_download_failed image_not_found"
        ),
        statuses=frozenset({None}),
    ),
    Rule(FailureKind.NOT_PERMITTED, words=words("permission_denied"), statuses=frozenset({None})),
    Rule(FailureKind.NOT_PERMITTED, statuses=frozenset({403, 451})),
    Rule(
        FailureKind.OVERLOADED,
        statuses=frozenset({None, 407, 408, 409, 421, 425, 444, 460, 498, 499, *range(100, 400), *range(500, 600)}),
    ),
)  # anything else, which is every other 4xx, is the caller's: BAD_REQUEST
