"""Forms with audio as clients send them, and gateways that know a few models for it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from rotation.core.targets import Placement, Pool
from rotation.gateway.snapshot import Snapshot
from tests.cast import Offer, snapshot_of

BOUNDARY = "simple-boundary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
SPEECH = b"\x00\x01 not really speech \r\n" * 4000
HEARS: dict[str, Any] = {"type": "transcription"}
OFFERS = (
    Offer("groq", "whisper-large-v3-turbo", features=HEARS),
    Offer("groq", "whisper-large-v3", features=HEARS),
    Offer("openai", "whisper-1", features=HEARS),
    Offer("together", "openai/whisper-large-v3", features=HEARS),
    Offer("generic", "whisper-base", features={**HEARS, "price_in": 0.0, "price_out": 0.0}),
)


def form(content: bytes = SPEECH, name: str = "speech.mp3", kind: str = "audio/mpeg", **fields: str) -> bytes:
    """A whole form; the file comes last, as the SDK sends it."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n')
    head = "".join(parts) + f"Content-Type: {kind}\r\n\r\n"
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


async def cut(data: bytes, *at: int) -> AsyncIterator[bytes]:
    """The data in pieces, cut at these places."""
    places = [0, *sorted(a for a in at if a < len(data)), len(data)]
    for start, end in itertools.pairwise(places):
        yield data[start:end]


def listening(url: str, offers: Iterable[Offer] = OFFERS, *, pool: str = "transcription", **more: Any) -> Snapshot:
    """A configuration whose pool takes turns, Groq's models pinned before the others."""
    snapshot = snapshot_of(url, offers, pool=pool, **more)
    groq = {d.id for d in snapshot.deployments.values() if snapshot.providers[d.provider].kind == "groq"}
    placements = tuple(Placement(i, i, pinned=i in groq) for i in snapshot.deployments)
    turns = Pool(9, pool, placements, "round_robin")
    object.__setattr__(snapshot, "pools", {**snapshot.pools, pool: turns})  # it is frozen for everybody else
    return snapshot


def kept_files() -> list[str]:
    """Uploads that can be seen in the file system, or are still open though they have no name."""
    folder = Path(settings.ROTATION_HOME) / "uploads"
    seen = [path.name for path in folder.iterdir()] if folder.exists() else []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # one of them was the listing's own
            seen += [path] if (path := str(descriptor.readlink())).startswith(str(folder)) else []
    return seen
