"""Why not that model: of the trace, left out of it, without a key, in no pool, added later, or of no name here."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotation.models import Cooldown, Deployment, Provider, Request
from rotation.why import explain, why_not
from rotation.why.facts import WhyNot
from tests.dashboard.calls import HOSTILE, attempt, call, ledger
from tests.why.world import World

pytestmark = pytest.mark.django_db


def ask(uuid: UUID, model: str) -> WhyNot:
    return why_not(explain(uuid), model)


@pytest.mark.parametrize("name", ["groq/maker/ada", "maker/ada", "  groq/maker/ada\n"])
def test_one_that_was_tried(world: World, name: str):
    found = ask(world.rotated(), name)
    assert (found.found, found.deployment) == ("tried", world.ada.pk)
    assert found.then == "It was tried and did not answer: rate-limited: 60 requests per minute."
    assert found.now == "Under today's policy it would be asked first."


def test_one_that_answered(world: World):
    assert ask(world.rotated(), "maker/bob").then == "It did answer this call."


def test_one_left_out_of_the_short_trace(world: World):
    found = ask(world.rotated(), "groq/maker/cyd")
    assert found.found == "spare"
    assert found.then == (
        "It stood ready at place 3 of 3, but its turn never came. groq/maker/bob stood before it and answered."
    )
    assert found.now == "Under today's policy it would be 3rd in line."


def test_one_left_out_of_a_call_nobody_answered(world: World):
    policy = {"version": 1, "strategy": "ordered", "order": [world.ada.pk, world.cyd.pk]}
    trace = [world.row(world.ada, "tried", "overloaded")]
    (uuid,) = ledger([call([attempt(world.ada, outcome="overloaded")], trace=trace, policy=policy, asked="code")])
    assert ask(uuid, "maker/cyd").then.endswith("The call ended (failed) after 1 attempt.")


def test_the_next_in_line_and_the_passed_over(world: World):
    until = timezone.now().replace(hour=12, minute=41, second=13, microsecond=0).timestamp()
    trace = [
        world.row(world.ada, "cooling", "rate-limited", until=until),
        world.row(world.bob, "answered", "next in order"),
        world.row(world.cyd, "ready", "would have been next"),
    ]
    uuid = world.rotated(trace=trace)
    assert ask(uuid, "maker/ada").then == "It was passed over, cooling: rate-limited, until 12:41:13 UTC."
    assert ask(uuid, "maker/cyd").then == "It would have been next. groq/maker/bob stood before it and answered."


def test_one_without_a_key(world: World):
    order = [world.ada.pk, world.bob.pk, world.cyd.pk]
    policy = {"version": 1, "strategy": "ordered", "order": order, "keyless": [world.cyd.pk]}
    found = ask(world.rotated(policy=policy), "maker/cyd")
    assert (found.found, found.then) == ("keyless", "It had no key then: nothing could be sent to it.")
    policy = {"version": 1, "strategy": "ordered", "order": [*order, world.eve.pk], "keyless": [world.eve.pk]}
    assert "at place 3 of 3" in ask(world.rotated(policy=policy), "maker/cyd").then


def test_one_that_was_not_in_the_pool(world: World):
    found = ask(world.rotated(), "groq/maker/eve")
    assert found.found == "elsewhere"
    assert found.then == "It was not in the pool code then, so it was never considered."
    assert found.now == "Under today's policy it is not among those that would be considered."


def test_one_that_came_later(world: World):
    uuid = world.rotated(at=timezone.now() - timedelta(days=3))
    fresh = world.deployment("fresh")
    world.pool.place(fresh)
    found = ask(uuid, "groq/maker/fresh")
    assert found.found == "later"
    assert found.then.startswith("It was not here then: it was added on ")
    assert found.now == "Under today's policy it would be 4th in line."


def test_an_old_line_does_not_pretend_to_know(world: World):
    assert ask(world.rotated(policy=None), "maker/cyd").found == "unsure"


def test_the_same_model_at_two_providers_means_the_one_that_was_considered(world: World):
    other = Provider.objects.create(kind="openai", name="other", base_url="https://other.example/v1")
    Deployment.objects.create(provider=other, model_id="maker/cyd", created_at=timezone.now() - timedelta(days=60))
    assert ask(world.rotated(), "maker/cyd").deployment == world.cyd.pk
    assert ask(world.rotated(), "other/maker/cyd").found == "elsewhere"


def test_how_one_would_be_passed_over_today(world: World):
    until = timezone.now() + timedelta(minutes=2)
    Cooldown.objects.create(scope=f"deployment:{world.cyd.pk}", until=until, kind="upstream_busy", reason="busy")
    assert ask(world.rotated(), "maker/cyd").now == "Under today's policy it would be passed over: cooling, busy."


@pytest.mark.parametrize("name", ["", "   ", "\0", "a\0b", HOSTILE, "groq/", "/", "no-such-model", "%s", "groq/maker"])
def test_what_is_no_name_here_is_told_so(world: World, name: str):
    found = ask(world.rotated(), name)
    assert (found.found, found.deployment, found.now) == ("unknown", None, "")
    assert len(found.then) < 300


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_any_text_has_an_answer(world: World, name: str):
    uuid = Request.objects.values_list("id", flat=True).first() or world.rotated()  # one call for all examples
    assert ask(uuid, name).then
