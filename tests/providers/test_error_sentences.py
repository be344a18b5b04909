"""Sentences that must be understood when no code and no type comes with them."""

from __future__ import annotations

import orjson
import pytest

from rotation.core.failures import FailureKind
from rotation.providers.errors import classify
from tests.providers.cases import NOW

SENTENCES: dict[FailureKind, tuple[tuple[int, str], ...]] = {
    FailureKind.TOO_LONG: (
        (400, "This model's maximum context length is 8192 tokens."),
        (400, "This endpoint's maximum context length is 8192 tokens."),
        (400, "Requested token count exceeds the model's maximum context length of 8192 tokens."),
        (400, "The input (9000 tokens) is longer than the model's context length (8192 tokens)."),
        (400, "The input token count (9000) exceeds the maximum number of tokens allowed (8192)."),
        (400, "input tokens exceed the configured limit of 8192 tokens"),
        (400, "Your input exceeds context limit"),
        (500, "Context size has been exceeded."),
        (400, "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "Current length is 9000 while limit is 8192"),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048."),
        (413, "Please reduce the length of the messages or completion."),
    ),
    FailureKind.CONTENT_POLICY: (
        (403, "Request blocked: prompt injection patterns detected"),
        (403, 'acme/m requires moderation on Acme. Your input was flagged for "violence".'),
        (400, "Invalid prompt: your prompt was flagged. Please try another one."),
        (400, "Your request was rejected as a result of our safety system."),
        (400, "It seems to be violating our usage policy."),
        (400, "The response was filtered by the content management policy."),
        (400, "Output data may contain inappropriate content."),
        (502, "Upstream error from Acme: <400> InternalError.Algo.DataInspectionFailed: Input data ..."),
    ),
    FailureKind.LACKS_FEATURE: (
        (404, "No endpoints found that support tool use."),
        (404, "No allowed providers are available for the selected model."),
        (400, "The model `m` does not support tools"),
        (400, "This model doesn't currently support images"),
        (400, "m:latest does not support thinking"),
        (400, "`tool calling` is not supported with this model"),
        (400, "Unsupported value: 'temperature' does not support 0.2 with this model."),
        (500, "image input is not supported - hint: mmproj"),
        (400, "At most 0 image(s) may be provided in one request."),
        (400, "acme/m is not a multimodal model"),
        (500, "this model is missing data required for image input"),
        (400, "Invalid content type. image_url is only supported by certain models."),
        (500, "response_format of this type is not supported"),
        (400, "tools param requires --jinja flag"),
        (400, "property 'reasoning' is unsupported"),
        (400, "stream_options is not supported"),
        (400, "body.stream_options: Extra inputs are not permitted"),
    ),
    FailureKind.MODEL_GONE: (
        (404, "The model `m` does not exist."),
        (404, "The requested model 'm' was not found"),
        (400, "The model `m` has been deprecated"),
        (404, "Model m is not available"),
        (404, "The model `m` is no longer served"),
        (404, "models/m is not found for API version v1beta"),
        (404, "Unable to access model m."),
        (400, "m is not a valid model ID"),
        (400, "invalid model ID"),
        (404, "No endpoints found for m."),
        (400, "No models loaded. Please load a model"),
        (404, "This is not a chat model and thus not supported in the v1/chat/completions endpoint."),
        (404, "This model is only supported in v1/responses and not in v1/chat/completions."),
    ),
    FailureKind.NOT_PERMITTED: (
        (404, "No endpoints found matching your data policy (Free model training)."),
        (404, "No endpoints available matching your guardrail restrictions and data policy"),
        (401, "You have insufficient permissions for this operation."),
        (403, "Project `p` does not have access to model `m`"),
        (400, "The model `m` requires terms acceptance."),
        (403, "anything else"),
        (451, "Unavailable for legal reasons"),
    ),
    FailureKind.BAD_CREDENTIAL: (
        (400, "Organization has been restricted. Please reach out to support."),
        (403, "Unauthorized"),
        (403, "User not found."),
        (403, "No auth credentials found"),
        (403, "Missing Authentication header"),
        (400, "API key not valid. Please pass a valid API key."),
        (403, "Your API key has been revoked"),
        (403, "Your account has been suspended"),
        (401, "anything else"),
    ),
    FailureKind.OUT_OF_CREDIT: (
        (403, "Key limit exceeded (monthly limit)."),
        (400, "Insufficient credits"),
        (403, "Insufficient balance"),
        (429, "You exceeded your current quota, please check your plan"),
        (402, "anything else"),
    ),
    FailureKind.TOO_LARGE_FOR_BUDGET: (
        (429, "Request too large for gpt-4o in organization org-x"),
        (413, "anything else"),
        (429, "on tokens per min (TPM): Limit 0, Used 0, Requested 1."),
    ),
    FailureKind.UPSTREAM_BUSY: (
        (429, "Provider returned error"),
        (429, "acme/m:free is temporarily rate-limited upstream."),
        (429, "That model is currently overloaded with other requests."),
        (429, "Resource unavailable, try again"),
    ),
    FailureKind.QUOTA_DAY: (
        (429, "Rate limit exceeded: free-models-per-day"),
        (429, "Too many requests per day"),
        (429, "You reached your daily request limit"),
        (429, "RPD exceeded"),
    ),
    FailureKind.RATE_LIMITED: ((429, "Rate limit exceeded: free-models-per-min."), (429, "anything else")),
    FailureKind.OVERLOADED: (
        (400, "The model has crashed without additional information. (Exit code: null)"),
        (400, 'Failed to load model "m"'),
        (401, "Provider returned error"),
        (402, "Provider returned error"),
    ),
    FailureKind.GENERATION_FAILED: (
        (500, "The model produced invalid content. Consider modifying your prompt if you see this error persistently."),
        (500, "Failed to parse tool call"),
    ),
    FailureKind.BAD_REQUEST: (
        (400, "anything else"),
        (422, "anything else"),
        (404, "Unknown request URL: POST /v1/chat"),
        (500, "Failed to create new sequence: failed to process inputs: image: unknown format"),
        (400, "Provider returned error"),
    ),
}  # fmt: skip
ALL = [(kind, status, text) for kind, rows in SENTENCES.items() for status, text in rows]
WRAPPERS = (
    "",
    "Error code: 400 - ",
    "Error: ",
    "litellm.BadRequestError: OpenAIException: ",
    "Upstream error from Acme: ",
)


