"""What a model's id tells: the family it belongs to, and the kind of work it is for. Guesses, in one place."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Words of an id that say how a model was tuned or served, not which model it is
_TUNING = frozenset(
    {
        "instruct", "chat", "it", "turbo", "instant", "versatile", "preview", "latest", "exp", "experimental", "beta",
        "free", "online", "thinking", "base", "hf", "gguf", "fp8", "fp16", "bf16", "int8", "int4", "awq", "gptq",
        "tput", "reference", "distill", "distilled", "tee", "tuned",
    }
)  # fmt: skip
_SIZE = re.compile(r"(?:\d+x)?\d+(?:\.\d+)?[bmke]\Z|[ae]\d+(?:\.\d+)?b\Z|\d+e\Z|q\d\w*\Z")
_DATE = re.compile(r"0\d\Z|\d{4}\Z|\d{6}\Z|\d{8}\Z")
_VERSION = re.compile(r"[a-z]{0,12}\d+(?:\.\d+)*[a-z]?\Z")
_GLUED = re.compile(r"(llama|gemma|phi|granite)(\d)")  # Ollama writes llama3.2, everybody else llama-3.2
_LOOSE = re.compile(r"(qwen)-(\d)")  # and only OpenRouter qwen-2.5

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


def family(model: str) -> str:
    """The model's family: its name up to the version, without author, size, tuning and variant.

    `meta-llama/llama-3.3-70b-instruct:free` and `Llama-3.3-70B-Instruct-Turbo` are both `llama-3.3`.
    """
    name = model.lower().rstrip("/").rsplit("/", 1)[-1].split(":", 1)[0].split("@", 1)[0].removesuffix(".gguf")
    parts = [part for part in re.split(r"[-_\s]+", _LOOSE.sub(r"\1\2", _GLUED.sub(r"\1-\2", name))) if part]
    if parts[:2] == ["meta", "llama"]:
        parts = parts[1:]
    kept: list[str] = []
    for part in parts:
        if _SIZE.match(part) or (kept and _DATE.match(part)):
            break
        if part in _TUNING and kept:
            continue
        kept.append(part)
        if _VERSION.match(part):
            break
    return "-".join(kept) or name


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
