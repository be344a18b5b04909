"""Names near a gone or misspelt one, and who may stand in for it."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.likeness import nearest, successor

LIVING = [
    "meta-llama/llama-3.3-70b-instruct", "meta-llama/llama-3.3-70b-instruct:free", "meta-llama/llama-3.1-8b-instruct",
    "meta-llama/llama-3.2-3b-instruct", "meta-llama/llama-4-maverick", "meta-llama/llama-4-scout",
    "openai/gpt-4o", "openai/gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18", "openai/gpt-5", "openai/gpt-5-mini",
    "openai/gpt-5-nano", "openai/gpt-oss-20b", "openai/gpt-oss-20b:free", "openai/gpt-oss-120b", "openai/o3-mini",
    "openai/o4-mini", "anthropic/claude-sonnet-4.5", "anthropic/claude-opus-4.5", "anthropic/claude-haiku-4.5",
    "google/gemini-2.5-flash", "google/gemini-2.5-pro", "google/gemini-2.5-flash-lite", "google/gemma-3-27b-it:free",
    "google/gemma-3-12b-it", "qwen/qwen3-32b", "qwen/qwen3-coder", "qwen/qwen3-coder:free", "qwen/qwen3-235b-a22b",
    "qwen/qwen2.5-vl-72b-instruct", "deepseek/deepseek-chat-v3.1", "deepseek/deepseek-r1", "deepseek/deepseek-v3.2",
    "mistralai/mistral-small-3.2-24b-instruct", "mistralai/mistral-small-3.1-24b-instruct:free", "minimax/minimax-m2",
    "mistralai/devstral-small-2505", "moonshotai/kimi-k2", "z-ai/glm-4.5-air:free", "z-ai/glm-4.6", "x-ai/grok-4",
]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("meta-llama/llama-3.3-8b-instruct:free", "meta-llama/llama-3.3-70b-instruct:free"),
        ("llama-3.3-70b-versatile", "meta-llama/llama-3.3-70b-instruct"),
        ("gpt-4o-mni", "openai/gpt-4o-mini"),
        ("gpt4o", "openai/gpt-4o"),
        ("openai/gpt-5-mini:free", "openai/gpt-5-mini"),
        ("deepseek/deepseek-chat-v3.1:free", "deepseek/deepseek-chat-v3.1"),
        ("google/gemini-2.0-flash-exp:free", "google/gemini-2.5-flash"),
        ("mistralai/mistral-small-3.2-24b-instruct:free", "mistralai/mistral-small-3.2-24b-instruct"),
        ("mistralai/mistral-smal-3.1-24b-instruct:free", "mistralai/mistral-small-3.1-24b-instruct:free"),
        ("claude-sonnet-4", "anthropic/claude-sonnet-4.5"),
        ("z-ai/glm-4.5:free", "z-ai/glm-4.5-air:free"),
        ("qwen/qwen3-coder-480b:free", "qwen/qwen3-coder:free"),
        ("minimax/minimax-m2:free", "minimax/minimax-m2"),
        ("o3mini", "openai/o3-mini"),
        ("gemma3:12b", "google/gemma-3-12b-it"),
        ("META-LLAMA/LLAMA-4-MAVERICK:FREE", "meta-llama/llama-4-maverick"),
    ],
)
def test_the_nearest_living_name_comes_first(asked: str, first: str) -> None:
    assert nearest(asked, LIVING)[0] == first


@pytest.mark.parametrize("asked", ["xyzzy", "", "foo/bar", "\ud800", "🙂" * 300, "a" * 100_000])
def test_a_name_like_nothing_gets_no_suggestion(asked: str) -> None:
    assert nearest(asked, LIVING) == []


def test_a_provider_before_the_name_is_not_another_model() -> None:
    names = [*LIVING, *(f"openrouter/{name}" for name in LIVING)]
    assert nearest("gpt-4o-mni", names) == nearest("gpt-4o-mni", LIVING)


@given(st.text(max_size=40) | st.sampled_from(LIVING), st.randoms())
def test_the_answer_does_not_depend_on_the_order_and_never_names_what_was_asked(asked: str, chance: random.Random):
    mixed = LIVING[:]
    chance.shuffle(mixed)
    found = nearest(asked, mixed)
    assert found == nearest(asked, LIVING)
    assert len(found) <= 3
    assert asked not in found


def test_a_whole_catalogue_is_searched_within_milliseconds() -> None:
    many = [f"{name}-{n}" for n in range(9) for name in LIVING][:347]
    nearest("gpt-4o-mni", many)
    spent = []
    for _ in range(15):
        start = time.process_time()
        nearest("gpt-4o-mni", many)
        spent.append(time.process_time() - start)
    assert sorted(spent)[7] < 0.005


@dataclass(frozen=True)
class Model:
    model: str
    type: str = "chat"
    context: int | None = 128_000
    free: bool = False
    price_in: float | None = 1e-6
    price_out: float | None = 2e-6
    tools: bool | None = True
    parallel_tools: bool | None = None
    json_schema: bool | None = None
    images: bool | None = False
    reasoning: bool = False


OLD = Model("qwen/qwen2.5-72b-instruct")
NEW = Model("qwen/qwen3-72b-instruct")


def test_the_same_line_in_a_newer_version_may_stand_in() -> None:
    assert successor(OLD, [NEW, Model("openai/gpt-4o")]) is NEW
    assert successor(NEW, [OLD]) is None, "an older one is no successor"


@pytest.mark.parametrize(
    "lesser",
    [
        replace(NEW, context=32_000), replace(NEW, context=None), replace(NEW, tools=False), replace(NEW, tools=None),
        replace(NEW, price_in=2e-6), replace(NEW, price_out=None), replace(NEW, type="embedding"),
        replace(NEW, model="qwen/qwen3-32b"), replace(NEW, model="qwen/qwen3-coder-72b"),
        replace(NEW, model="qwen/qwen-max"), replace(NEW, model="deepseek/deepseek-v3.1"),
    ],
)  # fmt: skip
def test_what_can_less_costs_more_or_is_something_else_may_not(lesser: Model) -> None:
    assert successor(OLD, [lesser]) is None


def test_a_free_model_is_followed_by_a_free_one_only() -> None:
    gone = Model("meta-llama/llama-3.3-70b-instruct:free", free=True, price_in=0.0, price_out=0.0)
    paid = replace(gone, model="meta-llama/llama-3.3-70b-instruct", free=False, price_in=1e-7, price_out=1e-7)
    free = replace(gone, model="meta-llama/llama-3.4-70b-instruct:free")
    assert successor(gone, [paid]) is None
    assert successor(gone, [paid, free]) is free


def test_the_same_model_elsewhere_comes_before_a_newer_one() -> None:
    twin = replace(OLD, model="Qwen/Qwen2.5-72B-Instruct")
    assert successor(OLD, [NEW, twin]) is twin


def test_a_name_without_a_version_has_no_successor_but_itself() -> None:
    gone = Model("acme/router")
    assert successor(gone, [Model("acme/router-2"), Model("acme/routes")]) is None
    assert successor(gone, [Model("other/router")]) is not None


@given(st.lists(st.sampled_from(LIVING), unique=True), st.sampled_from(LIVING), st.randoms())
def test_the_successor_does_not_depend_on_the_order(names: list[str], gone: str, chance: random.Random) -> None:
    living = [Model(name) for name in names if name != gone]
    mixed = living[:]
    chance.shuffle(mixed)
    assert successor(Model(gone), living) == successor(Model(gone), mixed)
