"""How long audio is, as far as its first bytes tell."""

from __future__ import annotations

import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.audio_length import length_of


def wav(seconds: float, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(int(seconds * rate) * channels * width))
    return out.getvalue()


def flac(seconds: float, rate: int = 44_100) -> bytes:
    """A head of the right shape: 4 bytes of mark, 4 of block header, 10 of block and frame sizes, then the numbers."""
    bits = rate << 44 | 1 << 41 | 15 << 36 | int(seconds * rate)
    return b"fLaC\x00\x00\x00\x22" + bytes(10) + bits.to_bytes(8, "big") + bytes(16)


@pytest.mark.parametrize(("rate", "channels", "width"), [(16_000, 1, 2), (44_100, 2, 2), (8_000, 1, 1)])
def test_a_wav_file_tells_its_length(rate, channels, width):
    data = wav(12.5, rate, channels, width)
    seconds, measured = length_of(data[:4096], len(data), "a.wav")
    assert (seconds, measured) == (pytest.approx(12.5, rel=1e-3), True)


def test_a_wav_file_may_hold_other_chunks_before_its_sound():
    data = wav(3.0)
    odd = data[:36] + b"LIST\x05\x00\x00\x00abcde\x00" + data[36:]
    assert length_of(odd[:4096], len(odd), "a.wav") == (pytest.approx(3.0), True)


def test_a_flac_file_tells_its_length_whatever_it_is_called():
    assert length_of(flac(90.0), 1_000_000, "speech.bin") == (pytest.approx(90.0), True)


def test_anything_else_is_estimated_by_its_size():
    assert length_of(b"ID3\x04", 160_000, "a.mp3") == (10.0, False)
    assert length_of(b"OggS", 40_000, "a.ogg") == (10.0, False)
    assert length_of(b"fLaC", 50_000, "cut.flac") == (1.0, False)
    assert length_of(b"RIFF\x00\x00\x00\x00WAVE", 32_000, "cut.wav") == (1.0, False)


@given(st.sampled_from([b"", wav(0.01)[:44], flac(1.0)[:26]]), st.binary(max_size=100), st.integers(0, 10**9))
def test_no_head_however_broken_gives_an_impossible_length(start, rest, size):
    seconds, _ = length_of(start + rest, size, "x")
    assert 0 <= seconds < 1e6 or seconds == size / 16_000.0
