"""A picture of two colours as a PNG, made byte by byte: nothing is fetched, and every trial sees another."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping

SIDE = 64  # pixels; some models refuse pictures smaller than 28
COLOURS: Mapping[str, tuple[int, int, int]] = {
    "red": (220, 20, 20),
    "green": (20, 150, 40),
    "blue": (20, 40, 220),
    "yellow": (250, 225, 20),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}


def data_url(left: str, right: str) -> str:
    """As chat messages carry a picture."""
    return "data:image/png;base64," + base64.b64encode(png(COLOURS[left], COLOURS[right])).decode()


def png(left: tuple[int, int, int], right: tuple[int, int, int]) -> bytes:
    """Eight bits a channel, no alpha, no filter (PNG specification, ISO/IEC 15948)."""
    row = b"\0" + bytes(left) * (SIDE // 2) + bytes(right) * (SIDE // 2)
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * SIDE)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
