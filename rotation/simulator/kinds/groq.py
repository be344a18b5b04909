"""Groq: requests counted per day and tokens per minute in its headers, usage in the last chunk, `x_groq` around it."""

from __future__ import annotations

from collections.abc import Iterator

from rotation.simulator.answers import Reply
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds import listed, told
from rotation.simulator.kinds.base import Json, Kind
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Said, hint_headers, whole_seconds
from rotation.simulator.kinds.words.groq import AXES, LACKS, ROWS
from rotation.simulator.limits import DAY, Cap, Hold, Refused
from rotation.simulator.oops import Oops, Trouble

_AXES = {"requests": ("RPD",), "tokens": ("TPM",), "audio-seconds": ("ASPH",)}
_UPGRADE = "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"


class Groq(Kind):
    name = "groq"
    root = "/groq/openai/v1"
    reasoning_field = "reasoning"
    sse_headers = (("content-type", "text/event-stream"), ("cache-control", "no-cache"))
    minute_cap = Cap("TPM", "tokens", 12_000, 60.0)
    daily_cap = Cap("TPD", "tokens", 100_000, DAY)
    rows = ROWS

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
        data = [listed.groq(model) for model in catalogue]
        return self.dump({"object": "list", "data": data})

    def dump(self, value: Json) -> bytes:
        return super().dump(value) + b"\n"

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"message": said.message, "type": said.type}
        if oops.what is Trouble.LACKS:
            error["message"], error["param"] = LACKS[oops.feature]
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
        axis = AXES.get(refused.cap.label, refused.cap.label)
        where = f"for model `{oops.model}` in organization `org_{oops.account}` service tier `on_demand` on {axis}"
        status, headers = 429, _limit_headers(oops, refused)
        if refused.never:
            status, headers = 413, ()
            shorter = "please reduce your message size and try again."
            message = f"Request too large {where}: {told.numbers(refused)}, {shorter} {_UPGRADE}"
        elif oops.hint in {"", "text"}:
            wait = go(milliseconds_up(refused.wait))
            message = f"Rate limit reached {where}: {told.numbers(refused)}. Please try again in {wait}. {_UPGRADE}"
        else:
            message = f"Rate limit reached {where}. {_UPGRADE}"
        type_ = "seconds" if refused.cap.axis == "audio" else refused.cap.axis
        said = Said(status, message, type_, "rate_limit_exceeded", None)
        return ErrorAnswer(status, self.json_headers + headers, self.dump(self.envelope(said, oops)))

    def headers(self, job: Job) -> Pairs:
        return (
            ("x-groq-region", "sim-1"),
            ("x-request-id", f"req_{job.noise[:26]}"),
            *self.standing(job.hold, job.now),
        )

    def standing(self, hold: Hold | None, now: float) -> Pairs:
        """Requests per DAY, tokens per MINUTE, audio seconds per hour; the others are in no header."""
        return told.standing(hold, now, _AXES, places=6)

    def heard(self, number: int, seconds: float) -> Json:
        return {"x_groq": {"id": f"req_{number:026d}"}}

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
            "x_groq": {"id": f"req_{job.noise[:26]}", "seed": int(job.noise[:7], 16)},
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


def _limit_headers(oops: Oops, refused: Refused) -> Pairs:
    ordered = hint_headers(oops)
    if ordered is not None:
        return ordered
    if oops.hint == "reset":
        return told.refused(refused, reset=refused.wait)
    return (("retry-after", whole_seconds(refused.wait)),)
