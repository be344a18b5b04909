"""Together: a bare array of models, limits per second, `text` beside every delta, `eos`, usage without asking."""

from __future__ import annotations

import math
from collections.abc import Iterator

import orjson

from rotation.simulator.answers import Reply
from rotation.simulator.catalogue import Catalogue
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds import listed
from rotation.simulator.kinds.base import DONE, Json, Kind, event
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Said, hint_headers
from rotation.simulator.kinds.words.together import LACKS, ROWS
from rotation.simulator.limits import DAY, Cap, Hold
from rotation.simulator.oops import Oops, Trouble


class Together(Kind):
    name = "together"
    root = "/together/v1"
    reasoning_field = "reasoning"
    sse_headers = (("content-type", "text/event-stream;charset=utf-8"), ("cache-control", "no-cache, no-transform"))
    json_headers = (("content-type", "application/json; charset=utf-8"),)
    minute_cap = Cap("RPS", "requests", 1, 1.0)
    daily_cap = Cap("RPD", "requests", 1_000, DAY)
    rows = ROWS

    def reserved(self, output: int) -> int:
        return 0

    def listing(self, catalogue: Catalogue) -> bytes:
        return orjson.dumps([listed.together(model) for model in catalogue])

    def envelope(self, said: Said, oops: Oops) -> Json:
        if oops.path.endswith("/models") and said.status == 401:
            return {"error": {"message": "Unauthorized"}}
        error: Json = {"message": said.message, "type": said.type, "param": said.param, "code": said.code}
        if oops.what is Trouble.LACKS:
            error["message"], error["param"] = LACKS[oops.feature]
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
        artificial = hint_headers(oops)
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
        message = super().message(reply)
        calls = message.get("tool_calls", [])
        return {**message, "tool_calls": [{"index": index, **call} for index, call in enumerate(calls)]}

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
