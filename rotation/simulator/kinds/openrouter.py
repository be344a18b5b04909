"""OpenRouter: prices as strings per token, comments in streams, white space before slow answers, limits only told when hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from rotation.simulator.answers import Reply
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.durations import go, milliseconds_up
from rotation.simulator.job import Job
from rotation.simulator.kinds.base import DONE, Json, Kind, event
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Row, Rows, Said
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
_LACKS = {"tools": "tool use", "images": "image input", "json": "the requested response format"}


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
    minute_cap = Cap("free-models-per-min", "requests", 20, 60.0)
    daily_cap = Cap("free-models-per-day", "requests", 50, DAY, midnight=True)
    rows: ClassVar[Rows] = {
        Trouble.NO_KEY: Row(401, "Missing Authentication header"),
        Trouble.BAD_KEY: Row(401, "User not found."),
        Trouble.NOT_PERMITTED: Row(404, "No endpoints found matching your data policy (Free model publication). Configure: https://openrouter.ai/settings/privacy"),
        Trouble.NO_MODEL: Row(400, "{o.model} is not a valid model ID"),
        Trouble.MODEL_GONE: Row(404, "No endpoints found for {o.model}."),
        Trouble.LIMIT: Row(429),
        Trouble.BUSY: Row(429, "Provider returned error"),
        Trouble.OVERLOADED: Row(503, "Service temporarily unavailable"),
        Trouble.SERVER: Row(500, "Internal Server Error"),
        Trouble.CREDIT: Row(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
        Trouble.LACKS: Row(404),
        Trouble.TOO_LONG: Row(400, "This endpoint's maximum context length is {o.context} tokens. However, you requested about {o.size} tokens ({o.tokens_in} of text input, {o.tokens_max} in the output). Please reduce the length of either one, or use the \"middle-out\" transform to compress your prompt automatically."),
        Trouble.TOO_LARGE: Row(413, "Request payload too large"),
        Trouble.POLICY: Row(403, "{o.model} requires moderation. Your input was flagged for \"violence\". No credits were charged."),
        Trouble.GENERATION: Row(400, "Provider returned error"),
        Trouble.BAD_REQUEST: Row(400),
        Trouble.NOT_FOUND: Row(404, "Not Found"),
        Trouble.NOT_ALLOWED: Row(405, "Method Not Allowed"),
    }  # fmt: skip

    def listing(self, catalogue: Catalogue) -> bytes:
        return self.dump({"data": [_listed(model) for model in catalogue]})

    def envelope(self, said: Said, oops: Oops) -> Json:
        error: Json = {"message": said.message, "code": said.status}
        if oops.what is Trouble.LACKS:
            error["message"] = f"No endpoints found that support {_LACKS[oops.feature]}. {_ROUTING}"
        elif oops.what is Trouble.CREDIT and oops.affords is not None:
            error["message"] = (
                f"This request requires more credits, or fewer max_tokens. You requested up to {oops.tokens_max} tokens, but can only "
                f"afford {oops.affords}. To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account"
            )
        if metadata := _metadata(oops):
            error["metadata"] = metadata
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
        artificial = self.hint_headers(oops)
        if artificial is None:
            error["metadata"] = {"headers": told, "provider_name": None}
            artificial = tuple((name.lower(), value) for name, value in told.items())
        body = {"error": error, "user_id": f"user_sim_{oops.account}"}
        return ErrorAnswer(429, self.json_headers + artificial, self.dump(body))

    def headers(self, job: Job) -> Pairs:
        return (
            ("x-generation-id", self._id(job)),
            ("server-timing", f"cfEdge;dur=6,cfOrigin;dur=0,cfWorker;dur={job.timing.first * 1000:.0f}"),
        )

    def answer(self, job: Job) -> Json:
        return {
            "id": self._id(job),
            "object": "chat.completion",
            "created": job.created,
            "model": job.model.id,
            "provider": self._upstream(job),
            "system_fingerprint": None,
            "choices": [
                {
                    "index": index,
                    "logprobs": None,
                    "finish_reason": reply.finish,
                    "native_finish_reason": reply.finish,
                    "message": {**self.message(reply), "refusal": None, "reasoning": reply.reasoning or None},
                }
                for index, reply in enumerate(job.replies)
            ],
            "usage": self.usage(job),
        }

    def usage(self, job: Job) -> Json:
        paid = job.cost
        return {
            **super().usage(job),
            "cost": paid,
            "is_byok": False,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
            "cost_details": {"upstream_inference_cost": paid},
            "completion_tokens_details": {"reasoning_tokens": job.reasoning_tokens, "image_tokens": 0},
        }

    def chunk(self, job: Job, choices: list[Json]) -> Json:
        return {
            "id": self._id(job),
            "object": "chat.completion.chunk",
            "created": job.created,
            "model": job.model.id,
            "provider": self._upstream(job),
            "choices": choices,
        }

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
                detail = {"type": "reasoning.text", "text": delta["reasoning"], "format": "unknown", "index": 0}
                yield {"content": "", **delta, "reasoning_details": [detail]}
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

    @staticmethod
    def _id(job: Job) -> str:
        return f"gen-{job.created}-{job.noise[:20]}"

    @staticmethod
    def _upstream(job: Job) -> str:
        return _UPSTREAMS[int(job.noise[1], 16) % len(_UPSTREAMS)]


def _metadata(oops: Oops) -> Json:
    match oops.what:
        case Trouble.BUSY:
            raw = (
                f"{oops.model} is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate "
                "your rate limits: https://openrouter.ai/settings/integrations"
            )
            return {"raw": raw, "provider_name": "Chutes", "is_byok": False}
        case Trouble.POLICY:
            return {
                "reasons": ["violence"],
                "flagged_input": oops.detail[:100],
                "provider_name": "OpenAI",
                "model_slug": oops.model,
            }
        case Trouble.GENERATION:
            return {
                "raw": '{"code":400,"msg":"the model produced an invalid tool call"}',
                "provider_name": "Chutes",
                "is_byok": False,
            }
        case Trouble.TOO_LONG:
            return {"provider_name": "Chutes"}
    return {}


def _price(per_million: float) -> str:
    """USD per token, as a string; "-1" for a price that varies."""
    if per_million < 0:
        return "-1"
    return f"{per_million / 1e6:.12f}".rstrip("0").rstrip(".")


def _listed(model: Model) -> dict[str, Any]:
    inputs = ["text", "image"] if model.images else ["text"]
    slug = model.id.partition(":")[0]
    return {
        "id": model.id,
        "canonical_slug": slug,
        "hugging_face_id": "",
        "name": model.name,
        "created": model.created,
        "description": f"{model.name}, simulated.",
        "context_length": model.context,
        "architecture": {
            "modality": f"{'+'.join(inputs)}->text",
            "input_modalities": inputs,
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {
            "prompt": _price(model.price_in),
            "completion": _price(model.price_out),
            "request": "0",
            "image": "0",
            "web_search": "0",
            "internal_reasoning": "0",
        },
        "top_provider": {
            "context_length": model.context,
            "max_completion_tokens": model.max_output,
            "is_moderated": model.moderated,
        },
        "per_request_limits": None,
        "supported_parameters": _parameters(model),
        "default_parameters": {},
        "expiration_date": model.expires,
    }


def _parameters(model: Model) -> list[str]:
    names = ["frequency_penalty", "max_tokens", "presence_penalty", "seed", "stop", "temperature", "top_p"]
    if model.tools:
        names += ["tool_choice", "tools"]
    if model.json_schema:
        names += ["response_format", "structured_outputs"]
    if model.reasoning:
        names += ["include_reasoning", "reasoning"]
    return sorted(names)