def kind_of(status: int, error: object) -> FailureKind:
    return classify(status, {}, orjson.dumps({"error": error}), NOW).kind


@pytest.mark.parametrize(("kind", "status", "text"), ALL, ids=[f"{status} {text[:50]}" for _, status, text in ALL])
def test_a_sentence_alone_is_understood(kind: FailureKind, status: int, text: str) -> None:
    assert kind_of(status, text) is kind
    assert kind_of(status, {"message": text}) is kind
    assert classify(status, {}, orjson.dumps({"object": "error", "message": text, "code": status}), NOW).kind is kind


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_what_wrappers_put_in_front_is_looked_past(wrapper: str) -> None:
    assert kind_of(404, f"{wrapper}No endpoints found for m.") is FailureKind.MODEL_GONE
    assert kind_of(403, f"{wrapper}Request blocked: patterns") is FailureKind.CONTENT_POLICY


RELAYED = (FailureKind.TOO_LONG, FailureKind.CONTENT_POLICY, FailureKind.GENERATION_FAILED)


def test_a_feature_refused_upstream_is_refused_by_the_provider() -> None:
    for upstream in ({"message": "x", "code": "unsupported_parameter", "param": "top_k"},
                     {"message": "This model does not support the 'top_k' parameter."}):  # fmt: skip
        raw = orjson.dumps({"error": upstream}).decode()
        body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}
        failure = classify(400, {}, orjson.dumps(body), NOW)
        assert failure.kind is FailureKind.LACKS_FEATURE
    assert classify(400, {}, orjson.dumps({"error": upstream}), NOW).feature == "top_k"


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind in RELAYED for status, text in SENTENCES[kind] if status in {400, 500}]
)
def test_what_an_upstream_says_of_the_request_is_understood_through_the_provider(kind: FailureKind, text: str) -> None:
    for raw in (text, orjson.dumps({"error": {"message": text}}).decode(), orjson.dumps({"detail": text}).decode()):
        assert kind_of(400, {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}) is kind


@pytest.mark.parametrize(
    "text",
    ["Invalid API Key", "Insufficient credits", "You exceeded your current quota", "The model `m` does not exist"],
)
def test_what_an_upstream_says_of_its_own_account_is_not_ours(text: str) -> None:
    raw = orjson.dumps(
        {"error": {"message": text, "code": "insufficient_quota", "type": "authentication_error"}}
    ).decode()
    error = {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}
    assert kind_of(400, error) is FailureKind.BAD_REQUEST
    assert kind_of(502, {**error, "code": 502}) is FailureKind.OVERLOADED


@pytest.mark.parametrize("meta", [{"reasons": ["x"]}, {"patterns": ["x"]}, {"flagged_input": "x"}])
def test_moderation_metadata_speaks_without_a_sentence(meta: dict[str, object]) -> None:
    assert kind_of(403, {"message": "No.", "code": 403, "metadata": meta}) is FailureKind.CONTENT_POLICY


@pytest.mark.parametrize(
    "code",
    ["tool_use_failed", "json_validate_failed", "output_parse_failed"],
)
def test_a_failed_generation_is_told_by_its_code(code: str) -> None:
    assert kind_of(400, {"message": "x", "code": code}) is FailureKind.GENERATION_FAILED
    assert kind_of(400, {"message": "x", "failed_generation": ""}) is FailureKind.GENERATION_FAILED


def test_the_message_tells_what_was_relayed_and_says_nothing_twice() -> None:
    def message(raw: str) -> str:
        body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}
        return classify(400, {}, orjson.dumps(body), NOW).message

    assert message('{"error":{"message":"bad schema"}}') == "Provider returned error: bad schema"
    assert message("returned error") == "Provider returned error"
    assert message('{"odd":1}') == "Provider returned error"
