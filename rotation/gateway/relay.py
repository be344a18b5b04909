"""Passes a committed stream on, event by event, and says the truth about its end.

After the commit nothing can rotate any more. A stream that breaks, stalls, holds an error or ends without
`finish_reason` and `[DONE]` ends with an error event and no `[DONE]`: no client takes half an answer for a whole one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from rotation.core.failures import Failure, FailureKind
from rotation.gateway.call import Call
from rotation.gateway.entry import OK, Entry, Note
from rotation.gateway.envelope import error_event
from rotation.gateway.gate import Gate
from rotation.gateway.leave import Permit
from rotation.gateway.upstream import STREAM_CAP, Response
from rotation.gateway.wires import WireError
from rotation.providers.base import Event, StreamReader, Usage

DONE = b"data: [DONE]\n\n"
LAST_WORDS = 0.05  # seconds to wait for a stream's end after [DONE], so that its connection can be kept

CODES = {
    FailureKind.STALLED: "upstream_stalled",
    FailureKind.INTERRUPTED: "upstream_incomplete",
    FailureKind.OVERLOADED: "upstream_disconnected",
    FailureKind.CANCELLED: "deadline_exceeded",
}


@dataclass(slots=True)
class Opened:
    """A stream whose first content has come; `held` are the events read so far, in order."""

    response: Response
    chunks: AsyncGenerator[bytes, None]
    reader: StreamReader
    held: list[Event]


@dataclass(slots=True)
class Progress:
    """What has been seen of the stream."""

    usage: Usage | None = None
    contents: int = 0
    sent: int = 0
    done: bool = False
    delivered: bool = False  # the client has taken everything up to [DONE]
    failure: Failure | None = field(default=None)

    def take(self, event: Event) -> None:
        self.usage = event.usage or self.usage
        self.contents += event.content
        self.done = self.done or event.done
        self.failure = self.failure or event.failure


async def relay(
    gate: Gate, call: Call, permit: Permit, entry: Entry, note: Note, opened: Opened
) -> AsyncGenerator[bytes, None]:
    """The stream's bytes for the client. Closing it early (the client hung up) closes the upstream connection."""
    seen = Progress()
    try:
        async for piece in _pass_on(gate, call, permit, opened, seen):
            yield piece
        failure = seen.failure or (None if seen.done else opened.reader.finish())
        if failure is not None:
            words = failure.message if failure.kind is FailureKind.CANCELLED else failure.row.words
            yield error_event(f"The stream broke off: {words}.", CODES.get(failure.kind, failure.kind.value))
            _end(gate, permit, entry, note, seen, _after_commit(failure))
            return
        _end(gate, permit, entry, note, seen, None)
        if not seen.done:
            yield DONE
    finally:
        if not entry.closed and seen.delivered and seen.failure is None:
            _end(gate, permit, entry, note, seen, None)  # it went at [DONE], before the connection was quite done with
        if not entry.closed:  # closed from outside: the client is gone, and nobody is to blame
            usage = _usage(call, seen)
            gate.health.release(permit, sent=True, usage=usage)
            entry.end(note, FailureKind.CANCELLED, usage=usage)
            entry.close("cancelled", 499)
        await opened.response.close()


async def _pass_on(
    gate: Gate, call: Call, permit: Permit, opened: Opened, seen: Progress
) -> AsyncGenerator[bytes, None]:
    """Everything up to the end or the first trouble, which is left in `seen`."""
    deployment, policy = permit.target.deployment, permit.policy
    gap = policy.gap_reasoning if deployment.reasoning else policy.gap
    events = opened.held
    while True:
        piece = b"".join(e.raw for e in _whole(events, seen) if not e.usage_only or call.wants_usage)
        seen.sent += len(piece)
        if piece:
            yield piece
        if seen.done or seen.failure:
            seen.delivered = seen.done
            await _last_words(opened)
            return
        if seen.sent > STREAM_CAP:
            seen.failure = Failure(FailureKind.INTERRUPTED, "the stream grew beyond its bounds")
            return
        left = call.deadline - gate.now()
        try:
            events = await _more(gate, opened, min(gap, left))
        except TimeoutError:
            stalled = Failure(FailureKind.STALLED, f"nothing came for {gap:.0f} s")
            seen.failure = deadline_passed() if left < gap else stalled
        except WireError as error:
            seen.failure = Failure(FailureKind.OVERLOADED, error.failure.message)
        except StopAsyncIteration:
            events = opened.reader.feed(b"\n\n")  # the last event may lack its blank line
            if not events:
                return
        if seen.failure:
            return


def _whole(events: list[Event], seen: Progress) -> list[Event]:
    """The events to pass on: all up to the end or the first failure."""
    found: list[Event] = []
    for event in events:
        seen.take(event)
        if event.failure is not None:
            break
        found.append(event)
        if event.done:
            break
    return found


async def _more(gate: Gate, opened: Opened, patience: float) -> list[Event]:
    """The next events that mean something; comments do not count against a stall."""
    async with gate.clock.timeout(patience):
        while True:
            events = opened.reader.feed(await anext(opened.chunks))
            if any(e.raw or e.usage or e.done or e.failure for e in events):
                return events


async def _last_words(opened: Opened) -> None:
    """Read to the end of the body, if it is there: only then can the connection serve again."""
    try:
        async with asyncio.timeout(LAST_WORDS):
            async for _ in opened.chunks:
                pass
    except (TimeoutError, WireError):
        return


def deadline_passed() -> Failure:
    """The caller's own time ran out while the target still had some: nobody is to blame, and nobody is benched."""
    return Failure(FailureKind.CANCELLED, "the call's deadline passed")


def _after_commit(failure: Failure) -> Failure:
    """For the deployment's health a stream that broke off is one thing, whatever its words."""
    kept = (FailureKind.STALLED, FailureKind.CANCELLED)
    kind = failure.kind if failure.kind in kept else FailureKind.INTERRUPTED
    return Failure(kind, failure.message or failure.row.words, failure.status)


def _end(gate: Gate, permit: Permit, entry: Entry, note: Note, seen: Progress, failure: Failure | None) -> None:
    usage = _usage(entry.call, seen)
    if failure is None:
        assert note.first is not None
        gate.health.answered(permit, first=note.first - note.started, usage=usage)
        entry.end(note, OK, usage=usage)
        entry.close("answered", 200)
        return
    gate.failed(permit, failure)
    entry.end(note, failure.kind, failure=failure, usage=usage)
    entry.close("interrupted", 200, failure=failure, error=failure.message)


def _usage(call: Call, seen: Progress) -> Usage:
    """As the provider counted; else a token per content event and a quarter of the prompt's bytes."""
    return seen.usage or Usage(call.needs.prompt_tokens, seen.contents, estimated=True)
