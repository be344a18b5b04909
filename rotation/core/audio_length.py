"""How long audio is, from the first bytes of its file: exact for WAV and FLAC, by the usual bit rate for all else.

It decodes nothing. A quota of audio seconds is reserved by this and settled by what the provider says afterwards.
"""

from __future__ import annotations

ENOUGH = 4096  # bytes from the start that are looked at
USUAL = 16_000.0  # bytes per second: 128 kbit/s
# bytes per second by extension, where speech is usually something else: WAV 16 kHz mono, Opus at 32 kbit/s
RATES = {"wav": 32_000.0, "flac": 50_000.0, "ogg": 4_000.0, "opus": 4_000.0, "webm": 4_000.0}
LONGEST = 1e6  # seconds; a header that says more is wrong


def length_of(head: bytes, size: int, name: str) -> tuple[float, bool]:
    """(seconds, whether the file itself tells it) of a file of `size` bytes that begins with `head`."""
    for measure in (_wav, _flac):
        seconds = measure(head, size)
        if seconds is not None and 0 < seconds < LONGEST:
            return seconds, True
    return size / RATES.get(name.rpartition(".")[2].lower(), USUAL), False


def _wav(head: bytes, size: int) -> float | None:
    """RIFF: bytes per second stand in the chunk `fmt `, the sound follows the head of the chunk `data`."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, rate = 12, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt " and at + 20 <= len(head):
            rate = int.from_bytes(head[at + 16 : at + 20], "little")
        if name == b"data":
            return (size - at - 8) / rate if rate else None
        at += 8 + length + length % 2
    return size / rate if rate else None


def _flac(head: bytes, size: int) -> float | None:
    """STREAMINFO is always first: 20 bits of samples per second, 3 and 5 of shape, 36 of samples in all."""
    if head[:4] != b"fLaC" or len(head) < 26:
        return None
    bits = int.from_bytes(head[18:26], "big")
    rate, samples = bits >> 44, bits & (1 << 36) - 1
    return samples / rate if rate and samples else None
