"""Families and kinds of work, guessed from ids."""

from __future__ import annotations

import pytest

from rotation.providers.model_names import type_of


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
