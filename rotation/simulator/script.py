"""What one answer will be on the wire, as a value: status, bytes, pauses, ending. `play` performs it.

All times are simulated seconds. A script decides nothing while it plays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rotation.simulator.clock import Clock
from rotation.simulator.ledger import Entry
from rotation.simulator.wire import Line


class Ending(StrEnum):
    END = "end"  # as HTTP wants it
    CLOSE = "close"  # FIN before the body is complete
    RESET = "reset"  # RST
    HANG = "hang"  # silence until the client leaves


@dataclass(frozen=True, slots=True)
class Script:
    """`wait` passes before the status line, `first` between it and the first step, `gap` before each further step.

    While `first` and `gap` pass, `filler` is written every `filler_every` seconds (comments, white-space padding).
    `length` is the Content-Length announced, None for chunked. `status` 0 sends no status line: steps go out raw.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    steps: tuple[bytes, ...] = ()
    wait: float = 0.0
    first: float = 0.0
    gap: float = 0.0
    length: int | None = None
    ending: Ending = Ending.END
    stream: bool = False
    filler: bytes = b""
    filler_every: float = 0.0
    lead: bytes = b""  # written right after the status line, before any waiting


def whole(status: int, headers: tuple[tuple[str, str], ...], body: bytes, *, wait: float = 0.0) -> Script:
    """A plain answer with its length announced."""
    return Script(status=status, headers=headers, steps=(body,), wait=wait, length=len(body))


async def play(script: Script, line: Line, clock: Clock, entry: Entry) -> None:
    """Raises ClientGone when the client leaves before the end."""
    if script.wait:
        await line.pause(clock.wall(script.wait))
    if script.status:
        entry.status = script.status
        await line.start(script.status, script.headers, script.length)
        if script.lead:
            await line.push(script.lead)
    last = len(script.steps) - 1 if script.ending is Ending.END else -1
    for number, step in enumerate(script.steps):
        await _fill(script, script.gap if number else script.first, line, clock)
        if script.status:
            await line.push(step, more=number != last)
        else:
            await line.write_raw(step)
        if entry.first_ms is None:
            entry.first_ms = entry.since()
        entry.events = number + 1
    await _finish(script, line, clock)


async def _fill(script: Script, seconds: float, line: Line, clock: Clock) -> None:
    if script.filler and script.filler_every > 0:
        while seconds > script.filler_every:
            await line.pause(clock.wall(script.filler_every))
            await line.push(script.filler)
            seconds -= script.filler_every
    if seconds > 0:
        await line.pause(clock.wall(seconds))


async def _finish(script: Script, line: Line, clock: Clock) -> None:
    match script.ending:
        case Ending.END:
            if not script.steps:
                await line.push(b"", more=False)
        case Ending.HANG:
            await line.hang()
        case Ending.CLOSE | Ending.RESET:
            await line.cut(reset=script.ending is Ending.RESET)
