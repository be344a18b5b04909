"""Which limits a simulated account has: the public tables of each provider's plans, autumn 2025."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.simulator.catalogue import Model
from rotation.simulator.limits import DAY, Cap

MINUTE = 60.0
HOUR = 3_600.0

# plan names per kind; the first is what an account has when nobody says otherwise
PLANS: Mapping[str, tuple[str, ...]] = {
    "openrouter": ("credit", "free", "none"),
    "groq": ("free", "developer", "none"),
    "openai": ("tier1", "free", "tier2", "tier5", "none"),
    "together": ("base", "tier1", "none"),
    "generic": ("none",),
}

# model: (RPM, RPD, TPM, TPD), None = not limited
_GROQ_FREE: Mapping[str, tuple[int, int, int | None, int | None]] = {
    "llama-3.1-8b-instant": (30, 14_400, 6_000, 500_000),
    "llama-3.3-70b-versatile": (30, 1_000, 12_000, 100_000),
    "meta-llama/llama-4-scout-17b-16e-instruct": (30, 1_000, 30_000, 500_000),
    "meta-llama/llama-4-maverick-17b-128e-instruct": (30, 1_000, 6_000, 500_000),
    "openai/gpt-oss-120b": (30, 1_000, 8_000, 200_000),
    "openai/gpt-oss-20b": (30, 1_000, 8_000, 200_000),
    "qwen/qwen3-32b": (60, 1_000, 6_000, 500_000),
    "moonshotai/kimi-k2-instruct-0905": (60, 1_000, 10_000, 300_000),
    "groq/compound": (30, 250, 70_000, None),
    "groq/compound-mini": (30, 250, 70_000, None),
    "allam-2-7b": (30, 7_000, 6_000, 500_000),
    "meta-llama/llama-guard-4-12b": (30, 14_400, 15_000, 500_000),
    "meta-llama/llama-prompt-guard-2-22m": (30, 14_400, 15_000, 500_000),
    "meta-llama/llama-prompt-guard-2-86m": (30, 14_400, 15_000, 500_000),
    "playai-tts": (10, 100, 1_200, 3_600),
    "whisper-large-v3": (20, 2_000, None, None),
    "whisper-large-v3-turbo": (20, 2_000, None, None),
}
_GROQ_LARGE = {"llama-3.3-70b-versatile", "qwen/qwen3-32b"}  # and both Llama 4

# plan: {model: (RPM, RPD, TPM)}; "" for all others
_OPENAI: Mapping[str, Mapping[str, tuple[int, int | None, int]]] = {
    "free": {"": (3, 200, 40_000)},
    "tier1": {"gpt-4o": (500, None, 30_000), "gpt-4o-mini": (500, 10_000, 200_000), "": (500, None, 200_000)},
    "tier2": {"gpt-4o": (5_000, None, 450_000), "": (5_000, None, 2_000_000)},
    "tier5": {"gpt-4o": (10_000, None, 30_000_000), "": (30_000, None, 150_000_000)},
}


def caps(kind: str, plan: str, model: Model) -> tuple[Cap, ...]:
    """The limits of one (account on `plan`, model). Empty = unlimited."""
    if plan == "none":
        return ()
    match kind:
        case "openrouter":
            return _openrouter(plan) if model.free else ()
        case "groq":
            return _groq(plan, model)
        case "openai":
            table = _OPENAI[plan]
            return _minutes(*table.get(model.id, table[""]))
        case "together":
            per_second = 10 if plan == "tier1" else 1
            return (Cap("RPS", "requests", per_second, 1.0), Cap("TPS", "tokens", 1_000 * per_second, 1.0, debt=True))
    return ()


def _openrouter(plan: str) -> tuple[Cap, ...]:
    day = 50 if plan == "free" else 1_000
    return (
        Cap("free-models-per-min", "requests", 20, MINUTE, fixed=True, account=True),
        Cap("free-models-per-day", "requests", day, DAY, fixed=True, account=True),
    )


def _minutes(rpm: int, rpd: int | None, tpm: int) -> tuple[Cap, ...]:
    daily = (Cap("RPD", "requests", rpd, DAY),) if rpd else ()
    return (Cap("RPM", "requests", rpm, MINUTE), *daily, Cap("TPM", "tokens", tpm, MINUTE))


def _groq(plan: str, model: Model) -> tuple[Cap, ...]:
    audio: tuple[Cap, ...] = ()
    if plan == "developer":
        rpm, rpd, tpd = (300, 200_000, None) if model.type == "transcription" else (1_000, 500_000, None)
        tpm = (
            None
            if model.type == "transcription"
            else (300_000 if model.id in _GROQ_LARGE or "llama-4" in model.id else 250_000)
        )
        if model.type == "transcription":
            audio = (Cap("ASPH", "audio", 200_000, HOUR), Cap("ASPD", "audio", 4_000_000, DAY))
    else:
        rpm, rpd, tpm, tpd = _GROQ_FREE.get(model.id, (30, 1_000, 6_000, 200_000))
        if model.type == "transcription":
            audio = (Cap("ASPH", "audio", 7_200, HOUR), Cap("ASPD", "audio", 28_800, DAY))
    tokens = ([Cap("TPM", "tokens", tpm, MINUTE)] if tpm else []) + ([Cap("TPD", "tokens", tpd, DAY)] if tpd else [])
    return (Cap("RPM", "requests", rpm, MINUTE), Cap("RPD", "requests", rpd, DAY), *tokens, *audio)
