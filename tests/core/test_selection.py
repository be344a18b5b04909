"""Which targets fit a call, and what is said of those that do not."""

from __future__ import annotations

from dataclasses import replace

from rotation.core.policy import BALANCED
from rotation.core.selection import READY, Standing, State, select
from rotation.core.targets import Account, Deployment, Key, Needs, Provider, Target

PROVIDER = Provider(1, "groq", "groq", "http://x")
ACCOUNT = Account(1, 1)


def target(number: int, **features: object) -> Target:
    return Target(Deployment(number, 1, f"model-{number}", **features), Key(number, 1), ACCOUNT, PROVIDER)  # type: ignore[arg-type]  # features vary


def ready(_: Target) -> Standing:
    return READY


def test_targets_keep_the_order_they_were_given_in() -> None:
    found = select([target(3), target(1), target(2)], Needs(), BALANCED, ready)
    assert [c.target.deployment.id for c in found] == [3, 1, 2]


def test_an_unfit_target_says_why_whatever_its_health() -> None:
    [found] = select([target(1, tools=False)], Needs(tools=True), BALANCED, ready)
    assert found.standing.state is State.UNFIT
    assert "tools" in found.standing.why
    assert not found.last_resort


def resting_all_but(healthy: int, many: int = 4) -> tuple[list[Target], dict[int, Standing]]:
    targets = [target(n) for n in range(1, many + 1)]
    standings = {
        t.key.id: Standing(State.RESTING, 100.0 + t.key.id, "breaker open", guessed=True) for t in targets[healthy:]
    }
    return targets, standings


def test_in_panic_every_resting_target_is_a_last_resort() -> None:
    targets, standings = resting_all_but(1)
    found = select(targets, Needs(), BALANCED, lambda t: standings.get(t.key.id, READY))
    assert [c.last_resort for c in found] == [False, True, True, True]


def test_without_panic_only_those_beyond_the_ejection_cap_are_a_last_resort_soonest_first() -> None:
    targets, standings = resting_all_but(1)
    policy = replace(BALANCED, panic=False, ejection_cap=0.5)
    found = select(targets, Needs(), policy, lambda t: standings.get(t.key.id, READY))
    assert [c.target.key.id for c in found if c.last_resort] == [2]


def test_without_panic_and_cap_nobody_resting_is_tried() -> None:
    targets, standings = resting_all_but(0)
    policy = replace(BALANCED, panic=False, ejection_cap=None)
    found = select(targets, Needs(), policy, lambda t: standings.get(t.key.id, READY))
    assert not any(c.last_resort for c in found)


def test_what_a_provider_or_a_person_said_is_never_overruled() -> None:
    told = Standing(State.COOLING, 100.0, "the provider asked for 100 s")
    assert not any(c.last_resort for c in select([target(1), target(2)], Needs(), BALANCED, lambda _: told))
