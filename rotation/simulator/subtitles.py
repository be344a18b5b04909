"""A transcript in the forms a client may ask for: text, srt, vtt, segments and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SEGMENT = 8  # words


@dataclass(frozen=True, slots=True)
class Spoken:
    text: str
    seconds: float
    task: str


def spoken(name: str, size: int, seconds: float, task: str) -> Spoken:
    """What is said in a file of this name, size (bytes) and length."""
    verb = "translation" if task == "translate" else "transcript"
    suffix = name.rpartition(".")[2].lower()
    text = f"This is the simulated {verb} of a {suffix} file of {size} bytes, about {round(seconds)} seconds long."
    return Spoken(text, seconds, task)


def verbose(said: Spoken) -> dict[str, Any]:
    """verbose_json, with segments and words both."""
    return {
        "task": said.task,
        "language": "english",
        "duration": said.seconds,
        "text": said.text,
        "segments": [_segment(place, *timed) for place, timed in enumerate(_timed(said, _SEGMENT))],
        "words": [
            {"word": word, "start": round(start, 2), "end": round(end, 2)} for word, start, end in _timed(said, 1)
        ],
    }


def plain(said: Spoken, form: str) -> str:
    """text, srt or vtt."""
    if form == "text":
        return said.text + "\n"
    comma = "," if form == "srt" else "."
    blocks = [
        f"{place}\n{_clock(start, comma)} --> {_clock(end, comma)}\n{text}"
        for place, (text, start, end) in enumerate(_timed(said, _SEGMENT), 1)
    ]
    if form == "vtt":
        blocks = ["WEBVTT", *(block.partition("\n")[2] for block in blocks)]
    return "\n\n".join(blocks) + "\n"


def _timed(said: Spoken, size: int) -> list[tuple[str, float, float]]:
    """Runs of `size` words with their start and end, evenly spread."""
    words = said.text.split()
    pace = said.seconds / len(words)
    starts = range(0, len(words), size)
    return [(" ".join(words[i : i + size]), i * pace, min(i + size, len(words)) * pace) for i in starts]


def _segment(place: int, text: str, start: float, end: float) -> dict[str, Any]:
    return {
        "id": place,
        "seek": 0,
        "start": round(start, 2),
        "end": round(end, 2),
        "text": f" {text}",
        "tokens": [50_364 + place],
        "temperature": 0.0,
        "avg_logprob": -0.2,
        "compression_ratio": 1.2,
        "no_speech_prob": 0.01,
    }


def _clock(seconds: float, comma: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}{comma}{milliseconds:03d}"
