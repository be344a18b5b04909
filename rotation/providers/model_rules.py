"""Error signals about the model: gone, not allowed for this key, without a feature. In order; see `errors.RULES`."""

from __future__ import annotations

from rotation.core.failures import FailureKind
from rotation.providers.rule import REQUEST, Rule, sentences, words

_NAME = r"[`'\"]?[^\s`'\"]{1,200}(?: [^\s`'\"]{1,60})?[`'\"]?"  # a malformed model id may hold a space

PERMISSION = (
    Rule(
        FailureKind.NOT_PERMITTED,
        words=words(
            "privacy_restricted region_restricted model_terms_required model_permission_blocked_org "
            "model_permission_blocked_project unsupported_country_region_territory ip_not_authorized"
        ),
    ),
    Rule(FailureKind.NOT_PERMITTED, words=words("model_not_found"), statuses=frozenset({403})),
    Rule(
        FailureKind.NOT_PERMITTED,
        starts=sentences(
            r"no endpoints\b.{0,240}\b(?:data policy|guardrails?|privacy)\b",
            r"you have insufficient permissions for this operation",
            r"the model `[^`]{1,200}` requires terms acceptance",
            r"(?:project|organization) \S{1,100} does not have access to model",
        ),
        statuses=frozenset({None, 400, 401, 403, 404}),
    ),
)

FEATURE = (
    # What the request itself excludes must not bench anybody: "routing" is no feature another call needs
    Rule(
        FailureKind.LACKS_FEATURE,
        words=words("constraint_filtered"),
        starts=sentences(r"no allowed providers are available for the selected model"),
        feature="routing",
    ),
    Rule(FailureKind.LACKS_FEATURE, words=words("multimodal_not_enabled"), feature="images"),
    Rule(
        FailureKind.LACKS_FEATURE,
        words=words("unsupported_parameter unsupported_value extra_forbidden"),
        statuses=REQUEST,
        relayed=True,
    ),
    Rule(
        FailureKind.LACKS_FEATURE,
        starts=sentences(r"messages\[\d+\]\.content must be a string"),
        statuses=REQUEST,
        feature="images",
    ),
    Rule(
        FailureKind.LACKS_FEATURE,
        starts=sentences(
            r"no endpoints (?:found|available) that (?:support|can handle)\b",
            r"(?:this|the) (?:\w+ ){0,2}model (?:\S{1,200} )?(?:does not|doesn't) (?:currently )?support\b",
            r"\S{1,200} (?:does not|doesn't) support (?:tools?|function|image|vision|thinking|reasoning|json)\b",
            r"[`'\"]?[a-z][\w .-]{1,40}[`'\"]? (?:is |are |input is )?not supported (?:with|by|for|on) this model",
            r"unsupported (?:parameter|value):",
            r"image input is not supported",
            r"invalid content type\. image_url is only supported by certain models",
            r"[`'\"]?(?:response_format|json_schema|json mode)\b.{0,60}\bnot supported",
            r"at most 0 image\(s\) may be provided",
            r"\S{1,200} is not a multimodal model",
            r"this model is missing data required for image input",
            r"[`'\"]auto[`'\"] tool choice requires",
            r"tools? param requires --jinja",
            r"property [`'\"][\w.]{1,60}[`'\"] is unsupported",
            r"\S{0,40}stream_options\b.{0,60}\b(?:not (?:supported|permitted|allowed)|unsupported|unknown|extra)",
        ),
        statuses=REQUEST,
        relayed=True,
    ),
)

GONE = (
    Rule(
        FailureKind.MODEL_GONE,
        words=words(
            "model_not_found model_decommissioned model_not_available model_deprecated no_endpoints "
            "model_unavailable_upstream free_variant_ended wrong_endpoint"
        ),
    ),
    Rule(
        FailureKind.MODEL_GONE,
        starts=sentences(
            rf"(?:the )?(?:requested )?model:? {_NAME} (?:does not exist|(?:was |is )?not found|is not available|"
            r"is no longer|(?:has been |is )?(?:decommissioned|deprecated|removed|retired))",
            r"models/\S{1,200} is not found",
            r"unable to access (?:non-serverless )?model\b",
            r"\S{1,200} is not a valid model id\b",
            r"invalid model id\b",
            r"no endpoints found for \S",
            r"no models loaded\b",
            r"this is not a chat model\b",
            r"this model is only supported in v1/",
        ),
        statuses=frozenset({None, 400, 403, 404, 410, 422}),
    ),
    Rule(FailureKind.MODEL_GONE, statuses=frozenset({410})),
)
