"""What all kinds share: OpenAI's shapes, which every other kind bends a little.

A kind turns jobs and troubles into bytes. It keeps no state and decides nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, ClassVar

import orjson

from rotation.simulator.answers import Reply
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.job import Job
from rotation.simulator.kinds.errors import ErrorAnswer, Pairs, Rows, Said, fill
from rotation.simulator.kinds.pieces import pieces
from rotation.simulator.limits import DAY, Cap, Hold
from rotation.simulator.oops import Oops, Trouble
from rotation.simulator.script import Script

DONE = b"data: [DONE]\n\n"
Json = dict[str, Any]


def event(value: Json) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


class Kind(ABC):
    """OpenAI's dialect."""

    name: ClassVar[str]
    root: ClassVar[str]
    needs_key: ClassVar[bool] = True
    public_listing: ClassVar[bool] = False
    counts_failures: ClassVar[bool] = False
    reasoning_field: ClassVar[str] = ""
    rows: ClassVar[Rows]
    json_headers: ClassVar[Pairs] = (("content-type", "application/json"),)
    sse_headers: ClassVar[Pairs] = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))

    minute_cap: ClassVar[Cap] = Cap("RPM", "requests", 60, 60.0)
    daily_cap: ClassVar[Cap] = Cap("RPD", "requests", 1_000, DAY)

    # admission

    def objection(self, ask: Ask, model: Model) -> Oops | None:
        """What this provider refuses in a request that is otherwise right."""
        if model.max_output is not None and ask.max_tokens is not None and ask.max_tokens > model.max_output:
            most, asked = model.max_output, ask.max_tokens
            text = (
                f"max_tokens is too large: {asked}. This model supports at most {most} completion tokens, "
                f"whereas you provided {asked}."
            )
            return Oops(Trouble.BAD_REQUEST, model=model.id, message=text, param="max_tokens", code="invalid_value")
        return None

    def reserved(self, output: int) -> int:
        """How much of the output asked for is counted before it exists."""
        return output

    # listing

    @abstractmethod
    def listing(self, catalogue: Catalogue) -> bytes:
        """The body of GET /models."""

    # errors

    def refuse(self, oops: Oops, now: float) -> ErrorAnswer:
        """`now`: epoch seconds by the client's calendar."""
        if oops.what is Trouble.LIMIT and oops.refused is not None:
            return self.limited(oops, now)
        said = fill(self.rows, oops)
        headers = self.json_headers + self.error_headers(oops, said)
        return ErrorAnswer(said.status, headers, self.dump(self.envelope(said, oops)))

    def envelope(self, said: Said, oops: Oops) -> Json:
        return {"error": {"message": said.message, "type": said.type, "param": said.param, "code": said.code}}

    def error_headers(self, oops: Oops, said: Said) -> Pairs:
        return ()

    @abstractmethod
    def limited(self, oops: Oops, now: float) -> ErrorAnswer:
        """The refusal of a limit: the oops has `refused`."""

    def dump(self, value: Json) -> bytes:
        return orjson.dumps(value)

    # a whole answer

    def headers(self, job: Job) -> Pairs:
        return ()

    def standing(self, hold: Hold | None, now: float) -> Pairs:
        """The limit headers after an admission."""
        return ()

    def heard(self, number: int, seconds: float) -> Json:
        """What stands beside a transcript: usage, mostly."""
        return {}

    def usage(self, job: Job) -> Json:
        return {
            "prompt_tokens": job.tokens_in,
            "completion_tokens": job.tokens_out,
            "total_tokens": job.tokens_in + job.tokens_out,
        }

    @abstractmethod
    def answer(self, job: Job) -> Json:
        """A whole, non-streamed answer."""

    def message(self, reply: Reply) -> Json:
        message: Json = {"role": "assistant", "content": reply.text}
        if reply.reasoning and self.reasoning_field:
            message[self.reasoning_field] = reply.reasoning
        if reply.calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in reply.calls
            ]
        return message

    # a stream

    @abstractmethod
    def chunk(self, job: Job, choices: list[Json]) -> Json:
        """One chunk of a stream around its choices."""

    def choice(self, index: int, delta: Json, finish: str | None = None) -> Json:
        return {"index": index, "delta": delta, "finish_reason": finish}

    def opening(self, reply: Reply) -> Json:
        return {"role": "assistant", "content": ""}

    def deltas(self, reply: Reply) -> Iterator[Json]:
        """Everything between the opening and the finish of one choice."""
        if self.reasoning_field:
            for piece in pieces(reply.reasoning):
                yield {self.reasoning_field: piece}
        for piece in pieces(reply.text or ""):
            yield {"content": piece}
        for index, call in enumerate(reply.calls):
            yield {
                "tool_calls": [
                    {
                        "index": index,
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": ""},
                    }
                ]
            }
            for piece in pieces(call.arguments):
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

    def events(self, job: Job) -> list[bytes]:
        """The whole stream, event by event, `[DONE]` last."""
        made = [self.chunk(job, [self.choice(index, self.opening(reply))]) for index, reply in enumerate(job.replies)]
        for row in zip_longest(*(self.deltas(reply) for reply in job.replies)):
            made += [
                self.chunk(job, [self.choice(index, delta)]) for index, delta in enumerate(row) if delta is not None
            ]
        made += [
            self.chunk(job, [self.choice(index, self.closing(), reply.finish)])
            for index, reply in enumerate(job.replies)
        ]
        return [event(value) for value in self.finished(job, made)] + [DONE]

    def closing(self) -> Json:
        return {}

    def finished(self, job: Job, made: list[Json]) -> list[Json]:
        """Adds usage the way this kind does."""
        if job.ask.include_usage:
            made = [{**value, "usage": None} for value in made]
            made.append({**self.chunk(job, []), "usage": self.usage(job)})
        return made

    def stream_error(self, job: Job, message: str) -> list[bytes]:
        """What an upstream's failure in the middle of a stream looks like, up to the end of it."""
        oops = Oops(Trouble.SERVER, model=job.model.id, message=message)
        return [event(self.envelope(fill(self.rows, oops), oops))]

    def pace(self, job: Job, script: Script) -> Script:
        """Last word on the timing of a good answer."""
        return script
