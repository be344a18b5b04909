"""Groq's models: very quick, each with its own limits (`plans.py`)."""

from __future__ import annotations

from rotation.simulator.catalogue import Model


def _llama4(model_id: str, name: str, price_in: float, price_out: float, seconds: float) -> Model:
    return Model(
        model_id,
        name,
        "Meta",
        max_output=8_192,
        price_in=price_in,
        price_out=price_out,
        seconds=seconds,
        images=True,
        created=1_743_874_824,
    )


def _oss(model_id: str, name: str, price_in: float, price_out: float, seconds: float) -> Model:
    return Model(
        model_id,
        name,
        "OpenAI",
        max_output=65_536,
        price_in=price_in,
        price_out=price_out,
        seconds=seconds,
        reasoning=True,
        parallel=False,
        created=1_754_408_224,
    )


def _guard(model_id: str, name: str, context: int, max_output: int) -> Model:
    return Model(
        model_id,
        name,
        "Meta",
        type="moderation",
        context=context,
        max_output=max_output,
        seconds=0.2,
        tools=False,
        json_schema=False,
    )


def _whisper(model_id: str, seconds: float) -> Model:
    return Model(
        model_id,
        "Whisper",
        "OpenAI",
        type="transcription",
        context=448,
        max_output=448,
        seconds=seconds,
        tools=False,
        json_schema=False,
    )


MODELS: tuple[Model, ...] = (
    Model(
        "llama-3.1-8b-instant",
        "Llama 3.1 8B",
        "Meta",
        max_output=131_072,
        price_in=0.05,
        price_out=0.08,
        seconds=0.3,
    ),
    Model(
        "llama-3.3-70b-versatile",
        "Llama 3.3 70B",
        "Meta",
        max_output=32_768,
        price_in=0.59,
        price_out=0.79,
        seconds=0.55,
    ),
    _llama4("meta-llama/llama-4-scout-17b-16e-instruct", "Llama 4 Scout", 0.11, 0.34, 0.45),
    _llama4("meta-llama/llama-4-maverick-17b-128e-instruct", "Llama 4 Maverick", 0.20, 0.60, 0.5),
    _oss("openai/gpt-oss-20b", "GPT OSS 20B", 0.10, 0.50, 0.4),
    _oss("openai/gpt-oss-120b", "GPT OSS 120B", 0.15, 0.75, 0.5),
    Model(
        "qwen/qwen3-32b",
        "Qwen3 32B",
        "Alibaba Cloud",
        max_output=40_960,
        price_in=0.29,
        price_out=0.59,
        seconds=0.5,
        reasoning=True,
        json_schema=False,
    ),
    Model(
        "moonshotai/kimi-k2-instruct-0905",
        "Kimi K2",
        "Moonshot AI",
        context=262_144,
        max_output=16_384,
        price_in=1.0,
        price_out=3.0,
        seconds=0.6,
    ),
    Model("groq/compound", "Compound", "Groq", max_output=8_192, seconds=1.6, tools=False, json_schema=False),
    Model("groq/compound-mini", "Compound Mini", "Groq", max_output=8_192, seconds=1.1, tools=False, json_schema=False),
    Model(
        "allam-2-7b",
        "Allam 2 7B",
        "SDAIA",
        context=4_096,
        max_output=4_096,
        seconds=0.3,
        tools=False,
        json_schema=False,
    ),
    _guard("meta-llama/llama-guard-4-12b", "Llama Guard 4 12B", 131_072, 1_024),
    _guard("meta-llama/llama-prompt-guard-2-22m", "Prompt Guard 2 22M", 512, 512),
    _guard("meta-llama/llama-prompt-guard-2-86m", "Prompt Guard 2 86M", 512, 512),
    Model(
        "playai-tts",
        "PlayAI TTS",
        "PlayAI",
        type="speech",
        context=8_192,
        max_output=8_192,
        seconds=0.8,
        tools=False,
    ),
    _whisper("whisper-large-v3", 0.5),
    _whisper("whisper-large-v3-turbo", 0.35),
)


def models(_seed: int) -> list[Model]:
    return list(MODELS)
