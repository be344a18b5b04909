"""What was asked is kept while the operator wants it, sealed, as text, and nowhere else at any other time."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rotation import prompts, sealing
from rotation.jobs import upkeep
from rotation.models import KeptPrompt, Switch

ONE = UUID("0199c7b4-0000-7000-8000-000000000001")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SIMPLE = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
JSON = st.recursive(SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10)


def picture(kind: str = "image_url") -> dict[str, Any]:
    return {"type": kind, kind: {"url": "data:image/png;base64,AAAASECRET"}}


@given(JSON, TEXT)
def test_what_is_packed_comes_out_as_it_was(extra: Any, text: str) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": text}, extra], "extra": extra}
    found = prompts.unpacked(prompts.packed("chat", body))
    assert (found.operation, found.body, found.whole) == ("chat", body, True)


def test_pictures_audio_and_files_are_left_out_and_it_is_said() -> None:
    words = {"type": "text", "text": "what is this?"}
    content = [words, picture(), picture("input_audio"), picture("file"), "odd", {"type": ["odd"]}]
    body = {"model": "auto", "messages": [{"role": "user", "content": content}]}
    sealed = prompts.packed("chat", body)
    found = prompts.unpacked(sealed)
    assert (found.left_out, found.whole) == (("audio", "file", "image"), False)
    assert "SECRET" not in str(found.body)
    assert found.body["messages"][0]["content"][:2] == [words, {"type": "text", "text": "[image left out]"}]
    assert content[1] == picture(), "what is sent on is not touched"


@pytest.mark.parametrize("length", [100_000, prompts.MOST_PLAIN])
def test_what_is_too_long_is_not_kept_and_it_is_said(length: int) -> None:
    noise = random.Random(1).randbytes(length).hex()
    sealed = prompts.packed("chat", {"messages": [{"role": "user", "content": noise}]})
    found = prompts.unpacked(sealed)
    assert (found.body, found.too_long, found.whole) == ({}, True, False)
    assert len(sealed) < 1000


def test_it_is_sealed_for_its_own_purpose(settings: Any) -> None:
    sealed = prompts.packed("chat", {"model": "MARKER"})
    assert "MARKER" not in sealed
    for damaged in (sealing.seal("not a prompt", prompts.PURPOSE), sealing.seal("x"), sealed[:-9], "nonsense"):
        with pytest.raises(sealing.Locked):
            prompts.unpacked(damaged)
    settings.ROTATION_SECRETS_KEY = Fernet.generate_key().decode()
    with pytest.raises(sealing.Locked):
        prompts.unpacked(sealed)


@pytest.mark.django_db
def test_a_kept_one_is_found_by_its_call_and_an_unreadable_one_is_none() -> None:
    KeptPrompt.objects.create(request_id=ONE, at=timezone.now(), sealed=prompts.packed("chat", {"model": "m"}))
    found = prompts.kept(str(ONE))
    assert found is not None
    assert found.body == {"model": "m"}
    KeptPrompt.objects.update(sealed="nonsense")
    assert prompts.kept(ONE) is None
    assert prompts.kept(UUID(int=1)) is None


@pytest.mark.django_db
def test_upkeep_erases_what_is_past_its_days_and_all_that_nobody_wants() -> None:
    for n, days in enumerate((0, 2, 4)):
        Switch.objects.update_or_create(name="keep_prompts", defaults={"value": True})
        KeptPrompt.objects.create(request_id=UUID(int=n), at=timezone.now() - timedelta(days=days), sealed="x")
    Switch.objects.create(name="keep_prompts_days", value=3)
    assert upkeep.erase_prompts() == 1
    assert KeptPrompt.objects.count() == 2
    Switch.objects.update(value=False)
    KeptPrompt.objects.create(request_id=UUID(int=9), at=timezone.now(), sealed="late")
    assert upkeep.erase_prompts() == 1
    assert KeptPrompt.objects.count() == 0
