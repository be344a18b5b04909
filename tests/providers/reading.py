"""Feeding a stream to its reader in any cut, and what came out of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat

import orjson

from rotation.core.failures import Failure
from rotation.providers import PROVIDERS
from rotation.providers.base import Event
from tests.providers.cases import NOW


def read(kind: str, data: bytes, sizes: int | Sequence[int] = ()) -> tuple[list[Event], Failure | None]:
    """All events of a stream, cut into pieces of the given sizes, and what the reader says at the end."""
    steps = repeat(sizes) if isinstance(sizes, int) else chain(sizes, repeat(len(data) or 1))
    reader, events, at = PROVIDERS[kind].stream(NOW), list[Event](), 0
    while at < len(data):
        step = next(steps)
        events += reader.feed(data[at : at + step])
        at += step
    return events, reader.finish()


def text_of(events: list[Event]) -> str:
    chunks = [orjson.loads(event.raw[6:]) for event in events if event.raw and not event.done]
    deltas = [choice.get("delta") or {} for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def chunk(delta: object, finish: object = None, **more: object) -> bytes:
    return b"data: %b\n\n" % orjson.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})
