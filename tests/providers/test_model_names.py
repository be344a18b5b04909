"""Families and kinds of work, guessed from ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.providers.model_names import family, type_of


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("meta-llama/llama-3.3-70b-instruct:free", "llama-3.3"),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama-3.3"),
        ("llama-3.3-70b-versatile", "llama-3.3"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "llama-3.1"),
        ("llama3.2:latest", "llama-3.2"),
        ("meta-llama/llama-4-maverick:free", "llama-4"),
        ("deepseek/deepseek-chat-v3.1:free", "deepseek-v3.1"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek-v3.1"),
        ("deepseek/deepseek-r1-0528-qwen3-8b:free", "deepseek-r1"),
        ("openai/gpt-oss-120b", "gpt-oss"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o"),
        ("qwen/qwen3-32b", "qwen3"),
        ("qwen/qwen-2.5-72b-instruct", "qwen2.5"),
        ("Qwen/Qwen2.5-72B-Instruct-Turbo", "qwen2.5"),
        ("moonshotai/kimi-k2-instruct-0905", "kimi-k2"),
        ("google/gemma-2-9b-it:free", "gemma-2"),
        ("gemma3:1b", "gemma-3"),
        ("nvidia/nemotron-nano-9b-v2:free", "nemotron-nano"),
        ("mistralai/mistral-small-3.2-24b-instruct:free", "mistral-small-3.2"),
        ("cohere/command-r-08-2024", "command-r"),
        ("z-ai/glm-4.6:exacto", "glm-4.6"),
        ("/models/SmolLM2-135M-Instruct-Q4_K_M.gguf", "smollm2"),
        ("openrouter/auto", "auto"),
        ("llama-3.1-8b@20260101", "llama-3.1"),
    ],
)
def test_a_family_is_the_name_up_to_the_version(model: str, expected: str) -> None:
    assert family(model) == expected


@given(st.text(min_size=1, max_size=60))
def test_any_id_has_a_short_family(model: str) -> None:
    assert len(family(model)) <= len(model.lower()) + 1


@pytest.mark.parametrize(
    ("model", "outputs", "expected"),
    [
        ("gpt-4o", (), "chat"),
        ("acme/whisperer", (), "transcription"),
        ("acme/x", ("transcription",), "transcription"),
        ("acme/x", ("text", "image"), "chat"),
        ("acme/x", ("image",), "image"),
        ("acme/x", ("video",), "other"),
        ("BAAI/bge-base-en-v1.5", (), "embedding"),
        ("acme/text-embed-1", (), "embedding"),
        ("Salesforce/Llama-Rank-v1-rerank", (), "rerank"),
        ("canopylabs/orpheus-v1", (), "speech"),
        ("openai/gpt-oss-safeguard-20b", ("text",), "moderation"),
        ("black-forest-labs/flux.1-dev", (), "image"),
    ],
)
def test_the_kind_of_work_is_told_by_outputs_then_by_the_id(
    model: str, outputs: tuple[str, ...], expected: str
) -> None:
    assert type_of(model, outputs) == expected
