"""A generic OpenAI-compatible server, like llama.cpp's: no limits, no key needed, timings, `reasoning_content`."""

from __future__ import annotations

from typing import Any

from rotation.simulator.answers import Reply
from rotation.simulator.catalogue import Catalogue
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds import listed
from rotation.simulator.kinds.base import Json, Kind
from rotation.simulator.kinds.errors import ErrorAnswer, Said, hint_headers, whole_seconds
from rotation.simulator.kinds.words.generic import LACKS, ROWS
from rotation.simulator.oops import Oops, Trouble

_BUILD = "b10452-simulated"


class Generic(Kind):
    name = "generic"
    root = "/generic/v1"
    needs_key = False
    reasoning_field = "reasoning_content"
    sse_headers = (("content-type", "text/event-stream"), ("server", "llama.cpp"))
    json_headers = (("content-type", "application/json; charset=utf-8"), ("server", "llama.cpp"))
    rows = ROWS

    def listing(self, catalogue: Catalogue) -> bytes:
        chosen = list(catalogue)
        return self.dump(
            {
                "models": [
                    {"name": model.id, "model": model.id, "type": "model", "capabilities": ["completion"]}
                    for model in chosen
                ],
                "object": "list",
                "data": [listed.generic(model) for model in chosen] or None,  # as a server with nothing loaded says it
            }
        )

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"code": said.status, "message": said.message, "type": said.type}
        if oops.what is Trouble.LACKS:
            error["message"] = LACKS[oops.feature]
        if oops.what is Trouble.TOO_LONG:
            error |= {"n_prompt_tokens": oops.tokens_in, "n_ctx": oops.context}
        return {"error": error}

    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        refused = oops.refused
        assert refused is not None
        wait = milliseconds_up(refused.wait)
        message = f"Too many requests. Please try again in {go(wait)}." if oops.hint == "text" else "Too many requests"
        headers = hint_headers(oops)
        if headers is None:
            headers = (
                (("retry-after", whole_seconds(wait)),)
                if oops.hint == ""
                else (("x-ratelimit-reset", whole_seconds(wait)),)
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
    read, written = max(1, job.tokens_in), max(1, job.tokens_out)
    return {
        "cache_n": 0,
        "prompt_n": job.tokens_in,
        "prompt_ms": round(prompt_ms, 3),
        "prompt_per_token_ms": prompt_ms / read,
        "prompt_per_second": round(job.tokens_in / max(job.timing.first, 1e-6), 3),
        "predicted_n": job.tokens_out,
        "predicted_ms": round(predicted_ms, 3),
        "predicted_per_token_ms": predicted_ms / written,
        "predicted_per_second": round(job.tokens_out / max(job.timing.total - job.timing.first, 1e-6), 3),
    }
