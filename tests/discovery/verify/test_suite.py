"""The suite asks everybody what applies to it, never the same twice, and an honest model passes all of it."""

from __future__ import annotations

import pytest

from rotation.core.failures import FailureKind
from rotation.core.verdicts import Word
from rotation.discovery.verify import needles, replies, suite
from rotation.discovery.verify.asking import sent
from rotation.discovery.verify.causes import OF_FAILURE, TABLE, Cause
from rotation.discovery.verify.questions import Facts
from rotation.discovery.verify.suite import SUITE
from rotation.simulator import asks
from rotation.simulator.answers import compose
from rotation.simulator.catalogue import Model
from rotation.simulator.world import World


def claims(model: Model) -> Facts:
    return Facts(
        context=model.context, max_output=model.max_output, tools=model.tools, parallel_tools=model.parallel,
        json_schema=model.json_schema, images=model.images, reasoning=model.reasoning,
    )  # fmt: skip


def test_an_honest_model_passes_everything_it_claims():
    world = World()
    models = [model for shelf in world.catalogues.values() for model in list(shelf)[:12] if model.type == "chat"]
    assert len(models) > 30
    for model in models:
        for name in suite.asked_of(claims(model)):
            asked = suite.question(name, claims(model), f"{model.id}/1")
            reply = compose(asks.read_fields({"model": model.id, **asked.payload}), model, "x")[0]
            calls = tuple((call.name, call.arguments) for call in reply.calls)
            grade = asked.grade(replies.Answer(reply.text or "", calls, reply.finish, usage=9, pieces=5))
            assert grade.score >= 4, (model.id, name, grade)


@pytest.mark.parametrize("name", list(SUITE))
def test_no_question_comes_twice_and_every_one_can_be_made_again(name: str):
    facts = Facts(context=8_192)
    asked = [repr(suite.question(name, facts, str(seed)).payload) for seed in range(12)]
    assert len(set(asked)) >= 8
    assert asked == [repr(suite.question(name, facts, str(seed)).payload) for seed in range(12)]


def test_nobody_is_asked_what_it_does_not_claim():
    nothing = Facts(context=2_048, tools=False, json_schema=False, images=False)
    assert suite.asked_of(nothing) == ["short_answer", "reasoning", "code", "system_prompt", "stop", "streaming"]
    assert suite.asked_of(Facts()) == list(SUITE)
    assert [name for name, one in SUITE.items() if one.base] == ["short_answer", "reasoning", "code"]


@pytest.mark.parametrize(
    ("context", "room", "tokens"),
    [(131_072, None, 12_000), (8_192, None, 4_096), (None, None, 6_000), (131_072, 3_000, 3_000), (131_072, 10, 300)],
)
def test_the_haystack_is_as_large_as_is_claimed_within_bounds(context: int | None, room: int | None, tokens: int):
    assert needles.size(context, room) == tokens


def test_a_model_that_thinks_gets_more_tokens_and_more_time_and_never_more_than_it_gives():
    plain, thinking = (suite.question("code", Facts(reasoning=flag), "1") for flag in (False, True))
    assert thinking.payload["max_tokens"] > plain.payload["max_tokens"]
    assert thinking.seconds > plain.seconds
    assert suite.question("code", Facts(reasoning=True, max_output=300), "1").payload["max_tokens"] == 300


@pytest.mark.parametrize("name", list(SUITE))
@pytest.mark.parametrize("room", [1_500, 3_000, 15_000])
@pytest.mark.parametrize("reasoning", [False, True])
def test_no_question_is_larger_than_a_request_may_be(name: str, room: int, reasoning: bool):
    facts = Facts(context=131_072, reasoning=reasoning, room=room)
    asked = suite.question(name, facts, "1")
    body, _ = sent("p/m", asked)
    pictures = 800 * (name == "images")  # as the gateway counts them
    assert len(body) / 4 + asked.payload["max_tokens"] + pictures <= room + 400 * (room < 2_000)


def test_every_failure_there_is_has_a_root_cause_and_every_cause_its_words():
    assert set(OF_FAILURE) == set(FailureKind)
    assert set(TABLE) == set(Cause)
    assert all(row.words and row.advice.endswith(".") for row in TABLE.values())


def test_the_verdicts_of_the_core_are_those_of_the_table():
    from rotation.models import Verdict

    assert {word.value for word in Word} == set(Verdict.values)
