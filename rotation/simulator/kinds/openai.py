"""OpenAI: limit headers on everything admitted, obfuscation in deltas, usage in a stream only when asked for."""

from __future__ import annotations

from typing import ClassVar

from rotation.simulator.answers import Reply
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import DONE, Json, Kind, event
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Row, Rows, Said
from rotation.simulator.limits import DAY, Bucket, Cap, Hold
from rotation.simulator.oops import Oops, Trouble

_VERSION = (("openai-version", "2020-10-01"), ("openai-organization", "simulated-org"))
_AXES = {
    "RPM": "requests per min (RPM)",
    "RPD": "requests per day (RPD)",
    "TPM": "tokens per min (TPM)",
    "TPD": "tokens per day (TPD)",
}
_CODES = {"tools": "unsupported_parameter", "json": "unsupported_value", "images": None}
_LACKS = {
    "tools": ("Unsupported parameter: 'tools' is not supported with this model.", "tools"),
    "json": (
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "response_format",
    ),
    "images": ("Invalid content type. image_url is only supported by certain models.", "messages.[0].content.[0].type"),
}


class OpenAI(Kind):
    name = "openai"
    root = "/openai/v1"
    minute_cap = Cap("TPM", "tokens", 30_000, 60.0)
    daily_cap = Cap("RPD", "requests", 10_000, DAY)
    rows: ClassVar[Rows] = {
        Trouble.NO_KEY: Row(401, "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."),
        Trouble.BAD_KEY: Row(401, "Incorrect API key provided: {o.key}. You can find your API key at https://platform.openai.com/account/api-keys.", code="invalid_api_key"),
        Trouble.NOT_PERMITTED: Row(401, "You have insufficient permissions for this operation."),
        Trouble.NO_MODEL: Row(404, "The model `{o.model}` does not exist or you do not have access to it.", code="model_not_found"),
        Trouble.MODEL_GONE: Row(404, "The model `{o.model}` does not exist or you do not have access to it.", code="model_not_found"),
        Trouble.LIMIT: Row(429, type="tokens", code="rate_limit_exceeded"),
        Trouble.BUSY: Row(429, "The engine is currently overloaded, please try again later.", "server_error"),
        Trouble.OVERLOADED: Row(503, "That model is currently overloaded with other requests. You can retry your request, or contact us through our help center at help.openai.com if the error persists.", "server_error"),
        Trouble.SERVER: Row(500, "The server had an error while processing your request. Sorry about that!", "server_error"),
        Trouble.CREDIT: Row(429, "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.", "insufficient_quota", "insufficient_quota"),
        Trouble.LACKS: Row(400),
        Trouble.TOO_LONG: Row(400, "This model's maximum context length is {o.context} tokens. However, your messages resulted in {o.tokens_in} tokens. Please reduce the length of the messages.", code="context_length_exceeded", param="messages"),
        Trouble.TOO_LARGE: Row(413, "413: Maximum content size limit (26214400) exceeded ({o.size} bytes read)", "server_error"),
        Trouble.POLICY: Row(400, "Your request was rejected as a result of our safety system. Your prompt may contain text that is not allowed by our safety system.", code="content_policy_violation"),
        Trouble.GENERATION: Row(500, "The model produced invalid content. Consider modifying your prompt if you are seeing this error persistently.", "model_error"),
        Trouble.BAD_REQUEST: Row(400),
        Trouble.NOT_FOUND: Row(404, "Invalid URL ({o.method} {o.path})"),
        Trouble.NOT_ALLOWED: Row(405, "Not allowed to {o.method} on {o.path} (HINT: Perhaps you meant to use a different HTTP method?)"),
    }  # fmt: skip

    def objection(self, ask: Ask, model: Model) -> Oops | None:
        if model.reasoning and "max_tokens" in ask.raw:
            text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            return Oops(
                Trouble.BAD_REQUEST, model=model.id, message=text, param="max_tokens", code="unsupported_parameter"
            )
        return super().objection(ask, model)

    def listing(self, catalogue: Catalogue) -> bytes:
        data = [
            {"id": model.id, "object": "model", "created": model.created, "owned_by": model.owner}
            for model in catalogue
        ]
        return self.dump({"object": "list", "data": data})

    def error_headers(self, oops: Oops, said: Said) -> Pairs:
        challenge = (
            (("www-authenticate", 'Bearer realm="OpenAI API"'),)
            if said.status == 401 and oops.what is not Trouble.NOT_PERMITTED
            else ()
        )
        return _VERSION + challenge

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"message": said.message, "type": said.type, "param": said.param, "code": said.code}
        if oops.what is Trouble.LACKS:
            error["message"], error["param"] = _LACKS[oops.feature]
            error["code"] = _CODES[oops.feature]
        return {"error": error}

    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        refused = oops.refused
        assert refused is not None
        axis = _AXES.get(refused.cap.label, refused.cap.label)
        numbers = (
            f"Limit {refused.cap.limit:.0f}, "
            + ("" if refused.never else f"Used {refused.used}, ")
            + f"Requested {refused.requested}."
        )
        wait = milliseconds_up(refused.wait)
        if refused.never:
            message = f"Request too large for {oops.model} in organization org-{oops.account} on {axis}: {numbers} The input or output tokens must be reduced in order to run successfully."
        else:
            told = f" Please try again in {go(wait)}." if oops.hint in {"", "text"} else ""
            message = f"Rate limit reached for {oops.model} in organization org-{oops.account} on {axis}: {numbers if told else ''}{told} Visit https://platform.openai.com/account/rate-limits to learn more."
        said = Said(429, message, refused.cap.axis, "rate_limit_exceeded", None)
        return ErrorAnswer(
            429, self.json_headers + _VERSION + self._limit_headers(oops), self.dump(self.envelope(said, oops))
        )

    def _limit_headers(self, oops: Oops) -> Pairs:
        refused = oops.refused
        assert refused is not None
        artificial = self.hint_headers(oops)
        if artificial is not None:
            return artificial
        axis = refused.cap.axis
        told: Pairs = (
            (f"x-ratelimit-limit-{axis}", f"{refused.cap.limit:.0f}"),
            (f"x-ratelimit-remaining-{axis}", f"{max(0, refused.cap.limit - refused.used):.0f}"),
            (
                f"x-ratelimit-reset-{axis}",
                go(
                    milliseconds_up(
                        min(1.0, refused.used / refused.cap.limit) * refused.cap.window
                        if oops.hint != "reset"
                        else refused.wait
                    )
                ),
            ),
        )
        if oops.hint == "reset" or refused.never:
            return told
        return (
            *told,
            ("retry-after", self.whole_seconds(refused.wait)),
            ("retry-after-ms", f"{milliseconds_up(refused.wait) * 1000:.0f}"),
        )

    def headers(self, job: Job) -> Pairs:
        own = (
            *_VERSION,
            ("openai-processing-ms", f"{job.timing.total * 1000:.0f}"),
            ("x-request-id", f"req_{job.noise[:32]}"),
        )
        return own + self.standing(job.hold, job.now)

    def standing(self, hold: Hold | None, now: float) -> Pairs:
        """The limit headers after an admission."""
        if hold is None:
            return ()
        told: list[tuple[str, str]] = []
        for axis, bucket in (("requests", hold.bucket("RPD", "RPM")), ("tokens", hold.bucket("TPM"))):
            if bucket is not None:
                told += _told(axis, bucket, now)
        return tuple(told)

    def answer(self, job: Job) -> Json:
        return {
            "id": f"chatcmpl-{job.noise[:29]}",
            "object": "chat.completion",
            "created": job.created,
            "model": job.model.id,
            "choices": [
                {
                    "index": index,
                    "message": {**self.message(reply), "refusal": None, "annotations": []},
                    "logprobs": None,
                    "finish_reason": reply.finish,
                }
                for index, reply in enumerate(job.replies)
            ],
            "usage": self.usage(job),
            "service_tier": "default",
            "system_fingerprint": f"fp_{job.noise[-10:]}",
        }

    def usage(self, job: Job) -> Json:
        return {
            **super().usage(job),
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def chunk(self, job: Job, choices: list[Json]) -> Json:
        made: Json = {
            "id": f"chatcmpl-{job.noise[:29]}",
            "object": "chat.completion.chunk",
            "created": job.created,
            "model": job.model.id,
            "service_tier": "default",
            "system_fingerprint": f"fp_{job.noise[-10:]}",
            "choices": choices,
        }
        options = job.ask.raw.get("stream_options")
        if not isinstance(options, dict) or options.get("include_obfuscation") is not False:
            length = 4 + sum(len(str(choice["delta"])) for choice in choices) % 9
            made["obfuscation"] = job.noise[8 : 8 + length]
        return made

    def opening(self, reply: Reply) -> Json:
        return {"role": "assistant", "content": None if reply.calls else "", "refusal": None}

    def stream_error(self, job: Job, message: str) -> list[bytes]:
        text = message or "The server had an error while processing your request. Sorry about that!"
        error = {"message": text, "type": "server_error", "param": None, "code": None}
        return [event({"error": error, "detail": {"message": text, "code": None}, "obfuscation": job.noise[:6]}), DONE]


def _told(axis: str, bucket: Bucket, now: float) -> list[tuple[str, str]]:
    remaining = max(0, int(bucket.level(now) + 1e-6))
    return [
        (f"x-ratelimit-limit-{axis}", f"{bucket.cap.limit:.0f}"),
        (f"x-ratelimit-remaining-{axis}", str(remaining)),
        (f"x-ratelimit-reset-{axis}", go(milliseconds_up(bucket.full_in(now)))),
    ]
