"""What the database tells health: an earlier life's troubles once, benches always, and what a person ended."""

from __future__ import annotations

import math

import pytest

from rotation.core.failures import Failure, FailureKind
from rotation.core.selection import State
from rotation.gateway import recall
from rotation.gateway.snapshot import Block, Learned, Snapshot
from rotation.providers.base import Limit
from rotation.sealing import Secret
from tests.gateway.parts import MORNING, Rig, target

K = FailureKind
HERE = target(1)
SOON = MORNING + 60


def told(rig: Rig, *blocks: Block, learned: tuple[Learned, ...] = (), keys: tuple[int, ...] = (1, 2)) -> None:
    """The database says so."""
    secrets = {key: Secret("") for key in keys}
    recall.adopt(rig.health, Snapshot(1, {}, {}, {}, {}, {}, secrets, blocks, learned))


def cooling(scope: str = "account:1", until: float = SOON, kind: FailureKind = K.RATE_LIMITED,
            why: str = "the provider asked for it") -> Block:  # fmt: skip
    return Block(scope, until, kind, why)


def state(rig: Rig) -> State:
    return rig.health.standing(HERE).state


def test_a_cooldown_of_an_earlier_life_runs_to_its_end_and_no_further() -> None:
    rig = Rig()
    told(rig, cooling())
    standing = rig.health.standing(HERE)
    assert (standing.state, standing.until, standing.guessed) == (State.COOLING, SOON, False)
    assert standing.why == "the provider asked for it"
    assert rig.notes == []
    rig.clock.at = SOON
    assert state(rig) is State.READY


def test_a_cooldown_that_was_over_before_the_start_is_none() -> None:
    rig = Rig()
    told(rig, cooling(until=MORNING))
    assert rig.health.cooldowns == {}


def test_what_this_life_knows_is_not_overruled_by_an_older_row() -> None:
    rig = Rig()
    rig.fails(HERE, K.OUT_OF_CREDIT, retry_after=500)
    told(rig, cooling())
    assert rig.health.standing(HERE).until == MORNING + 500


def test_what_was_lifted_does_not_come_back_with_a_snapshot_that_was_read_before() -> None:
    rig = Rig()
    told(rig, cooling())
    recall.lift(rig.health, "cooldown", "account:1")
    assert state(rig) is State.READY
    told(rig, cooling())
    assert state(rig) is State.READY


def test_a_cooldown_set_anew_after_it_was_lifted_and_forgotten_is_heard_of() -> None:
    rig = Rig()
    told(rig, cooling())
    recall.lift(rig.health, "cooldown", "account:1")
    told(rig)
    told(rig, cooling(until=SOON + 1))
    assert rig.health.standing(HERE).until == SOON + 1


def test_a_cooldown_the_database_tells_of_no_longer_is_over_even_when_nobody_said_so() -> None:
    rig = Rig()
    told(rig, cooling())
    told(rig)
    assert state(rig) is State.READY


def test_a_cooldown_that_was_lengthened_since_the_database_told_of_it_stays() -> None:
    rig = Rig()
    permit = rig.admitted(HERE)
    told(rig, cooling("account:1/deployment:1"))
    rig.health.failed(permit, Failure(K.RATE_LIMITED, retry_after=600))
    told(rig)
    assert rig.health.standing(HERE).until == MORNING + 600


def test_benches_follow_the_database_there_and_back() -> None:
    rig = Rig()
    gone = Block("deployment:1", math.inf, K.MODEL_GONE, "gone: retired")
    told(rig, gone)
    standing = rig.health.standing(HERE)
    assert (standing.state, standing.until, standing.why) == (State.BENCHED, math.inf, "gone: retired")
    told(rig, gone)
    assert state(rig) is State.BENCHED
    told(rig)
    assert state(rig) is State.READY


def test_a_model_that_is_listed_again_is_back_at_once() -> None:
    rig = Rig()
    rig.fails(HERE, K.MODEL_GONE)
    told(rig, Block("deployment:1", math.inf, K.MODEL_GONE, "gone"))
    told(rig)
    assert state(rig) is State.READY


def test_what_an_earlier_life_only_guessed_is_still_a_guess() -> None:
    rig = Rig()
    told(rig, cooling("deployment:1", why="no hint, 3 in a row"))
    assert rig.health.standing(HERE).guessed


# keys


def invalid(until: float = SOON) -> Block:
    return cooling("key:1", until, K.BAD_CREDENTIAL, "the provider refused this key")


