"""What the present policy would choose: the gateway's own selection over what the database knows, unsent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rotation import client_keys
from rotation.models import BreakerState, Cooldown, KeyState, LearnedLimit, Placement, Request
from rotation.why import explain
from rotation.why.facts import Choice, Present
from rotation.why.present import present
from tests.models import rows
from tests.why.world import NEEDS, World

pytestmark = pytest.mark.django_db


def asked(world: World, **more: Any) -> Present:
    return explain(world.rotated(**more)).present


def states(found: Present) -> dict[str, tuple[str, str]]:
    return {choice.target.rpartition("/")[2]: (choice.state, choice.why) for choice in found.choices}


def of(found: Present, name: str) -> Choice:
    return next(c for c in found.choices if c.target.endswith(name))


def later(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


def test_the_order_of_the_pool_with_what_was_measured(world: World):
    world.past(world.ada, ["ok"] * 9, hours=2, total=1_600)
    found = asked(world)
    assert [(c.place, c.target) for c in found.choices] == [
        (1, "groq/maker/ada"), (2, "groq/maker/bob"), (3, "groq/maker/cyd"),
    ]  # fmt: skip
    assert found.first == found.choices[0]
    assert found.expected_ms == pytest.approx(1_600, rel=0.1)
    assert found.changed == "it was tried then"
    assert found.words.startswith("It would go to groq/maker/ada first (it was tried then), expected 1.")
    assert (found.policy.pool, found.policy.version, found.assumed, found.refused) == ("code", world.version, "", "")


def test_the_starters_latency_stands_in_for_what_was_never_measured(world: World):
    world.pool.placements.exclude(deployment=world.cyd).delete()
    world.cyd.seed_latency_s = 2.5
    world.cyd.save()
    assert (asked(world).expected_ms, asked(world).changed) == (2_500, "")
    world.cyd.seed_latency_s = None
    world.cyd.save()
    assert asked(world).words == "It would go to groq/maker/cyd first, its time is not known yet."


def test_cooldowns_breakers_lacks_and_gone_models_are_passed_over(world: World):
    Cooldown.objects.create(
        scope=f"{world.account}/deployment:{world.ada.pk}", until=later(90), kind="rate_limited", reason="rate-limited"
    )
    BreakerState.objects.create(scope=f"deployment:{world.bob.pk}", state="open", until=later(40), opens=1)
    world.cyd.tools = False
    world.cyd.save()
    gone = world.deployment("gone", status="gone", status_reason="not listed any more")
    small = world.deployment("small", context=2_000)
    last = world.deployment("last")
    for placed in (gone, small, last):
        world.pool.place(placed)
    found = asked(world)
    assert states(found) == {
        "ada": ("cooling", "rate-limited"),
        "bob": ("resting", "breaker open"),
        "cyd": ("unfit", "the call uses tools, which this model does not support"),
        "gone": ("benched", "gone: not listed any more"),
        "small": ("unfit", "the call needs about 2,060 tokens of context, this model has 2,000"),
        "last": ("ready", ""),
    }
    assert found.first is not None
    assert found.first.target == "groq/maker/last"
    assert of(found, "ada").until is not None
    assert of(found, "gone").until is None


def test_a_refused_key_benches_everything_behind_it(world: World):
    world.key.state, world.key.state_since = KeyState.INVALID, timezone.now()
    world.key.save()
    found = asked(world)
    assert found.first is None
    assert found.words == "Nobody could answer such a call now."
    assert {state for state, _ in states(found).values()} == {"cooling"}


def test_another_key_of_the_same_model_is_as_good(world: World):
    Cooldown.objects.create(scope=f"key:{world.key.pk}", until=later(90), kind="rate_limited", reason="x")
    rows.key("sk-test-another-one-0123456789", account=world.key.account)
    assert asked(world).choices[0].state == "ready"


def test_a_limit_that_is_used_up_sends_it_elsewhere(world: World):
    limit = {"axis": "tokens", "window_s": 60.0, "source": "header"}
    LearnedLimit.objects.create(scope=f"{world.account}/deployment:{world.ada.pk}", limit=2_000, **limit)
    LearnedLimit.objects.create(scope=f"{world.account}/deployment:{world.bob.pk}", limit=2_150, **limit)
    LearnedLimit.objects.create(scope=f"{world.account}/deployment:{world.cyd.pk}", limit=9_000, **limit)
    found = asked(world)  # bob has just used 150 tokens, and the call needs 2,060
    assert states(found)["ada"][0] == states(found)["bob"][0] == "cooling"
    assert [(q.axis, q.limit, q.left) for q in of(found, "cyd").quota] == [("tokens", 9_000, 9_000)]
    assert found.first is not None
    assert found.first.target == "groq/maker/cyd"


def test_a_day_s_limit_counts_the_hours_since_midnight(world: World):
    LearnedLimit.objects.create(scope=world.account, axis="requests", window_s=86_400, limit=50, source="header")
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    at = max(now - timedelta(seconds=5), midnight)
    rows.attempt(at, deployment_id=world.ada.pk, account_id=world.key.account_id, key_id=world.key.pk, internal=True)
    found = asked(world, at=at)
    assert [round(q.left) for q in found.choices[0].quota] == [48]  # what was turned away used nothing up


def test_when_all_cool_it_says_how_long_it_would_wait(world: World):
    Cooldown.objects.create(scope=world.account, until=later(4), kind="rate_limited", reason="rate-limited")
    found = asked(world)
    assert found.first is not None
    assert 3 < found.wait_s <= 4
    assert "after a wait of " in found.words


def test_what_we_set_aside_ourselves_is_the_last_resort(world: World):
    BreakerState.objects.create(scope=f"deployment:{world.ada.pk}", state="open", until=later(40), opens=1)
    Cooldown.objects.create(scope=world.account, until=later(900), kind="rate_limited", reason="rate-limited")
    assert asked(world).first is None
    Cooldown.objects.all().delete()
    Placement.objects.exclude(deployment=world.ada).delete()
    found = asked(world)
    assert (found.first, found.choices[0].state) == (found.choices[0], "resting")


def test_what_its_client_may_not_ask_for_is_refused_as_the_gateway_would(world: World):
    client, _ = client_keys.issue("agent", pools=("fast",))
    found = asked(world, client=client.pk)
    assert found.first is None
    assert found.refused == "This client key may use the pools fast, not 'code'."
    assert found.words.startswith("Such a call would be turned away: This client key")


def test_a_name_that_is_gone_and_a_chain_that_leads_elsewhere(world: World):
    assert "is not known here" in asked(world, asked="no-such-model").refused
    policy = {"version": 0, "strategy": "ordered", "order": [], "models": ["groq/maker/eve"]}
    found = asked(world, asked="groq/maker/cyd", policy=policy)
    assert [c.target for c in found.choices] == ["groq/maker/cyd", "groq/maker/eve"]


def test_nothing_is_written_and_the_questions_do_not_grow_with_the_pool(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
):
    request = Request.objects.get(id=world.rotated())
    with django_assert_max_num_queries(18) as before:  # the configuration, what was measured, the starter's latencies
        present(request, timezone.now())
    for n in range(20):
        world.pool.place(world.deployment(f"more{n}"))
    with django_assert_max_num_queries(18) as after:
        present(request, timezone.now())
    assert len(after) == len(before)
    assert all(query["sql"].startswith("SELECT") for query in after.captured_queries)


def test_the_same_needs_fit_or_do_not_fit_as_they_did(world: World):
    world.ada.images = False
    world.ada.save()
    assert states(asked(world, needs={**NEEDS, "images": 1}))["ada"][0] == "unfit"
    assert states(asked(world))["ada"][0] == "ready"


def names(found: Present) -> list[str]:
    return [choice.target.rpartition("/")[2] for choice in found.choices]


def test_the_fastest_are_first_by_what_the_last_hour_measured(world: World):
    world.pool.strategy = "fastest"
    world.pool.save()
    for deployment, total in ((world.ada, 4_000), (world.bob, 900), (world.cyd, 2_000)):
        world.past(deployment, ["ok"] * 20, hours=0.3, total=total)
    found = asked(world, needs={**NEEDS, "stream": False})
    assert names(found) == ["bob", "cyd", "ada"]
    assert [choice.score for choice in found.choices] == pytest.approx([0.9, 2.0, 4.0], rel=0.35)
    assert (found.policy.strategy, found.assumed) == ("fastest", "")


@pytest.mark.parametrize("strategy", ["round_robin", "weighted"])
def test_whose_turn_it_is_is_not_pretended_to_be_known(world: World, strategy: str):
    world.pool.strategy = strategy
    world.pool.save()
    assert asked(world).assumed.startswith("Whose turn it is only the gateway knows")


def test_the_cheapest_have_their_price_as_score(world: World):
    for deployment, price in ((world.ada, 3), (world.bob, 1)):
        deployment.price_in = deployment.price_out = price
        deployment.save()
    found = asked(world, asked="code:cheapest")
    assert names(found) == ["bob", "ada", "cyd"]
    assert [choice.score for choice in found.choices] == [1e-6, 3e-6, None]


def test_what_the_client_pinned_and_excluded_still_counts(world: World):
    policy = {"version": 1, "strategy": "ordered", "order": [], "pin": ["groq"], "exclude": ["maker/ada"]}
    assert names(asked(world, policy=policy)) == ["bob", "cyd"]
    assert "is not known here" in asked(world, policy={**policy, "pin": ["nobody"]}).refused


def test_pictures_asked_of_auto_mean_those_who_see(world: World):
    auto, vision = rows.pool(name="auto"), rows.pool(name="vision")
    auto.place(world.ada)
    vision.place(world.eve)
    found = asked(world, asked="auto", pool="vision", needs={**NEEDS, "images": 1})
    assert names(found) == ["eve"]
    assert "images" in found.policy.why


def test_audio_goes_where_it_fits(world: World):
    ears = rows.pool(name="transcription")
    ears.place(world.deployment("whisper-1"))
    audio = {"type": "transcription", "prompt_tokens": 0, "audio_seconds": 30.0, "audio_format": "json"}
    fits = asked(world, asked="transcription", op="transcription", needs={**audio, "audio_size": 1_000_000})
    assert [(c.target, c.state) for c in fits.choices] == [("groq/maker/whisper-1", "ready")]
    large = asked(world, asked="transcription", op="transcription", needs={**audio, "audio_size": 10**10})
    assert [c.state for c in large.choices] == ["unfit"]
    assert "uploads of up to" in large.choices[0].why
