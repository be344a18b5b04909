"""Together's models, with the traps of its listing: zero prices that are not free, kinds that are no chat."""

from __future__ import annotations

from rotation.simulator.catalogue import Model


def _chat(
    model_id: str,
    name: str,
    owner: str,
    price_in: float,
    price_out: float,
    seconds: float,
    *,
    context: int = 131_072,
    images: bool = False,
    tools: bool = True,
    reasoning: bool = False,
) -> Model:
    return Model(
        model_id,
        name,
        owner,
        context=context,
        price_in=price_in,
        price_out=price_out,
        seconds=seconds,
        images=images,
        tools=tools,
        reasoning=reasoning,
        created=1_733_466_629,
    )


def _other(
    model_id: str,
    name: str,
    owner: str,
    type_: str,
    price_in: float,
    price_out: float,
    seconds: float,
    *,
    context: int,
    dimensions: int = 0,
) -> Model:
    return Model(
        model_id,
        name,
        owner,
        type_,
        context,
        None,
        price_in,
        price_out,
        seconds,
        tools=False,
        json_schema=False,
        dimensions=dimensions,
    )


MODELS: tuple[Model, ...] = (
    _chat("meta-llama/Llama-3.3-70B-Instruct-Turbo", "Llama 3.3 70B Instruct Turbo", "Meta", 0.88, 0.88, 1.1),
    _chat("deepseek-ai/DeepSeek-V3.1", "DeepSeek V3.1", "DeepSeek", 0.60, 1.70, 1.5, reasoning=True),
    _chat("Qwen/Qwen2.5-72B-Instruct-Turbo", "Qwen2.5 72B Instruct Turbo", "Qwen", 1.20, 1.20, 1.4),
    _chat(
        "Qwen/Qwen2.5-Coder-32B-Instruct",
        "Qwen 2.5 Coder 32B Instruct",
        "Qwen",
        0.80,
        0.80,
        1.2,
        context=16_384,
        tools=False,
    ),
    _chat(
        "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        "Llama 4 Scout Instruct",
        "Meta",
        0.18,
        0.59,
        1.0,
        context=1_048_576,
        images=True,
    ),
    _chat(
        "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
        "Llama 4 Maverick",
        "Meta",
        0.27,
        0.85,
        1.2,
        context=1_048_576,
        images=True,
    ),
    _chat(
        "Qwen/Qwen2.5-VL-72B-Instruct",
        "Qwen2.5-VL 72B Instruct",
        "Qwen",
        1.95,
        8.00,
        1.8,
        context=32_768,
        images=True,
        tools=False,
    ),
    _chat("meta-llama/Llama-3.2-3B-Instruct-Turbo", "Llama 3.2 3B Instruct Turbo", "Meta", 0.06, 0.06, 0.6),
    _chat(
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "Mixtral 8x7B Instruct",
        "mistralai",
        0.60,
        0.60,
        1.1,
        context=32_768,
    ),
    _chat("openai/gpt-oss-20b", "GPT-OSS 20B", "OpenAI", 0.05, 0.20, 0.8, reasoning=True),
    _chat("openai/gpt-oss-120b", "GPT-OSS 120B", "OpenAI", 0.15, 0.60, 1.0, reasoning=True),
    _chat("moonshotai/Kimi-K2-Instruct-0905", "Kimi K2 Instruct 0905", "Moonshot AI", 1.00, 3.00, 1.6, context=262_144),
    _chat("nim/meta/llama-3.1-70b-instruct", "Llama 3.1 70B (dedicated only)", "NVIDIA", 0.0, 0.0, 1.2),
    _other("openai/whisper-large-v3", "Whisper large-v3", "OpenAI", "transcription", 0.27, 0.85, 1.2, context=448),
    _other(
        "intfloat/multilingual-e5-large-instruct",
        "Multilingual E5",
        "Intfloat",
        "embedding",
        0.02,
        0.0,
        0.3,
        context=514,
        dimensions=1_024,
    ),
    _other(
        "black-forest-labs/FLUX.1-schnell", "FLUX.1 schnell", "Black Forest Labs", "image", 0.0, 0.0, 3.0, context=0
    ),
    _other(
        "meta-llama/Llama-Guard-4-12B",
        "Llama Guard 4 12B",
        "Meta",
        "moderation",
        0.20,
        0.20,
        0.4,
        context=1_048_576,
    ),
)


def models(_seed: int) -> list[Model]:
    return list(MODELS)
