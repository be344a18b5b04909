"""What is known of limits before a provider has told any: its published tables, per kind and plan, autumn 2025.

A start and no more: what the provider itself tells is better. Where a plan is not named nothing is assumed that would
hold back a paying account; only OpenRouter's free models have their twenty a minute on every plan. Also here: what
each kind counts against a token limit before an answer is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from rotation.providers.base import Limit
from rotation.providers.limits import DAY, HOUR, MINUTE, SECOND

SOURCE = "plan"

#: Groq's free plan: requests a minute and a day, tokens a minute and a day; None where there is no limit.
_GROQ_FREE: Mapping[str, tuple[int, int, int | None, int | None]] = {
    "llama-3.1-8b-instant": (30, 14_400, 6_000, 500_000),
    "llama-3.3-70b-versatile": (30, 1_000, 12_000, 100_000),
    "meta-llama/llama-4-scout-17b-16e-instruct": (30, 1_000, 30_000, 500_000),
    "meta-llama/llama-4-maverick-17b-128e-instruct": (30, 1_000, 6_000, 500_000),
    "openai/gpt-oss-120b": (30, 1_000, 8_000, 200_000),
    "openai/gpt-oss-20b": (30, 1_000, 8_000, 200_000),
    "qwen/qwen3-32b": (60, 1_000, 6_000, 500_000),
    "moonshotai/kimi-k2-instruct": (60, 1_000, 10_000, 300_000),
    "moonshotai/kimi-k2-instruct-0905": (60, 1_000, 10_000, 300_000),
    "groq/compound": (30, 250, 70_000, None),
    "groq/compound-mini": (30, 250, 70_000, None),
    "allam-2-7b": (30, 7_000, 6_000, 500_000),
    "meta-llama/llama-guard-4-12b": (30, 14_400, 15_000, 500_000),
    "meta-llama/llama-prompt-guard-2-22m": (30, 14_400, 15_000, 500_000),
    "meta-llama/llama-prompt-guard-2-86m": (30, 14_400, 15_000, 500_000),
    "whisper-large-v3": (20, 2_000, None, None),
    "whisper-large-v3-turbo": (20, 2_000, None, None),
}
_AUDIO_AN_HOUR, _AUDIO_A_DAY = 7_200, 28_800  # seconds, Groq's free plan
_FREE_A_MINUTE, _FREE_A_DAY, _FREE_A_DAY_BOUGHT = 20, 50, 1_000  # OpenRouter, over all free models of an account
_BOUGHT = frozenset({"credit", "credits", "paid", "bought", "balance"})

#: Kinds that count an output nobody gave a maximum for before it is there, and as how many tokens.
_ASSUMED: Mapping[str, int] = {"groq": 1_024, "openai": 1_024}
#: Kinds that count an output when it is done.
_AFTERWARDS = frozenset({"together"})


def known(kind: str, plan: str, model: str, free: bool) -> tuple[Limit, ...]:
    """The limits of an account on `plan` for one model, as far as they are published; `free` as OpenRouter means it."""
    words = frozenset(plan.lower().replace("-", " ").replace("_", " ").split())
    match kind:
        case "openrouter":
            return _openrouter(words) if free else ()
        case "groq" if "free" in words:
            return _groq(model)
        case "together" if words & {"free", "base"} or {"tier", "0"} <= words:
            return (_plan("requests", 1, SECOND),)  # told as sixty a minute, counted as one a second
    return ()


def output_counted(kind: str, asked: int | None, usual: float, most: int | None) -> int:
    """Tokens to set aside for an answer.

    `asked` is the request's maximum (None: none given), `usual` what such answers come to, `most` what the model can.
    """
    if kind in _AFTERWARDS:
        return 0
    expected = max(usual, _ASSUMED.get(kind, 0)) if asked is None else asked
    return int(min(expected, most) if most else expected)


def _plan(axis: str, limit: float, window: float) -> Limit:
    return Limit(axis, limit, window, source=SOURCE)


def _openrouter(words: frozenset[str]) -> tuple[Limit, ...]:
    a_day = _FREE_A_DAY_BOUGHT if words & _BOUGHT else _FREE_A_DAY if "free" in words else None
    counts = ((_FREE_A_MINUTE, MINUTE), (a_day, DAY))
    return tuple(
        Limit("requests", count, window, per_account=True, free_only=True, source=SOURCE)
        for count, window in counts
        if count
    )


def _groq(model: str) -> tuple[Limit, ...]:
    if model not in _GROQ_FREE:
        return ()
    rpm, rpd, tpm, tpd = _GROQ_FREE[model]
    rows = [("requests", rpm, MINUTE), ("requests", rpd, DAY), ("tokens", tpm, MINUTE), ("tokens", tpd, DAY)]
    if model.startswith("whisper"):
        rows += [("audio_seconds", _AUDIO_AN_HOUR, HOUR), ("audio_seconds", _AUDIO_A_DAY, DAY)]
    return tuple(_plan(axis, limit, window) for axis, limit, window in rows if limit)
