"""Candidates are checked part by part, and say in words what is different."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.policy import SEED
from rotation.replay.candidate import BadCandidate, Setup, present, read

NAMES = {1: "groq/llama", 2: "openrouter/qwen", 3: "together/llama", 4: "openai/mini", 5: "groq/old"}
POOL = Setup("auto", (1, 2, 5, 3), "ordered", "balanced", {"patience": 7}, NAMES, out={5: "gone: no longer listed"})


def test_the_present_leaves_out_who_cannot_be_called():
    assert present(POOL).order == (1, 2, 3)
    assert present(POOL).policy.patience == 7


def test_an_order_names_whom_it_wants_first_and_the_others_follow():
    found = read({"order": ["together/llama"]}, POOL)
    assert found.order == (3, 1, 2)
    assert found.words == ("order: together/llama, groq/llama, openrouter/qwen",)


def test_names_may_be_short_where_they_are_clear():
    assert read({"order": ["qwen", 3]}, POOL).order == (2, 3, 1)


def test_knobs_are_laid_over_those_of_the_pool():
    found = read({"policy": {"max_attempts": 3}}, POOL)
    assert (found.policy.patience, found.policy.max_attempts) == (7, 3)
    assert found.words == ("max_attempts: 3 instead of 12",)


def test_another_preset_brings_its_own_numbers():
    found = read({"preset": "seed"}, POOL)
    assert found.policy == SEED
    assert found.words == ("preset: seed instead of balanced",)


def test_members_come_and_go():
    found = read({"add": ["openai/mini"], "leave_out": ["groq/llama"], "order": ["openai/mini"]}, POOL)
    assert found.order == (4, 2, 3)
    assert found.words[:2] == ("with openai/mini", "without groq/llama")


@pytest.mark.parametrize(
    ("wanted", "field", "words"),
    [
        ([], "candidate", "JSON object"),
        ({"colour": 1}, "candidate", "no part 'colour'"),
        ({"order": ["groq/old"]}, "order", "groq/old cannot be called: gone: no longer listed"),
        ({"order": ["groq/lama"]}, "order", "There is no model 'groq/lama' here, or it is gone. Near it: groq/llama"),
        ({"order": ["openai/mini"]}, "order", "has no place in the pool auto"),
        ({"order": ["qwen", "qwen"]}, "order", "named twice"),
        ({"order": "qwen"}, "order", "is a list"),
        ({"add": ["groq/old"]}, "add", "cannot be called"),
        ({"leave_out": ["groq/llama", "qwen", "together/llama"]}, "leave_out", "leaves nobody"),
        ({"strategy": "luckiest"}, "strategy", "choose one of ordered"),
        ({"preset": "wild"}, "preset", "choose one of seed, balanced"),
        ({"policy": {"colour": 1}}, "policy", "unknown policy knob 'colour'"),
        ({"policy": {"patience": "long"}}, "policy", "must be a number from 0"),
        ({"policy": [1]}, "policy", "JSON object"),
    ],
    ids=[
        "list",
        "part",
        "gone",
        "unknown",
        "stranger",
        "twice",
        "text",
        "add-gone",
        "nobody",
        "strategy",
        "preset",
        "knob",
        "value",
        "knobs",
    ],
)
def test_what_cannot_be_tried_says_why(wanted, field, words):
    with pytest.raises(BadCandidate) as wrong:
        read(wanted, POOL)
    assert wrong.value.field == field
    assert words in wrong.value.message


def test_a_short_name_means_the_one_that_can_be_called():
    setup = Setup("auto", (1, 3, 2), "ordered", "balanced", {}, NAMES, out={1: "its provider has no key here"})
    assert read({"order": ["qwen", "llama"]}, setup).order == (2, 3)


def test_a_short_name_that_several_offer_is_asked_back():
    setup = Setup("auto", (2,), "ordered", "balanced", {}, NAMES)
    with pytest.raises(BadCandidate, match="offered by several: write one of groq/llama, together/llama"):
        read({"add": ["llama"]}, setup)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["groq/llama", "seed"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["patience", "order", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["order", "strategy", "preset", "policy", "add", "leave_out"]), anything, max_size=4
    )
)
def test_any_json_is_a_candidate_or_refused_with_words(wanted):
    try:
        found = read(wanted, POOL)
    except BadCandidate as wrong:
        told, right = wrong.message, wrong.field in wanted
    else:
        told, right = json.dumps(list(found.words)), len(found.order) > 0
    assert told
    assert right
    assert len(told) < 2000
