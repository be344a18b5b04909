"""What a call comes to: a whole answer or a stream, with its headers. The doors turn it into bytes on a wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass

from rotation.core.failures import Failure
from rotation.gateway.call import Call
from rotation.gateway.entry import Note
from rotation.gateway.wishes import echo


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer in one piece."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Chunks:
    """A generator that has been started, first piece in hand: closing it runs its `finally`, read or not."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        self._first: bytes | None = first
        self._rest = rest

    @classmethod
    async def of(cls, pieces: AsyncGenerator[bytes, None]) -> Chunks:
        return cls(await anext(pieces), pieces)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await anext(self._rest)

    async def aclose(self) -> None:
        await self._rest.aclose()


@dataclass(frozen=True, slots=True)
class Streamed:
    """A committed stream: its first content has come. `chunks` must be closed by whoever reads it."""

    status: int
    headers: Mapping[str, str]
    chunks: Chunks


Reply = Whole | Streamed


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that did not answer; `until` is when its blamed scope is let in again, where that is known."""

    failure: Failure
    until: float | None


def headers_for(
    call: Call, note: Note, attempts: int, *, queue_ms: float, first_ms: float, successor: tuple[str, str] | None = None
) -> dict[str, str]:
    """The headers that say who answered and how. Built from ids and our own names only, never from a client's text."""
    target = note.target
    headers = {
        "x-request-id": call.id,
        "x-rotation-model": _plain(target.deployment.model),
        "x-rotation-provider": target.provider.name,
        "x-rotation-attempts": str(attempts),
        "server-timing": f"queue;dur={queue_ms:.1f}, first;dur={first_ms:.1f}",
    }
    if target.provider.simulated:
        headers["x-rotation-simulated"] = "1"
    headers |= echo(call.wishes.reference)
    if successor is not None:
        headers["x-rotation-successor"] = _plain(f"{successor[0]} -> {successor[1]}")
    if note.dropped:
        headers["x-rotation-dropped"] = _plain(", ".join(note.dropped))
    return headers


def _plain(text: str) -> str:
    """Model ids come from listings: only printable ASCII goes into a header."""
    return "".join(c if " " <= c < "\x7f" else "?" for c in text)