def test_a_key_invalid_since_an_earlier_life_is_ready_again_when_it_works() -> None:
    rig = Rig()
    told(rig, invalid())
    rig.clock.at = SOON
    rig.works(HERE)
    assert [note["state"] for note in rig.notes.of("key")] == ["ready"]


def test_a_key_invalid_since_an_earlier_life_is_not_merely_suspect_when_it_is_refused_again() -> None:
    rig = Rig()
    told(rig, invalid(MORNING))
    rig.fails(HERE, K.BAD_CREDENTIAL)
    assert [note["state"] for note in rig.notes.of("key")] == ["invalid"]


def test_a_key_that_got_a_new_secret_is_used_at_once_and_starts_without_suspicion() -> None:
    rig = Rig()
    rig.fails(HERE, K.BAD_CREDENTIAL)
    rig.clock.forward(15)
    until = rig.fails(HERE, K.BAD_CREDENTIAL)
    assert until is not None
    told(rig, invalid(until))
    told(rig)
    assert state(rig) is State.READY
    rig.fails(HERE, K.BAD_CREDENTIAL)
    assert [note["state"] for note in rig.notes.of("key")] == ["suspect", "invalid", "suspect"]


def test_suspicion_of_a_key_that_was_taken_away_is_forgotten() -> None:
    rig = Rig()
    rig.fails(HERE, K.BAD_CREDENTIAL)
    told(rig, keys=(2,))
    assert rig.health.refusals == {}


# limits


def test_a_limit_learned_in_an_earlier_life_holds_until_the_provider_speaks_again() -> None:
    rig = Rig()
    learned = (Learned("account:1/deployment:1", "requests", 1, 60),)
    told(rig, learned=learned)
    rig.health.release(rig.admitted(HERE))
    rig.admitted(HERE)
    assert rig.refused(HERE).until == pytest.approx(SOON)
    rig.health.limits.learn(HERE, [Limit("requests", 5, 60, 5.0)], rig.clock())
    told(rig, learned=learned)
    rig.admitted(HERE)
    assert rig.health.limits.quotas["account:1/deployment:1"].buckets["requests", 60].capacity == 5


def test_being_told_of_a_limit_again_does_not_fill_it() -> None:
    rig = Rig()
    learned = (Learned("account:1/deployment:1", "requests", 1, 60),)
    told(rig, learned=learned)
    rig.admitted(HERE)
    told(rig, learned=learned)
    rig.refused(HERE)


# what a person ends


@pytest.mark.parametrize("scope", ["account:1", "key:1", "key:1/deployment:1", "deployment:1", "account:1/free"])
def test_a_cooldown_of_any_scope_can_be_lifted(scope: str) -> None:
    rig = Rig()
    told(rig, cooling(scope))
    recall.lift(rig.health, "cooldown", scope)
    assert rig.health.cooldowns == {}


def test_lifting_a_keys_cooldown_forgets_its_refusals() -> None:
    rig = Rig()
    rig.fails(HERE, K.BAD_CREDENTIAL)
    recall.lift(rig.health, "cooldown", "key:1")
    rig.clock.forward(60)
    rig.fails(HERE, K.BAD_CREDENTIAL)
    assert [note["state"] for note in rig.notes.of("key")] == ["suspect", "suspect"]


def test_a_forgotten_limit_refuses_nobody_and_may_be_learned_again() -> None:
    rig = Rig()
    rig.health.limits.learn(HERE, [Limit("requests", 1, 60, 0.0)], rig.clock())
    rig.refused(HERE)
    recall.lift(rig.health, "limit", "account:1/deployment:1")
    rig.admitted(HERE)
    rig.health.limits.learn(HERE, [Limit("requests", 1, 60, 0.0)], rig.clock())
    rig.refused(HERE)


def test_of_several_limits_of_a_scope_only_the_one_lifted_is_forgotten() -> None:
    rig = Rig()
    rig.health.limits.learn(HERE, [Limit("requests", 1, 60, 0.0), Limit("requests", 50, 86_400.0, 9.0)], rig.clock())
    recall.lift(rig.health, "limit", "account:1/deployment:1", {"axis": "requests", "window": 60})
    rig.admitted(HERE)
    assert set(rig.health.limits.quotas["account:1/deployment:1"].buckets) == {("requests", 86_400.0)}
    recall.lift(rig.health, "limit", "account:1/deployment:1", {"axis": "requests", "window": 86_400.0})
    assert rig.health.limits.quotas == {}


def test_what_nobody_knows_of_is_lifted_without_a_word() -> None:
    rig = Rig()
    for what in ("cooldown", "limit", "breaker", "nonsense"):
        recall.lift(rig.health, what, "key:zwölf")
    assert rig.notes == []
