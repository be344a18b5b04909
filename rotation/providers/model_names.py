"""What a model's id tells: the family it belongs to, and the kind of work it is for. Guesses, in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rotation.core.anatomy import family

__all__ = ["OTHER_WORK", "family", "type_of", "work_of"]

# pattern in the id -> type, the first that matches
_TYPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), type_)
    for pattern, type_ in (
        (r"rerank", "rerank"),
        (r"embed|(?:^|[/-])(?:bge|e5|gte|m2-bert)-", "embedding"),
        (r"realtime|:batch\Z", "other"),
        (r"whisper|transcri|parakeet|(?:^|[/-])asr", "transcription"),
        (r"(?:^|[/_-])tts|playai|orpheus|kokoro|sonic-\d", "speech"),
        (r"moderation|guard", "moderation"),
        (r"dall-e|gpt-image|chatgpt-image|imagen|flux|stable-diffusion|sdxl|seedream", "image"),
        (r"(?:^|/)(?:sora|veo|kling|lyria)-", "other"),
    )
)

OTHER_WORK = ("transcription", "embedding")  # than chat, that is sent to a provider


def type_of(model: str, outputs: Iterable[str] = ()) -> str:
    """chat, embedding, transcription, image, moderation, rerank, speech or other; what it puts out counts first."""
    given = set(outputs)
    for output, type_ in (("transcription", "transcription"), ("speech", "speech"), ("embeddings", "embedding")):
        if output in given:
            return type_
    name = model.lower()
    for pattern, type_ in _TYPES:
        if pattern.search(name):
            return type_
    if given and "text" not in given:
        return "image" if "image" in given else "other"
    return "chat"


def work_of(model: str, tags: Iterable[str] = ()) -> str:
    """transcription, embedding or chat: what a deployment is for, by its tags, else by its id."""
    for work in OTHER_WORK:
        if work in tags:
            return work
    guess = type_of(model)
    return guess if guess in OTHER_WORK else "chat"
