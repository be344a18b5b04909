"""Together: a bare array of models, limits per second, `text` beside every delta, `eos`, usage without asking."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import orjson

from rotation.simulator.answers import Reply
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import DONE, Json, Kind, event
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Row, Rows, Said
from rotation.simulator.limits import DAY, Cap, Hold
from rotation.simulator.oops import Oops, Trouble

_LACKS = {
    "tools": ("Function calling is not supported by this model.", "tools"),
    "json": ("JSON mode is not supported by this model.", "response_format"),
    "images": ("This model does not support image inputs.", "messages"),
}


class Together(Kind):
    name = "together"
    root = "/together/v1"
    reasoning_field = "reasoning"
    sse_headers = (("content-type", "text/event-stream;charset=utf-8"), ("cache-control", "no-cache, no-transform"))
    json_headers = (("content-type", "application/json; charset=utf-8"),)
    minute_cap = Cap("RPS", "requests", 1, 1.0)
    daily_cap = Cap("RPD", "requests", 1_000, DAY)
    rows: ClassVar[Rows] = {
        Trouble.NO_KEY: Row(401, "Missing API key. You can find your API key at https://api.together.ai/settings/api-keys.", code="missing_api_key"),
        Trouble.BAD_KEY: Row(401, "Invalid API key provided. You can find your API key at https://api.together.ai/settings/api-keys.", code="invalid_api_key"),
        Trouble.NOT_PERMITTED: Row(403, "You do not have access to the model {o.model}.", code="permission_denied"),
        Trouble.NO_MODEL: Row(404, "Unable to access model {o.model}. Please visit https://api.together.ai/models to view the list of supported models.", code="model_not_available"),
        Trouble.MODEL_GONE: Row(404, "Unable to access model {o.model}. Please visit https://api.together.ai/models to view the list of supported models.", code="model_not_available"),
        Trouble.LIMIT: Row(429, type="model_rate_limit"),
        Trouble.BUSY: Row(429, "Request was rejected due to dynamic rate limiting on model {o.model}. Please retry shortly.", "dynamic_request_limited", "dynamic_request_limited"),
        Trouble.OVERLOADED: Row(503, "The server is overloaded. Please try again later.", "service_unavailable", "engine_overloaded"),
        Trouble.SERVER: Row(500, "Internal server error", "server_error"),
        Trouble.CREDIT: Row(402, "Credit limit exceeded, please navigate to https://api.together.xyz/settings/billing to add credits.", "credit_limit"),
        Trouble.LACKS: Row(400),
        Trouble.TOO_LONG: Row(422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= {o.context}. Given: {o.tokens_in} `inputs` tokens and {o.tokens_max} `max_new_tokens`"),
        Trouble.TOO_LARGE: Row(413, "Payload too large"),
        Trouble.POLICY: Row(400, "The request was flagged by the safety model.", code="content_policy_violation"),
        Trouble.GENERATION: Row(500, "The model produced an invalid tool call.", "server_error", "generation_failed"),
        Trouble.BAD_REQUEST: Row(400),
        Trouble.NOT_FOUND: Row(404, "Not found: {o.method} {o.path}", code="not_found"),
        Trouble.NOT_ALLOWED: Row(405, "Method not allowed: {o.method} {o.path}", code="method_not_allowed"),
    }  # fmt: skip

    def reserved(self, output: int) -> int:
        return 0

    def listing(self, catalogue: Catalogue) -> bytes:
        return orjson.dumps([_listed(model) for model in catalogue])

    def envelope(self, said: Said, oops: Oops) -> Json:
        if oops.path.endswith("/models") and said.status == 401:
            return {"error": {"message": "Unauthorized"}}
        error: Json = {"message": said.message, "type": said.type, "param": said.param, "code": said.code}
        if oops.what is Trouble.LACKS:
            error["message"], error["param"] = _LACKS[oops.feature]
        return {"id": f"sim-{oops.what}", "error": error}

    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        refused = oops.refused
        assert refused is not None
        cap, wait = refused.cap, milliseconds_up(refused.wait)
        message = f"You have reached the rate limit specific to this model {oops.model}."
        if oops.hint != "none":
            per_minute = cap.limit * 60 / cap.window
            unit = "tokens" if cap.axis == "tokens" else "queries"
            message += f" The maximum rate limit for this model is {per_minute:.1f} {unit} per minute."
        if oops.hint == "text":
            message += f" Please try again in {go(wait)}."
        said = Said(429, message, "model_rate_limit", None, None)
        artificial = self.hint_headers(oops)
        if artificial is None:
            suffix = "-tokens" if cap.axis == "tokens" else ""
            reset = str(max(1, math.ceil(wait)))
            artificial = (
                (f"x-ratelimit-limit{suffix}", f"{cap.limit:.0f}"),
                (f"x-ratelimit-remaining{suffix}", "0"),
                ("x-ratelimit-reset", reset),
            )
        return ErrorAnswer(429, self.json_headers + artificial, self.dump(self.envelope(said, oops)))

    def headers(self, job: Job) -> Pairs:
        return (("x-request-id", job.noise[:22]), *self.standing(job.hold, job.now))

    def standing(self, hold: Hold | None, now: float) -> Pairs:
        """Per second. A `retry-after` on success is this provider's own habit."""
        requests = hold.bucket("RPS") if hold else None
        tokens = hold.bucket("TPS") if hold else None
        if requests is None or tokens is None:
            return ()
        return (
            ("x-ratelimit", "false"),
            ("x-ratelimit-limit", f"{requests.cap.limit:.0f}"),
            ("x-ratelimit-remaining", str(max(0, int(requests.level(now) + 1e-6)))),
            ("x-ratelimit-reset", str(max(1, math.ceil(requests.full_in(now))))),
            ("x-ratelimit-limit-tokens", f"{tokens.cap.limit:.0f}"),
            ("x-ratelimit-remaining-tokens", str(max(0, int(tokens.level(now) + 1e-6)))),
            ("retry-after", "2"),
        )

    def answer(self, job: Job) -> Json:
        return {
            "id": self._id(job),
            "object": "chat.completion",
            "created": job.created,
            "model": job.model.id,
            "prompt": [],
            "choices": [
                {
                    "finish_reason": _finish(reply.finish),
                    "seed": None,
                    "index": index,
                    "logprobs": None,
                    "message": self.message(reply),
                }
                for index, reply in enumerate(job.replies)
            ],
            "usage": self.usage(job),
        }

    def usage(self, job: Job) -> Json:
        usage = {**super().usage(job), "cached_tokens": 0}
        return {**usage, "reasoning_tokens": job.reasoning_tokens} if job.model.reasoning else usage

    def message(self, reply: Reply) -> Json:
        return {**super().message(reply), "tool_calls": super().message(reply).get("tool_calls", [])}

    def chunk(self, job: Job, choices: list[Json]) -> Json:
        return {
            "id": self._id(job),
            "object": "chat.completion.chunk",
            "created": job.created,
            "choices": choices,
            "model": job.model.id,
            "usage": None,
        }

    def choice(self, index: int, delta: Json, finish: str | None = None) -> Json:
        text = delta.get("content") or ""
        full: Json = {"token_id": len(text) * 97 if text else None, "role": "assistant", "content": text, **delta}
        return {
            "index": index,
            "text": text,
            "logprobs": None,
            "finish_reason": finish and _finish(finish),
            "seed": None,
            "delta": full,
        }

    def deltas(self, reply: Reply) -> Iterator[Json]:
        for delta in super().deltas(reply):
            yield {"content": "", **delta} if "reasoning" in delta else delta

    def finished(self, job: Job, made: list[Json]) -> list[Json]:
        """Newer models get a chunk of their own for usage, older ones have it in the last choice's."""
        usage = self.usage(job)
        if job.model.reasoning:
            return [*made, {**self.chunk(job, []), "usage": usage}]
        made[-1] = {**made[-1], "usage": usage}
        return made

    def stream_error(self, job: Job, message: str) -> list[bytes]:
        return [
            event(
                {
                    "error": {
                        "message": message or "Internal server error",
                        "type": "server_error",
                        "param": None,
                        "code": None,
                    }
                }
            ),
            DONE,
        ]

    @staticmethod
    def _id(job: Job) -> str:
        return f"o{job.noise[:6]}-{job.noise[6:12]}-{job.noise[12:28]}"


def _finish(reason: str) -> str:
    return "eos" if reason == "stop" else reason


def _listed(model: Model) -> dict[str, Any]:
    type_ = {"transcription": "transcribe", "speech": "audio"}.get(model.type, model.type)
    pricing: dict[str, Any] = {
        "hourly": 0,
        "input": model.price_in,
        "output": model.price_out,
        "base": 0,
        "finetune": 0,
    }
    if type_ == "transcribe":
        pricing["transcribe"] = {"price_per_minute": 0.0015}
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "type": type_,
        "running": False,
        "display_name": model.name,
        "organization": model.owner,
        "link": f"https://huggingface.co/{model.id}",
        "license": "other",
        "context_length": model.context or None,
        "config": {"chat_template": None, "stop": [], "bos_token": None, "eos_token": None},
        "pricing": pricing,
    }
