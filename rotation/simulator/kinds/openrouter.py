"""OpenRouter: comments in streams, white space before slow answers, limits only told when hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rotation.simulator.answers import Reply
from rotation.simulator.catalogue import Catalogue
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds import listed
from rotation.simulator.kinds.base import DONE, Json, Kind, event
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Said, hint_headers
from rotation.simulator.kinds.words.openrouter import LACKS, ROWS, metadata
from rotation.simulator.limits import DAY, Cap
from rotation.simulator.oops import Oops, Trouble
from rotation.simulator.script import Script

COMMENT = b": OPENROUTER PROCESSING\n\n"
PADDING = b"\n         \n"
_COMMENT_EVERY = 0.5
_PADDED_AFTER = 3.0  # a whole answer that takes longer is committed early and kept alive with white space
_PADDING_EVERY = 1.0
_UPSTREAMS = ("Chutes", "DeepInfra", "Together", "Novita", "Parasail")
_ROUTING = "To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing"


class OpenRouter(Kind):
    name = "openrouter"
    root = "/openrouter/api/v1"
    public_listing = True
    counts_failures = True
    reasoning_field = "reasoning"
    sse_headers = (
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("access-control-allow-origin", "*"),
    )
    json_headers = (("content-type", "application/json"), ("access-control-allow-origin", "*"))
    minute_cap = Cap("free-models-per-min", "requests", 20, 60.0, fixed=True)
    daily_cap = Cap("free-models-per-day", "requests", 50, DAY, fixed=True)
    rows = ROWS

    def listing(self, catalogue: Catalogue) -> bytes:
        return self.dump({"data": [listed.openrouter(model) for model in catalogue]})

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"message": said.message, "code": said.status}
        if oops.what is Trouble.LACKS:
            error["message"] = f"No endpoints found that support {LACKS[oops.feature]}. {_ROUTING}"
        elif oops.what is Trouble.CREDIT and oops.affords is not None:
            error["message"] = (
                "This request requires more credits, or fewer max_tokens. You requested up to "
                f"{oops.tokens_max} tokens, but can only afford {oops.affords}. To increase, visit "
                "https://openrouter.ai/settings/credits and upgrade to a paid account"
            )
        if more := metadata(oops):
            error["metadata"] = more
        known_user = oops.what not in {Trouble.NO_KEY, Trouble.BAD_KEY, Trouble.NOT_FOUND}
        return (
            {"error": error, "user_id": f"user_sim_{oops.account}"} if known_user and oops.account else {"error": error}
        )

    def error_headers(self, oops: Oops, said: Said) -> Pairs:
        if oops.what in {Trouble.BUSY, Trouble.OVERLOADED} and oops.size:
            return (("retry-after", str(oops.size)),)
        return ()

    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        refused = oops.refused
        assert refused is not None
        label = refused.cap.label
        if label == "free-models-per-day":
            label = label if refused.cap.limit < 1_000 else "free-models-per-day-high-balance"
        tail = "Add 10 credits to unlock 1000 free model requests per day" if label == "free-models-per-day" else ""
        wait = milliseconds_up(refused.wait)
        if oops.hint == "text":
            tail = f"Please try again in {go(wait)}."
        told = {
            "X-RateLimit-Limit": f"{refused.cap.limit:.0f}",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": f"{round((now + wait) * 1000)}",
        }
        error: Json = {"message": f"Rate limit exceeded: {label}. {tail}", "code": 429}
        artificial = hint_headers(oops)
        if artificial is None:
            error["metadata"] = {"headers": told, "provider_name": None}
            artificial = tuple((name.lower(), value) for name, value in told.items())
        body = {"error": error, "user_id": f"user_sim_{oops.account}"}
        return ErrorAnswer(429, self.json_headers + artificial, self.dump(body))

    def headers(self, job: Job) -> Pairs:
        timing = f"cfEdge;dur=6,cfOrigin;dur=0,cfWorker;dur={job.timing.first * 1000:.0f}"
        return (("x-generation-id", self._id(job)), ("server-timing", timing))

    def heard(self, number: int, seconds: float) -> Json:
        return {"usage": {"seconds": round(seconds, 2), "cost": round(seconds * 0.0001, 8)}}

    def answer(self, job: Job) -> Json:
        return {
            **self._frame(job, "chat.completion"),
            "system_fingerprint": None,
            "choices": [
                {
                    "index": index,
                    "logprobs": None,
                    "finish_reason": reply.finish,
                    "native_finish_reason": reply.finish,
                    "message": self.message(reply),
                }
                for index, reply in enumerate(job.replies)
            ],
            "usage": self.usage(job),
        }

    def message(self, reply: Reply) -> Json:
        message = {**super().message(reply), "refusal": None, "reasoning": reply.reasoning or None}
        if reply.reasoning:
            message["reasoning_details"] = [_detail(reply.reasoning)]
        for index, call in enumerate(message.get("tool_calls", ())):
            call["index"] = index
        return message

    def usage(self, job: Job) -> Json:
        paid = job.cost
        details = {
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
            "cost_details": {"upstream_inference_cost": paid},
            "completion_tokens_details": {"reasoning_tokens": job.reasoning_tokens, "image_tokens": 0},
        }
        return {**super().usage(job), "cost": paid, "is_byok": False, **details}

    def chunk(self, job: Job, choices: list[Json]) -> Json:
        return {**self._frame(job, "chat.completion.chunk"), "choices": choices}

    def choice(self, index: int, delta: Json, finish: str | None = None) -> Json:
        return {
            "index": index,
            "delta": {"role": "assistant", **delta},
            "finish_reason": finish,
            "native_finish_reason": finish,
        }

    def deltas(self, reply: Reply) -> Iterator[Json]:
        for delta in super().deltas(reply):
            if "reasoning" in delta:
                yield {"content": "", **delta, "reasoning_details": [_detail(delta["reasoning"])]}
            else:
                yield {"content": None, **delta} if "tool_calls" in delta else delta

    def closing(self) -> Json:
        return {"content": ""}

    def finished(self, job: Job, made: list[Json]) -> list[Json]:
        """The finish is said twice, the second time with the usage."""
        last = [self.choice(index, self.closing(), reply.finish) for index, reply in enumerate(job.replies)]
        return [*made, {**self.chunk(job, last), "usage": self.usage(job)}]

    def stream_error(self, job: Job, message: str) -> list[bytes]:
        """Half of them as of 2025, with a finish_reason and [DONE]; half as of 2026, with neither."""
        error: Json = {
            "code": 502,
            "message": message or "Provider returned error",
            "metadata": {"error_type": "provider_unavailable"},
        }
        if int(job.noise[0], 16) % 2:
            return [event({**self.chunk(job, []), "error": error})]
        return [event({**self.chunk(job, [self.choice(0, {"content": ""}, "error")]), "error": error}), DONE]

    def pace(self, job: Job, script: Script) -> Script:
        if job.ask.stream:
            return replace(
                script, wait=0.0, first=script.wait, lead=COMMENT, filler=COMMENT, filler_every=_COMMENT_EVERY
            )
        if script.wait <= _PADDED_AFTER:
            return script
        late = script.wait - _PADDED_AFTER
        return replace(
            script,
            wait=_PADDED_AFTER,
            first=late,
            length=None,
            lead=PADDING,
            filler=PADDING,
            filler_every=_PADDING_EVERY,
        )

    def _frame(self, job: Job, object_: str) -> Json:
        upstream = _UPSTREAMS[int(job.noise[1], 16) % len(_UPSTREAMS)]
        frame = {"id": self._id(job), "object": object_, "created": job.created}
        return {**frame, "model": job.model.id, "provider": upstream}

    @staticmethod
    def _id(job: Job) -> str:
        return f"gen-{job.created}-{job.noise[:20]}"


def _detail(text: str) -> Json:
    return {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
