"""A server at home with a few small models: what an operator of a generic endpoint would have."""

from __future__ import annotations

from rotation.simulator.catalogue import Model

MODELS: tuple[Model, ...] = (
    Model("llama3.2:latest", "Llama 3.2 3B", "llamacpp", context=8_192, seconds=0.5, created=1_757_000_000),
    Model("qwen2.5-coder:7b", "Qwen2.5 Coder 7B", "llamacpp", context=32_768, seconds=0.9, created=1_757_000_000),
    Model("qwen3:4b", "Qwen3 4B", "llamacpp", context=16_384, seconds=0.8, reasoning=True, created=1_757_000_000),
    Model(
        "gemma3:4b",
        "Gemma 3 4B",
        "llamacpp",
        context=8_192,
        seconds=0.7,
        images=True,
        tools=False,
        created=1_757_000_000,
    ),
    Model(
        "nomic-embed-text",
        "Nomic Embed",
        "llamacpp",
        "embedding",
        2_048,
        seconds=0.1,
        tools=False,
        json_schema=False,
        dimensions=768,
    ),
    Model(
        "whisper-base",
        "Whisper base",
        "llamacpp",
        "transcription",
        448,
        seconds=1.0,
        tools=False,
        json_schema=False,
    ),
)


def models(_seed: int) -> list[Model]:
    return list(MODELS)
