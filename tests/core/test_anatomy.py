"""What the parts of an id say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.anatomy import anatomy, family


@pytest.mark.parametrize(
    ("model", "line", "version", "size", "roles", "variant"),
    [
        ("meta-llama/llama-3.3-70b-instruct:free", "llama", (3, 3), 70.0, set(), "free"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "llama", (3, 1), 8.0, set(), ""),
        ("llama3.2:latest", "llama", (3, 2), None, set(), ""),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "llama", (4,), 17.0, {"maverick"}, ""),
        ("deepseek/deepseek-chat-v3.1:free", "deepseek", (3, 1), None, set(), "free"),
        ("deepseek/deepseek-r1-0528-qwen3-8b:free", "deepseek-r", (1,), 8.0, {"qwen3"}, "free"),
        ("gpt-4o-mini-2024-07-18", "gpt", (4,), None, {"o", "mini"}, ""),
        ("openai/gpt-oss-120b", "gpt-oss", (), 120.0, set(), ""),
        ("qwen/qwen-2.5-72b-instruct", "qwen", (2, 5), 72.0, set(), ""),
        ("Qwen/Qwen3-VL-235B-A22B-Instruct-FP8", "qwen", (3,), 235.0, {"vl"}, ""),
        ("mistralai/mixtral-8x7b-instruct", "mixtral", (), 56.0, set(), ""),
        ("gemma3:1b", "gemma", (3,), 1.0, set(), ""),
        ("/models/SmolLM2-135M-Instruct-Q4_K_M.gguf", "smollm", (2,), 0.135, {"k", "m"}, ""),
        ("anthropic/claude-opus-5:batch", "claude-opus", (5,), None, set(), "batch"),
        ("cohere/command-r-08-2024", "command-r", (), None, set(), ""),
        ("openrouter/auto", "auto", (), None, set(), ""),
    ],
)
def test_an_id_is_read_in_parts(
    model: str, line: str, version: tuple[int, ...], size: float | None, roles: set[str], variant: str
) -> None:
    read = anatomy(model)
    assert (read.line, read.version, read.size, set(read.roles), read.variant) == (line, version, size, roles, variant)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("meta-llama/llama-3.3-70b-instruct:free", "meta-llama"),
        ("llama-3.1-8b-instant", "meta-llama"),
        ("nim/meta/llama-3.1-8b-instruct", "meta-llama"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek"),
        ("Qwen/Qwen2.5-72B-Instruct-Turbo", "qwen"),
        ("gpt-4o-mini", "openai"),
        ("o3-mini", "openai"),
        ("~anthropic/claude-opus-latest", "anthropic"),
        ("openai/whisper-large-v3", "whisper"),
        ("whisper-large-v3-turbo", "whisper"),
        ("zai-org/GLM-4.5-Air-FP8", "z-ai"),
        ("allam-2-7b", "allam"),
    ],
)
def test_a_family_is_its_maker_spelt_the_same_at_every_provider(model: str, expected: str) -> None:
    assert family(model) == expected


@given(st.text(max_size=400))
def test_any_text_can_be_read(model: str) -> None:
    read = anatomy(model)
    assert len(read.maker) <= 120
    assert read.size is None or read.size >= 0
