"""Who turns audio into text next: who can at all, and whose turn it is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.targets import Account, Deployment, Key, Provider, Target
from rotation.core.transcription import ALL, USUAL_MOST, Audio, in_turn, learned_most, unfit

SMALL = 1_000_000


def target(kind: str, model: str, lacks: frozenset[str] = frozenset()) -> Target:
    deployment = Deployment(1, 1, model, lacks=lacks, type="transcription")
    return Target(deployment, Key(1, 1), Account(1, 1), Provider(1, kind, kind, "https://provider.example/v1"))


def formats(kind: str, model: str) -> set[str]:
    chosen = target(kind, model)
    return {form for form in ALL if unfit(chosen, Audio(SMALL, 10.0, form), USUAL_MOST) is None}


@pytest.mark.parametrize(
    ("kind", "model", "can"),
    [
        ("openai", "whisper-1", {"json", "text", "srt", "verbose_json", "vtt"}),
        ("openai", "gpt-4o-transcribe", {"json"}),
        ("openai", "gpt-4o-transcribe-diarize", {"json", "text", "diarized_json"}),
        ("groq", "whisper-large-v3-turbo", {"json", "text", "verbose_json"}),
        ("together", "openai/whisper-large-v3", {"json", "verbose_json"}),
        ("generic", "whisper-base", set(ALL)),
    ],
)
def test_each_kind_answers_in_its_own_formats(kind, model, can):
    assert formats(kind, model) == can


@pytest.mark.parametrize(
    ("kind", "model", "can"),
    [
        ("openai", "whisper-1", True),
        ("openai", "gpt-4o-transcribe", False),
        ("groq", "whisper-large-v3", True),
        ("groq", "whisper-large-v3-turbo", False),
        ("together", "openai/whisper-large-v3", True),
        ("openrouter", "openai/whisper-large-v3", False),
        ("generic", "whisper-base", True),
    ],
)
def test_few_models_translate(kind, model, can):
    assert (unfit(target(kind, model), Audio(SMALL, 10.0, translate=True), USUAL_MOST) is None) is can


def test_what_a_model_refused_before_is_not_asked_of_it_again():
    clumsy = target("generic", "whisper-base", frozenset({"srt", "translation"}))
    assert unfit(clumsy, Audio(SMALL, 10.0, "srt"), USUAL_MOST) == "this model does not answer as srt"
    assert unfit(clumsy, Audio(SMALL, 10.0, translate=True), USUAL_MOST) == "this model does not translate"
    assert unfit(clumsy, Audio(SMALL, 10.0, "vtt"), USUAL_MOST) is None


def test_an_upload_may_be_exactly_as_large_as_the_key_takes():
    whisper = target("openai", "whisper-1")
    assert unfit(whisper, Audio(USUAL_MOST, 10.0), USUAL_MOST) is None
    why = unfit(whisper, Audio(USUAL_MOST + 1, 10.0), USUAL_MOST)
    assert why == "this key takes uploads of up to 26,214,400 bytes, this one has 26,214,401"


OFFERS = [Deployment(i, provider, f"m{i}") for i, provider in enumerate((1, 1, 2, 3, 4), 1)]


def test_the_pinned_come_first_and_the_others_take_turns_evenly():
    used: Counter[int] = Counter()
    for _ in range(30):
        order = in_turn(OFFERS, {1, 2}, used)
        assert order[:2] == [1, 2]
        used[OFFERS[order[2] - 1].provider] += 1
    assert used == {2: 10, 3: 10, 4: 10}


def test_who_was_away_catches_up():
    assert in_turn(OFFERS, {1, 2}, {1: 90, 2: 40, 3: 12, 4: 41}) == [1, 2, 4, 3, 5]


@given(
    st.permutations(OFFERS),
    st.sets(st.integers(1, 5)),
    st.dictionaries(st.integers(1, 4), st.integers(0, 1000)),
)
def test_everybody_has_one_place_and_the_pinned_keep_theirs(order, pinned, used):
    found = in_turn(order, pinned, used)
    assert sorted(found) == [1, 2, 3, 4, 5]
    assert all(a == b.id for a, b in zip(found, order, strict=True) if b.id in pinned)
    loose = [next(d for d in OFFERS if d.id == i).provider for i in found if i not in pinned]
    assert loose == sorted(loose, key=lambda p: used.get(p, 0))


def test_what_was_refused_bounds_what_is_taken_and_a_named_limit_is_believed():
    assert learned_most(5_000, 4_000.0) == 4_000.0
    assert learned_most(5_000, None) == learned_most(5_000, 9_000.0) == learned_most(5_000, 0.0) == 4_999.0
