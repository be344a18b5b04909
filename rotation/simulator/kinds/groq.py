"""Groq: requests counted per day and tokens per minute in its headers, usage in the last chunk, `x_groq` around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rotation.simulator.answers import Reply
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import Json, Kind
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Row, Rows, Said
from rotation.simulator.limits import DAY, Bucket, Cap, Hold
from rotation.simulator.oops import Oops, Trouble

_AXES = {
    "RPM": "requests per minute (RPM)",
    "RPD": "requests per day (RPD)",
    "TPM": "tokens per minute (TPM)",
    "TPD": "tokens per day (TPD)",
    "ASPH": "seconds of audio per hour (ASPH)",
    "ASPD": "seconds of audio per day (ASPD)",
}
_UPGRADE = "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
_LACKS = {
    "tools": ("`tool calling` is not supported with this model", "tool calling"),
    "json": ("This model does not support response format `json_schema`. See supported models at https://console.groq.com/docs/structured-outputs#supported-models", "response_format"),
    "images": ("messages[0].content must be a string", "messages[0].content"),
}  # fmt: skip


class Groq(Kind):
    name = "groq"
    root = "/groq/openai/v1"
    reasoning_field = "reasoning"
    sse_headers = (("content-type", "text/event-stream"), ("cache-control", "no-cache"))
    minute_cap = Cap("TPM", "tokens", 12_000, 60.0)
    daily_cap = Cap("TPD", "tokens", 100_000, DAY)
    rows: ClassVar[Rows] = {
        Trouble.NO_KEY: Row(401, "Invalid API Key", code="invalid_api_key"),
        Trouble.BAD_KEY: Row(401, "Invalid API Key", code="invalid_api_key"),
        Trouble.NOT_PERMITTED: Row(403, "The model `{o.model}` is blocked at the project level. Please have a project admin enable this model in the project settings.", "permissions_error", "model_permission_blocked_project"),
        Trouble.NO_MODEL: Row(404, "The model `{o.model}` does not exist or you do not have access to it.", code="model_not_found"),
        Trouble.MODEL_GONE: Row(404, "The model `{o.model}` does not exist or you do not have access to it.", code="model_not_found"),
        Trouble.LIMIT: Row(429, type="tokens", code="rate_limit_exceeded"),
        Trouble.BUSY: Row(498, "Flex tier capacity exceeded for model `{o.model}`. Please try again later.", "internal_server_error", "capacity_exceeded"),
        Trouble.OVERLOADED: Row(503, "{o.model} is currently over capacity. Please try again and back off exponentially. Visit https://groqstatus.com to see if there is an active incident.", "internal_server_error"),
        Trouble.SERVER: Row(500, "Internal Server Error", "internal_server_error"),
        Trouble.CREDIT: Row(402, "Your organization has exceeded its spend limit. Please visit https://console.groq.com/settings/billing.", "billing_error", "blocked_api_access"),
        Trouble.LACKS: Row(400),
        Trouble.TOO_LONG: Row(400, "Please reduce the length of the messages or completion.", code="context_length_exceeded", param="messages"),
        Trouble.TOO_LARGE: Row(413, "Request Entity Too Large", code="request_too_large"),
        Trouble.POLICY: Row(400, "Request blocked: the content was flagged as unsafe.", code="content_policy_violation"),
        Trouble.GENERATION: Row(400, "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.", code="tool_use_failed"),
        Trouble.BAD_REQUEST: Row(400),
        Trouble.NOT_FOUND: Row(404, "Unknown request URL: {o.method} {o.path}. Please check the URL for typos, or see the docs at https://console.groq.com/docs/", code="unknown_url"),
        Trouble.NOT_ALLOWED: Row(405, "Method Not Allowed: {o.method} {o.path}", code="method_not_allowed"),
    }  # fmt: skip

    def objection(self, ask: Ask, model: Model) -> Oops | None:
        for name in ("logprobs", "logit_bias", "top_logprobs"):
            if ask.raw.get(name):
                return Oops(
                    Trouble.BAD_REQUEST, model=model.id, message=f"property '{name}' is unsupported", param=name
                )
        if ask.n > 1:
            return Oops(Trouble.BAD_REQUEST, model=model.id, message="'n' : number must be at most 1", param="n")
        if model.max_output is not None and ask.max_tokens is not None and ask.max_tokens > model.max_output:
            text = (
                f"`max_tokens` must be less than or equal to `{model.max_output}`, the maximum value for `max_tokens` "
                "is less than the `context_window` for this model"
            )
            return Oops(Trouble.BAD_REQUEST, model=model.id, message=text, param="max_tokens")
        return None

    def listing(self, catalogue: Catalogue) -> bytes:
        data = [
            {
                "id": model.id,
                "object": "model",
                "created": model.created,
                "owned_by": model.owner,
                "active": True,
                "context_window": model.context,
                "public_apps": None,
                "max_completion_tokens": model.max_output or model.context,
            }
            for model in catalogue
        ]
        return self.dump({"object": "list", "data": data})

    def dump(self, value: Json) -> bytes:
        return super().dump(value) + b"\n"

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"message": said.message, "type": said.type}
        if oops.what is Trouble.LACKS:
            error["message"], error["param"] = _LACKS[oops.feature]
            return {"error": error}
        if said.code:
            error["code"] = said.code
        if said.param:
            error["param"] = said.param
        if oops.what is Trouble.GENERATION:
            error["failed_generation"] = oops.detail or '{"name": "simulated", "arguments": {"broken": }'
        return {"error": error}

    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        refused = oops.refused
        assert refused is not None
        where = f"for model `{oops.model}` in organization `org_{oops.account}` service tier `on_demand` on {_AXES.get(refused.cap.label, refused.cap.label)}"
        type_ = {"audio": "seconds"}.get(refused.cap.axis, refused.cap.axis)
        if refused.never:
            message = f"Request too large {where}: Limit {refused.cap.limit:.0f}, Requested {refused.requested}, please reduce your message size and try again. {_UPGRADE}"
            said = Said(413, message, type_, "rate_limit_exceeded", None)
            return ErrorAnswer(413, self.json_headers, self.dump(self.envelope(said, oops)))
        told = oops.hint in {"", "text"}
        numbers = (
            f": Limit {refused.cap.limit:.0f}, Used {refused.used}, Requested {refused.requested}. Please try again in {go(milliseconds_up(refused.wait))}."
            if told
            else "."
        )
        said = Said(429, f"Rate limit reached {where}{numbers} {_UPGRADE}", type_, "rate_limit_exceeded", None)
        return ErrorAnswer(429, self.json_headers + self._limit_headers(oops), self.dump(self.envelope(said, oops)))

    def _limit_headers(self, oops: Oops) -> Pairs:
        refused = oops.refused
        assert refused is not None
        artificial = self.hint_headers(oops)
        if artificial is not None:
            return artificial
        wait = milliseconds_up(refused.wait)
        if oops.hint == "reset":
            axis = "tokens" if refused.cap.axis == "tokens" else "requests"
            return (
                (f"x-ratelimit-limit-{axis}", f"{refused.cap.limit:.0f}"),
                (f"x-ratelimit-remaining-{axis}", "0"),
                (f"x-ratelimit-reset-{axis}", go(wait)),
            )
        return (("retry-after", self.whole_seconds(wait)),)

    def headers(self, job: Job) -> Pairs:
        return (
            ("x-groq-region", "sim-1"),
            ("x-request-id", f"req_{job.noise[:26]}"),
            *self.standing(job.hold, job.now),
        )

    def standing(self, hold: Hold | None, now: float) -> Pairs:
        """The limit headers after an admission: requests per DAY, tokens per MINUTE, audio seconds per hour."""
        if hold is None:
            return ()
        told: list[tuple[str, str]] = []
        for axis, label in (("requests", "RPD"), ("tokens", "TPM"), ("audio-seconds", "ASPH")):
            if (bucket := hold.bucket(label)) is not None:
                told += _told(axis, bucket, now)
        return tuple(told)

    def answer(self, job: Job) -> Json:
        return {
            "id": self._id(job),
            "object": "chat.completion",
            "created": job.created,
            "model": job.model.id,
            "choices": [
                {"index": index, "message": self.message(reply), "logprobs": None, "finish_reason": reply.finish}
                for index, reply in enumerate(job.replies)
            ],
            "usage": self.usage(job),
            "usage_breakdown": None,
            "system_fingerprint": f"fp_{job.noise[-10:]}",
            "x_groq": {"id": f"req_{job.noise[:26]}"},
            "service_tier": "on_demand",
        }

    def usage(self, job: Job) -> Json:
        spent = job.timing
        usage: Json = {
            "queue_time": round(spent.first * 0.3, 9),
            "prompt_tokens": job.tokens_in,
            "prompt_time": round(spent.first * 0.7, 9),
            "completion_tokens": job.tokens_out,
            "completion_time": round(spent.total - spent.first, 9),
            "total_tokens": job.tokens_in + job.tokens_out,
            "total_time": round(spent.total - spent.first * 0.3, 9),
        }
        if job.reasoning_tokens:
            usage["completion_tokens_details"] = {"reasoning_tokens": job.reasoning_tokens}
        return usage

    def chunk(self, job: Job, choices: list[Json]) -> Json:
        return {
            "id": self._id(job),
            "object": "chat.completion.chunk",
            "created": job.created,
            "model": job.model.id,
            "system_fingerprint": f"fp_{job.noise[-10:]}",
            "choices": choices,
        }

    def choice(self, index: int, delta: Json, finish: str | None = None) -> Json:
        return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}

    def deltas(self, reply: Reply) -> Iterator[Json]:
        """A tool call comes complete in one delta."""
        whole = Reply(text=reply.text, reasoning=reply.reasoning, finish=reply.finish)
        for delta in super().deltas(whole):
            yield {**delta, "channel": "analysis"} if "reasoning" in delta else delta
        for index, call in enumerate(reply.calls):
            function = {"name": call.name, "arguments": call.arguments}
            yield {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]}

    def finished(self, job: Job, made: list[Json]) -> list[Json]:
        request, usage = f"req_{job.noise[:26]}", self.usage(job)
        made[0] = {**made[0], "x_groq": {"id": request, "seed": int(job.noise[:7], 16)}}
        made[-1] = {**made[-1], "x_groq": {"id": request, "usage": usage}, "usage": usage}
        return made

    def stream_error(self, job: Job, message: str) -> list[bytes]:
        oops = Oops(Trouble.GENERATION)
        error = self.envelope(
            Said(
                400,
                message or "Failed to call a function. Please adjust your prompt.",
                "invalid_request_error",
                "tool_use_failed",
                None,
            ),
            oops,
        )
        error["error"]["status_code"] = 400
        return [b"event: error\ndata: " + self.dump(error) + b"\n"]

    @staticmethod
    def _id(job: Job) -> str:
        hexes = job.noise
        return f"chatcmpl-{hexes[:8]}-{hexes[8:12]}-{hexes[12:16]}-{hexes[16:20]}-{hexes[20:32]}"


def _told(axis: str, bucket: Bucket, now: float) -> list[tuple[str, str]]:
    remaining = max(0, int(bucket.level(now) + 1e-6))
    return [
        (f"x-ratelimit-limit-{axis}", f"{bucket.cap.limit:.0f}"),
        (f"x-ratelimit-remaining-{axis}", str(remaining)),
        (f"x-ratelimit-reset-{axis}", go(bucket.full_in(now), places=6)),
    ]
