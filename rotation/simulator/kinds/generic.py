"""A generic OpenAI-compatible server, like llama.cpp's: no limits, no key needed, timings, `reasoning_content`."""

from __future__ import annotations

from typing import Any, ClassVar

from rotation.simulator.answers import Reply
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import Json, Kind
from rotation.simulator.kinds.errors import ErrorAnswer, Row, Rows, Said
from rotation.simulator.oops import Oops, Trouble

_BUILD = "b10452-simulated"
_LACKS = {
    "tools": "tools param requires --jinja flag",
    "json": "response_format of this type is not supported",
    "images": "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
}


class Generic(Kind):
    name = "generic"
    root = "/generic/v1"
    needs_key = False
    reasoning_field = "reasoning_content"
    sse_headers = (("content-type", "text/event-stream"), ("server", "llama.cpp"))
    json_headers = (("content-type", "application/json; charset=utf-8"), ("server", "llama.cpp"))
    rows: ClassVar[Rows] = {
        Trouble.NO_KEY: Row(401, "Invalid API Key", "authentication_error"),
        Trouble.BAD_KEY: Row(401, "Invalid API Key", "authentication_error"),
        Trouble.NOT_PERMITTED: Row(403, "This key may not use {o.model}", "permission_error"),
        Trouble.NO_MODEL: Row(404, "model '{o.model}' not found", "not_found_error"),
        Trouble.MODEL_GONE: Row(404, "model '{o.model}' not found", "not_found_error"),
        Trouble.LIMIT: Row(429, "Too many requests", "rate_limit_error"),
        Trouble.BUSY: Row(
            503, "server busy, please try again.  maximum pending requests exceeded", "unavailable_error"
        ),
        Trouble.OVERLOADED: Row(503, "Loading model", "unavailable_error"),
        Trouble.SERVER: Row(500, "Internal Server Error", "server_error"),
        Trouble.CREDIT: Row(402, "Insufficient Balance", "unknown_error"),
        Trouble.LACKS: Row(500, type="server_error"),
        Trouble.TOO_LONG: Row(
            400,
            "the request exceeds the available context size. try increasing the context size or enable context shift",
            "exceed_context_size_error",
        ),
        Trouble.TOO_LARGE: Row(413, "Payload too large", "invalid_request_error"),
        Trouble.POLICY: Row(400, "Content blocked by policy", "content_policy_violation"),
        Trouble.GENERATION: Row(500, "Failed to parse tool call", "server_error"),
        Trouble.BAD_REQUEST: Row(400),
        Trouble.NOT_FOUND: Row(404, "File Not Found", "not_found_error"),
        Trouble.NOT_ALLOWED: Row(404, "File Not Found", "not_found_error"),
    }

    def listing(self, catalogue: Catalogue) -> bytes:
        chosen = list(catalogue)
        return self.dump(
            {
                "models": [
                    {"name": model.id, "model": model.id, "type": "model", "capabilities": ["completion"]}
                    for model in chosen
                ],
                "object": "list",
                "data": [_listed(model) for model in chosen],
            }
        )

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"code": said.status, "message": said.message, "type": said.type}
        if oops.what is Trouble.LACKS:
            error["message"] = _LACKS[oops.feature]
        if oops.what is Trouble.TOO_LONG:
            error |= {"n_prompt_tokens": oops.tokens_in, "n_ctx": oops.context}
        return {"error": error}

    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        refused = oops.refused
        assert refused is not None
        wait = milliseconds_up(refused.wait)
        message = f"Too many requests. Please try again in {go(wait)}." if oops.hint == "text" else "Too many requests"
        headers = self.hint_headers(oops)
        if headers is None:
            headers = (
                (("retry-after", self.whole_seconds(wait)),)
                if oops.hint == ""
                else (("x-ratelimit-reset", self.whole_seconds(wait)),)
            )
        said = Said(429, message, "rate_limit_error", None, None)
        return ErrorAnswer(429, self.json_headers + headers, self.dump(self.envelope(said, oops)))

    def answer(self, job: Job) -> Json:
        return {
            "choices": [
                {"finish_reason": reply.finish, "index": index, "message": self.message(reply)}
                for index, reply in enumerate(job.replies)
            ],
            **self._frame(job, "chat.completion"),
            "usage": self.usage(job),
            "timings": _timings(job),
        }

    def usage(self, job: Job) -> Json:
        return {**super().usage(job), "prompt_tokens_details": {"cached_tokens": 0}}

    def chunk(self, job: Job, choices: list[Json]) -> Json:
        return {"choices": choices, **self._frame(job, "chat.completion.chunk")}

    def choice(self, index: int, delta: Json, finish: str | None = None) -> Json:
        return {"finish_reason": finish, "index": index, "delta": delta}

    def opening(self, reply: Reply) -> Json:
        return {"role": "assistant", "content": None}

    def finished(self, job: Job, made: list[Json]) -> list[Json]:
        if job.ask.include_usage:
            return [*made, {**self.chunk(job, []), "usage": self.usage(job), "timings": _timings(job)}]
        made[-1] = {**made[-1], "timings": _timings(job)}
        return made

    @staticmethod
    def _frame(job: Job, object_: str) -> Json:
        return {
            "created": job.created,
            "id": f"chatcmpl-{job.noise[:32]}",
            "model": job.model.id,
            "system_fingerprint": _BUILD,
            "object": object_,
        }


def _timings(job: Job) -> dict[str, Any]:
    prompt_ms, predicted_ms = job.timing.first * 1000, (job.timing.total - job.timing.first) * 1000
    return {
        "cache_n": 0,
        "prompt_n": job.tokens_in,
        "prompt_ms": round(prompt_ms, 3),
        "prompt_per_second": round(job.tokens_in / max(job.timing.first, 1e-6), 3),
        "predicted_n": job.tokens_out,
        "predicted_ms": round(predicted_ms, 3),
        "predicted_per_second": round(job.tokens_out / max(job.timing.total - job.timing.first, 1e-6), 3),
    }


def _listed(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "aliases": [model.id],
        "tags": [],
        "object": "model",
        "created": model.created,
        "owned_by": model.owner,
        "meta": {"vocab_type": 2, "n_ctx": model.context, "n_ctx_train": model.context * 4, "n_params": 3_000_000_000},
    }
