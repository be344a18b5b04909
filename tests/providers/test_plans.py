"""Limits known from published tables: only where the plan says so, and never ones that hold back a paying account."""

from __future__ import annotations

import pytest

from rotation.providers.plans import known, output_counted

FREE, GROQ = "google/gemma-2-9b-it:free", "llama-3.1-8b-instant"


def rows(kind: str, plan: str, model: str, *, free: bool = False) -> list[tuple[str, float, float]]:
    return [(limit.axis, limit.limit, limit.window) for limit in known(kind, plan, model, free)]


@pytest.mark.parametrize(
    ("plan", "a_day"), [("free", 50), ("Free tier", 50), ("credit", 1_000), ("10 dollars bought", 1_000)]
)
def test_openrouter_s_free_models_have_a_minute_and_the_day_of_the_plan(plan, a_day):
    found = known("openrouter", plan, FREE, True)
    assert rows("openrouter", plan, FREE, free=True) == [("requests", 20, 60), ("requests", a_day, 86_400)]
    assert all(limit.free_only and limit.source == "plan" for limit in found)


def test_the_day_is_not_guessed_and_paid_models_have_no_limit():
    assert rows("openrouter", "", FREE, free=True) == [("requests", 20, 60)]
    assert rows("openrouter", "free", "openai/gpt-4o-mini") == []


@pytest.mark.parametrize("plan", ["free", "Free", "on-demand free"])
def test_groq_s_free_plan_has_its_table(plan):
    assert rows("groq", plan, GROQ) == [
        ("requests", 30, 60), ("requests", 14_400, 86_400), ("tokens", 6_000, 60), ("tokens", 500_000, 86_400),
    ]  # fmt: skip
    whisper = rows("groq", plan, "whisper-large-v3")
    assert ("audio_seconds", 7_200, 3_600) in whisper
    assert ("audio_seconds", 28_800, 86_400) in whisper
    assert rows("groq", plan, "a-model-of-tomorrow") == []


@pytest.mark.parametrize("plan", ["", "developer", "tier 1", "freedom unlimited"])
@pytest.mark.parametrize("kind", ["groq", "openai", "together", "generic"])
def test_a_plan_that_is_not_known_to_be_free_holds_nobody_back(kind, plan):
    assert known(kind, plan, GROQ, False) == ()


@pytest.mark.parametrize("plan", ["free", "base", "tier 0"])
def test_together_s_sixty_a_minute_are_one_a_second(plan):
    assert rows("together", plan, "any") == [("requests", 1, 1)]


@pytest.mark.parametrize(
    ("kind", "asked", "usual", "most", "tokens"),
    [
        ("groq", 300, 50.0, None, 300),
        ("groq", None, 0.0, None, 1_024),
        ("groq", None, 50.0, None, 1_024),  # what the provider sets aside, however short the answers are
        ("openai", None, 3_000.0, None, 3_000),
        ("openai", None, 0.0, 512, 512),
        ("generic", None, 0.0, None, 0),
        ("generic", None, 80.4, None, 80),
        ("together", 4_096, 500.0, None, 0),  # counted when it is there
        ("together", None, 500.0, None, 0),
    ],
)
def test_what_is_set_aside_for_an_answer(kind, asked, usual, most, tokens):
    assert output_counted(kind, asked, usual, most) == tokens
