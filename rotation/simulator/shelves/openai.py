"""OpenAI's models, all kinds mixed as its listing mixes them."""

from __future__ import annotations

from rotation.simulator.catalogue import Model


def models(_seed: int) -> list[Model]:
    chat = [
        _gpt("gpt-4o", 2.50, 10.00, 1.0),
        _gpt("gpt-4o-2024-08-06", 2.50, 10.00, 1.0),
        _gpt("gpt-4o-mini", 0.15, 0.60, 0.8),
        _gpt("gpt-4o-mini-2024-07-18", 0.15, 0.60, 0.8),
        _gpt("gpt-4.1", 2.00, 8.00, 1.1, context=1_047_576, max_output=32_768),
        _gpt("gpt-4.1-mini", 0.40, 1.60, 0.9, context=1_047_576, max_output=32_768),
        _gpt("gpt-4.1-nano", 0.10, 0.40, 0.7, context=1_047_576, max_output=32_768),
        _gpt("gpt-3.5-turbo", 0.50, 1.50, 0.7, context=16_385, max_output=4_096, images=False),
        _gpt("o3-mini", 1.10, 4.40, 3.0, context=200_000, max_output=100_000, images=False, reasoning=True),
        _gpt("o4-mini", 1.10, 4.40, 2.6, context=200_000, max_output=100_000, reasoning=True),
    ]
    return [
        *chat,
        _other("text-embedding-3-small", "embedding", 0.02, 0.25, context=8_192, dimensions=1_536),
        _other("text-embedding-3-large", "embedding", 0.13, 0.35, context=8_192, dimensions=3_072),
        _other("text-embedding-ada-002", "embedding", 0.10, 0.25, context=8_192, dimensions=1_536),
        _other("whisper-1", "transcription", 0.0, 1.5),
        _other("gpt-4o-transcribe", "transcription", 2.5, 1.2),
        _other("gpt-4o-mini-transcribe", "transcription", 1.25, 1.0),
        _other("tts-1", "speech", 15.0, 1.0),
        _other("dall-e-3", "image", 0.0, 8.0),
        _other("omni-moderation-latest", "moderation", 0.0, 0.3),
    ]


def _gpt(
    model_id: str,
    price_in: float,
    price_out: float,
    seconds: float,
    *,
    context: int = 128_000,
    max_output: int = 16_384,
    images: bool = True,
    reasoning: bool = False,
) -> Model:
    return Model(
        model_id,
        model_id,
        "system",
        context=context,
        max_output=max_output,
        price_in=price_in,
        price_out=price_out,
        seconds=seconds,
        images=images,
        reasoning=reasoning,
        created=1_715_367_049,
    )


def _other(
    model_id: str, type_: str, price_in: float, seconds: float, *, context: int = 16_000, dimensions: int = 0
) -> Model:
    return Model(
        model_id,
        model_id,
        "system",
        type_,
        context,
        None,
        price_in,
        0.0,
        seconds,
        tools=False,
        json_schema=False,
        dimensions=dimensions,
        created=1_705_948_997,
    )
