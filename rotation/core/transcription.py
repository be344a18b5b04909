"""Who turns audio into text next, and who cannot: formats, translation, sizes, turns.

Pinned deployments keep their place, which is how one is preferred; all others take turns, the provider with the
fewest calls today first, so that usage stays even whoever was away for a while. What each provider can do is from its
documentation of autumn 2025; what is not in the tables gets the benefit of the doubt until it refuses. Health and
quotas are not asked here: selection puts this order through them like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rotation.core.targets import Deployment, Target

POOL = "transcription"
ALIASES = frozenset({"auto", "whisper-1"})  # names of the pool, where no deployment of that name has a key
MIB = 1024 * 1024
USUAL_MOST = 25 * MIB  # bytes of a whole upload; OpenAI and Groq measured, others not known to take more
ALL = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
TRANSLATION = "translation"

# by kind of provider: formats of every model; what its models translate, None for all
_FORMATS: Mapping[str, frozenset[str]] = {
    "openai": frozenset({"json", "text", "srt", "verbose_json", "vtt"}),
    "groq": frozenset({"json", "text", "verbose_json"}),
    "together": frozenset({"json", "verbose_json"}),
    "openrouter": frozenset({"json", "verbose_json"}),
}
_TRANSLATORS: Mapping[str, frozenset[str]] = {
    "openai": frozenset({"whisper-1"}),
    "groq": frozenset({"whisper-large-v3"}),
    "openrouter": frozenset(),
}
_DIARIZES = "diarize"  # OpenAI's models that tell speakers apart say so in their name


@dataclass(frozen=True, slots=True)
class Audio:
    """What a call asks. `size`: bytes of the upload; `seconds` its length, `measured` when the file itself tells it."""

    size: int
    seconds: float
    format: str = "json"
    translate: bool = False
    measured: bool = False


def unfit(target: Target, audio: Audio, most: float) -> str | None:
    """Why this target cannot take the audio, in words; None when it can, as far as is known. `most` is in bytes."""
    deployment = target.deployment
    if audio.translate and not translates(target.provider.kind, deployment.model, deployment.lacks):
        return "this model does not translate"
    if audio.format not in formats(target.provider.kind, deployment.model) or audio.format in deployment.lacks:
        return f"this model does not answer as {audio.format}"
    if audio.size > most:
        return f"this key takes uploads of up to {most:,.0f} bytes, this one has {audio.size:,}"
    return None


def formats(kind: str, model: str) -> frozenset[str]:
    """The response formats a model has, as far as is known."""
    name = model.lower()
    if kind == "openai" and not name.startswith("whisper"):
        return frozenset({"json", "text", "diarized_json"} if _DIARIZES in name else {"json"})
    return _FORMATS.get(kind, frozenset(ALL))


def translates(kind: str, model: str, lacks: Collection[str]) -> bool:
    """Whether a model turns speech into English, as far as is known."""
    known = _TRANSLATORS.get(kind)
    return TRANSLATION not in lacks and (known is None or model in known)


def in_turn(order: Sequence[Deployment], pinned: Iterable[int], used: Mapping[int, int]) -> list[int]:
    """Deployment ids in the order of trying. `used` is how many calls each provider was sent today.

    The `pinned` keep their places (the starter data pins the preferred ones to the first), the others take turns.
    """
    fixed = frozenset(pinned)
    loose = [d for d in order if d.id not in fixed]
    loose.sort(key=lambda d: used.get(d.provider, 0))  # stable: of equals the pool's order decides
    turns = iter(loose)
    return [d.id if d.id in fixed else next(turns).id for d in order]


def learned_most(size: int, told: float | None) -> float:
    """What a provider takes, once it has refused `size` bytes as too many; `told` is the limit it named, if any."""
    return told if told is not None and 0 < told < size else float(size - 1)
