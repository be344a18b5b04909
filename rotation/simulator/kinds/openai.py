"""OpenAI: limit headers on everything admitted, obfuscation in deltas, usage in a stream only when asked for."""

from __future__ import annotations

import math

from rotation.simulator.answers import Reply
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds import listed, told
from rotation.simulator.kinds.base import DONE, Json, Kind, event
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Said, hint_headers, whole_seconds
from rotation.simulator.kinds.words.openai import AXES, LACKS, ROWS
from rotation.simulator.limits import DAY, Cap, Hold, Refused
from rotation.simulator.oops import Oops, Trouble

_VERSION = (("openai-version", "2020-10-01"), ("openai-organization", "simulated-org"))
_AXES = {"requests": ("RPD", "RPM"), "tokens": ("TPM",)}
_MORE = "Visit https://platform.openai.com/account/rate-limits to learn more."
_PERMITTED = told.triple("requests", 500, 499, "120ms") + told.triple("tokens", 200_000, 200_000, "0s")
_CODES = {"tools": "unsupported_parameter", "json": "unsupported_value", "images": None}


class OpenAI(Kind):
    name = "openai"
    root = "/openai/v1"
    minute_cap = Cap("TPM", "tokens", 30_000, 60.0)
    daily_cap = Cap("RPD", "requests", 10_000, DAY)
    rows = ROWS

    def objection(self, ask: Ask, model: Model) -> Oops | None:
        if model.reasoning and "max_tokens" in ask.raw:
            text = (
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead."
            )
            return Oops(
                Trouble.BAD_REQUEST, model=model.id, message=text, param="max_tokens", code="unsupported_parameter"
            )
        return super().objection(ask, model)

    def listing(self, catalogue: Catalogue) -> bytes:
        data = [listed.openai(model) for model in catalogue]
        return self.dump({"object": "list", "data": data})

    def error_headers(self, oops: Oops, said: Said) -> Pairs:
        """A key that may not do this still learns its limits; a wrong key is challenged."""
        if oops.what is Trouble.NOT_PERMITTED:
            return _VERSION + _PERMITTED
        return (*_VERSION, ("www-authenticate", 'Bearer realm="OpenAI API"')) if said.status == 401 else _VERSION

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"message": said.message, "type": said.type, "param": said.param, "code": said.code}
        if oops.what is Trouble.LACKS:
            error["message"], error["param"] = LACKS[oops.feature]
            error["code"] = _CODES[oops.feature]
        return {"error": error}

    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        refused = oops.refused
        assert refused is not None
        axis = AXES.get(refused.cap.label, refused.cap.label)
        where = f"for {oops.model} in organization org-{oops.account} on {axis}:"
        numbers = told.numbers(refused)
        if refused.never:
            message = (
                f"Request too large {where} {numbers}. The input or output tokens must be reduced in order to run."
            )
        elif oops.hint in {"", "text"}:
            wait = go(milliseconds_up(refused.wait))
            message = f"Rate limit reached {where} {numbers}. Please try again in {wait}. {_MORE}"
        else:
            message = f"Rate limit reached for {oops.model} in organization org-{oops.account} on {axis}. {_MORE}"
        said = Said(429, message, refused.cap.axis, "rate_limit_exceeded", None)
        headers = self.json_headers + _VERSION + _limit_headers(oops, refused)
        return ErrorAnswer(429, headers, self.dump(self.envelope(said, oops)))

    def headers(self, job: Job) -> Pairs:
        own = (
            *_VERSION,
            ("openai-processing-ms", f"{job.timing.total * 1000:.0f}"),
            ("x-request-id", f"req_{job.noise[:32]}"),
        )
        return own + self.standing(job.hold, job.now)

    def standing(self, hold: Hold | None, now: float) -> Pairs:
        return told.standing(hold, now, _AXES, places=3)

    def heard(self, number: int, seconds: float) -> Json:
        return {"usage": {"type": "duration", "seconds": math.ceil(seconds)}}

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


def _limit_headers(oops: Oops, refused: Refused) -> Pairs:
    ordered = hint_headers(oops)
    if ordered is not None:
        return ordered
    if oops.hint == "reset":
        return told.refused(refused, reset=refused.wait)
    headers = told.refused(refused)
    if refused.never:
        return headers
    wait = milliseconds_up(refused.wait)
    return (*headers, ("retry-after", whole_seconds(wait)), ("retry-after-ms", f"{wait * 1000:.0f}"))
