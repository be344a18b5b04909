"""What a call needs, who is known not to have it, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.fitness import BOUNDS, FEATURES, MB, refused_feature, unfit
from rotation.core.targets import Deployment, Needs
from rotation.providers import PROVIDERS

EVERYTHING = Needs(
    tools=True, parallel_tools=True, json_schema=True, json_mode=True, images=1, stream=True, choices=2
)  # fmt: skip
ANY = Deployment(1, 1, "m")
LISTED = ["tools", "parallel_tools", "json_schema", "images"]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
def test_a_feature_that_is_needed_and_was_refused_makes_a_deployment_unfit_and_is_named(feature) -> None:
    for name in {feature.name, *feature.lacks}:
        lacking = replace(ANY, lacks=frozenset({name}))
        alone = next(n for n in each_need() if feature.wanted(n))
        assert f"uses {feature.words}," in (unfit(lacking, alone) or "")
        assert unfit(lacking, Needs()) is None


def each_need() -> list[Needs]:
    """One need at a time."""
    wants: dict[str, Any] = {"tools": True, "parallel_tools": True, "json_schema": True, "json_mode": True, "images": 2,
             "stream": True, "choices": 3}  # fmt: skip
    return [replace(Needs(), **{name: value}) for name, value in wants.items()]


@pytest.mark.parametrize("need", each_need(), ids=repr)
def test_a_lack_of_something_else_is_no_hindrance(need: Needs) -> None:
    wanted = {name for f in FEATURES if f.wanted(need) for name in {f.name, *f.lacks}}
    others = {name for f in FEATURES for name in {f.name, *f.lacks}} - wanted | {"audio", "logit_bias"}
    assert unfit(replace(ANY, lacks=frozenset(others)), need) is None


def offering(feature: str, offered: bool) -> Deployment:
    told: dict[str, Any] = {feature: offered}
    return replace(ANY, **told)


@pytest.mark.parametrize("feature", LISTED)
def test_what_a_listing_denies_is_believed_and_what_nobody_knows_is_tried(feature: str) -> None:
    assert unfit(ANY, EVERYTHING) is None
    assert unfit(offering(feature, False), EVERYTHING) is not None
    assert unfit(offering(feature, True), EVERYTHING) is None


def test_a_prompt_and_its_answer_must_fit_the_window() -> None:
    small = Deployment(1, 1, "m", context=1000, max_output=200)
    assert unfit(small, Needs(prompt_tokens=800, max_output=200)) is None
    assert "1,000" in (unfit(small, Needs(prompt_tokens=801, max_output=200)) or "")
    assert "at most 200" in (unfit(small, Needs(max_output=201)) or "")


def test_a_model_for_something_else_is_unfit() -> None:
    assert "is for chat" in (unfit(ANY, Needs(type="transcription")) or "")


@pytest.mark.parametrize(
    ("kind", "needs", "words"),
    [
        ("groq", Needs(images=5), None),
        ("groq", Needs(images=6), "6 images, this provider takes 5"),
        ("openrouter", Needs(images=6), None),
        ("groq", Needs(images=1, image_bytes=4 * MB), None),
        ("groq", Needs(images=1, image_bytes=4 * MB + 60_000), "4.1 MB of images, this provider takes 4 MB"),
        ("openai", Needs(images=1, image_bytes=4 * MB + 60_000), None),
        ("openai", Needs(images=501), "takes 500"),
        ("groq", Needs(choices=2), "2 choices (n), this provider gives 1"),
        ("openai", Needs(choices=2), None),
        ("nobody-knows", EVERYTHING, None),
    ],
)
def test_a_kind_of_provider_takes_so_much_in_one_request(kind: str, needs: Needs, words: str | None) -> None:
    found = unfit(ANY, needs, kind)
    assert found is None if words is None else words in (found or "")


def test_bounds_are_of_kinds_that_exist() -> None:
    assert BOUNDS.keys() <= PROVIDERS.keys()


@pytest.mark.parametrize(
    ("told", "needs", "meant"),
    [
        ("json_schema", Needs(json_mode=True), "json_mode"),
        ("json_schema", Needs(json_schema=True), "json_schema"),
        ("json_schema", Needs(), "json_schema"),
        ("tools", Needs(json_mode=True), "tools"),
        (None, Needs(json_mode=True), None),
    ],
)
def test_a_refused_form_of_response_is_remembered_as_the_one_that_was_asked_for(
    told: str | None, needs: Needs, meant: str | None
) -> None:
    assert refused_feature(told, needs) == meant


@given(
    st.builds(Needs, st.integers(0, 10**6), st.none() | st.integers(1, 10**6), *[st.booleans()] * 3, st.integers(0, 9)),
    st.sampled_from(["", *PROVIDERS]),
    st.frozensets(st.sampled_from(["tools", "images", "json_schema", "parallel_tools"])),
)
def test_what_is_learned_to_lack_never_makes_a_deployment_fitter(
    needs: Needs, kind: str, lacks: frozenset[str]
) -> None:
    lacking = replace(ANY, context=50_000, lacks=lacks)
    if unfit(replace(lacking, lacks=frozenset()), needs, kind) is not None:
        assert unfit(lacking, needs, kind) is not None
