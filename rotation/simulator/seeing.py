"""What a simulated model sees in a picture: the colours along its middle, from left to right.

Reads plain PNGs in a data URL (eight bits a channel, RGB or RGBA, unfiltered rows); of anything else it sees only that
it is a picture.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator, Mapping

_LARGEST = 4_000_000  # bytes once unpacked
_NAMES: Mapping[str, tuple[int, int, int]] = {
    "red": (220, 20, 20),
    "green": (20, 150, 40),
    "blue": (20, 40, 220),
    "yellow": (250, 225, 20),
    "orange": (250, 140, 20),
    "purple": (130, 30, 160),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
}
_CHANNELS = {2: 3, 6: 4}


def colours(url: str) -> tuple[str, ...]:
    """Their names, each once per stretch; () for what cannot be read."""
    head, _, packed = url.partition(",")
    if not head.startswith("data:image/png;base64"):
        return ()
    try:
        row, channels = _middle(base64.b64decode(packed, validate=True))
    except (binascii.Error, struct.error, zlib.error, ValueError, KeyError, IndexError):
        return ()
    seen: list[str] = []
    for place in range(0, len(row) - channels + 1, channels):
        name = _nearest(row[place], row[place + 1], row[place + 2])
        if not seen or seen[-1] != name:
            seen.append(name)
    return tuple(seen[:8])


def _middle(png: bytes) -> tuple[bytes, int]:
    """The middle row of pixels, and how many bytes each has."""
    chunks = dict(_chunks(png))
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    stride = width * _CHANNELS[colour] + 1
    if depth != 8 or not 0 < stride * height <= _LARGEST:
        raise ValueError("not a picture for these eyes")
    raw = zlib.decompressobj().decompress(chunks[b"IDAT"], _LARGEST)
    start = stride * (height // 2)
    if raw[start] != 0:
        raise ValueError("a filtered row")
    return raw[start + 1 : start + stride], _CHANNELS[colour]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 8 <= len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12


def _nearest(red: int, green: int, blue: int) -> str:
    return min(
        _NAMES, key=lambda name: sum((a - b) ** 2 for a, b in zip(_NAMES[name], (red, green, blue), strict=True))
    )
