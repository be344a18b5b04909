"""A stream up to its first content: until then nothing is out, and whatever goes wrong is nobody's loss."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from rotation.core.failures import Failure, FailureKind, Rotate
from rotation.gateway.entry import Note
from rotation.gateway.relay import Opened
from rotation.gateway.upstream import Response
from rotation.providers.base import Event, StreamReader

EMPTY = "empty_answer"
CUT_SHORT = ("length", "content_filter")  # such an answer may well have come to nothing
MOST_HELD = 4 * 1024 * 1024  # bytes of events without content, before a stream is given up


async def first_content(response: Response, reader: StreamReader, notes: Sequence[Note]) -> Opened | Failure:
    """Read until something is said. `notes` are the call's attempts so far: a second empty answer is believed."""
    chunks = response.chunks()
    assert isinstance(chunks, AsyncGenerator)
    held: list[Event] = []
    size = 0
    async for chunk in chunks:
        events = reader.feed(chunk)
        held += (e for e in events if e.raw or e.usage or e.failure)
        size += sum(len(e.raw) for e in events)
        for event in events:
            if event.failure is not None:
                return before_commit(event.failure)
            if event.content or (event.done and _may_be_empty(held, notes)):
                return Opened(response, chunks, reader, held)
            if event.done:
                return empty()
        if size > MOST_HELD:
            return Failure(FailureKind.OVERLOADED, f"sent {size // 2**20} MiB without saying anything")
    failure = reader.finish()
    if failure is None and _may_be_empty(held, notes):
        return Opened(response, chunks, reader, held)
    return before_commit(failure or empty())


def before_commit(failure: Failure) -> Failure:
    """What would be half an answer after the first content is, before it, no answer at all."""
    return replace(failure, kind=FailureKind.OVERLOADED) if failure.row.rotate is Rotate.TOO_LATE else failure


def empty() -> Failure:
    return Failure(FailureKind.OVERLOADED, "answered nothing", code=EMPTY)


def empty_again(failure: Failure, notes: Sequence[Note]) -> bool:
    """The second target in one call that has nothing to say is believed."""
    return failure.code == EMPTY and any(n.failure and n.failure.code == EMPTY for n in notes)


def _may_be_empty(held: Sequence[Event], notes: Sequence[Note]) -> bool:
    return empty_again(empty(), notes) or any(e.finish_reason in CUT_SHORT for e in held)
