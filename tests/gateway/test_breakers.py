"""Breakers and the database: an earlier life's go on where they stood, an operator's word reaches the gateway."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from rotation.core.failures import FailureKind
from rotation.core.policy import SEED
from rotation.core.selection import State
from rotation.gateway import recall
from rotation.gateway.leave import Work
from rotation.gateway.snapshot import Snapshot, StoredBreaker
from tests.gateway.parts import MORNING, REQUEST, Rig, target

K = FailureKind
HERE = target(1)
SCOPE = "deployment:1"


def told(rig: Rig, *rows: StoredBreaker) -> None:
    """The database says so."""
    recall.adopt(rig.health, Snapshot(1, {}, {}, {}, {}, {}, {}, breakers=rows))


def row(
    state: str, *, until: float | None = None, opens: int = 0, at: float = MORNING, scope: str = SCOPE
) -> StoredBreaker:
    return StoredBreaker(scope, state, until, opens, at)


def standing(rig: Rig) -> tuple[State, float]:
    found = rig.health.standing(HERE)
    return found.state, found.until


def trips(rig: Rig) -> list[tuple[str, str]]:
    return [(note["before"], note["after"]) for note in rig.notes.of("breaker")]


def opened(rig: Rig) -> None:
    for _ in range(5):
        rig.fails(HERE, K.OVERLOADED)


# an earlier life


def test_an_open_breaker_of_an_earlier_life_rests_to_its_end_and_then_probes() -> None:
    rig = Rig()
    told(rig, row("open", until=MORNING + 90, opens=3))
    assert standing(rig) == (State.RESTING, MORNING + 90)
    assert rig.health.standing(HERE).guessed
    rig.clock.forward(90)
    assert rig.admitted(HERE).breakers[0][1].probe
    assert trips(rig) == [("open", "half_open")]


def test_its_next_opening_is_counted_after_those_before_the_restart() -> None:
    rig = Rig()
    told(rig, row("open", until=MORNING, opens=3))
    rig.fails(HERE, K.OVERLOADED)
    assert rig.notes.of("breaker")[-1]["opens"] == 4


def test_a_half_open_one_is_ready_to_probe_and_one_that_has_just_closed_starts_slowly() -> None:
    probing, closed = Rig(), Rig()
    told(probing, row("half_open", opens=1))
    assert probing.admitted(HERE).breakers[0][1].probe
    told(closed, row("closed", opens=1))
    closed.chance = 0.9
    assert "slow start" in closed.refused(HERE).why


def test_a_restart_changes_nothing_and_so_says_nothing() -> None:
    rig = Rig()
    told(
        rig,
        row("forced_open"),
        row("disabled", scope="deployment:2"),
        row("open", until=MORNING + 9, scope="provider:2"),
    )
    assert rig.notes == []


def test_what_an_operator_said_before_the_restart_still_holds() -> None:
    rig = Rig()
    told(rig, row("forced_open"))
    assert standing(rig) == (State.BENCHED, math.inf)
    assert rig.health.standing(HERE).why == "forced open by an operator"
    rig.refused(HERE, last_resort=True)
    off = Rig()
    told(off, row("disabled"))
    for _ in range(20):
        off.fails(HERE, K.OVERLOADED)
    assert standing(off)[0] is State.READY
    assert off.health._open == set(), "a breaker switched off is no sign of an outage"


def test_a_restored_breaker_follows_the_policy_of_who_asks_it() -> None:
    rig = Rig(SEED)
    rig.work = Work(SEED, "", 0, REQUEST)
    told(rig, row("open", until=MORNING, opens=1, scope="pool:"))
    rig.works(HERE)
    assert trips(rig)[-1] == ("half_open", "closed"), "one probe is enough there"


def test_a_breaker_of_this_life_knows_better_than_its_row() -> None:
    rig = Rig()
    rig.works(HERE)
    told(rig, row("open", until=MORNING + 60))
    assert standing(rig)[0] is State.READY
    opened(rig)
    told(rig, row("closed", at=MORNING + 1))
    assert standing(rig)[0] is State.RESTING


# an operator


def test_an_operator_s_word_is_heard_by_notice_and_by_the_next_look_alike() -> None:
    ways: tuple[Callable[[Rig, str, float], object], ...] = (
        lambda rig, state, at: recall.lift(rig.health, "breaker", SCOPE, {"state": state, "at": at}),
        lambda rig, state, at: told(rig, row(state, at=at)),
    )
    for say in ways:
        rig = Rig()
        rig.works(HERE)
        say(rig, "forced_open", MORNING + 1)
        assert standing(rig) == (State.BENCHED, math.inf)
        say(rig, "disabled", MORNING + 2)
        assert standing(rig)[0] is State.READY
        say(rig, "closed", MORNING + 3)
        opened(rig)
        assert trips(rig) == [
            ("closed", "forced_open"),
            ("forced_open", "disabled"),
            ("disabled", "closed"),
            ("closed", "open"),
        ]


def test_a_deployment_never_asked_before_can_be_forced_open() -> None:
    rig = Rig()
    recall.lift(rig.health, "breaker", SCOPE, {"state": "forced_open", "at": MORNING})
    rig.refused(HERE, last_resort=True)
    recall.lift(rig.health, "breaker", SCOPE, {"state": "closed", "at": MORNING + 1})
    rig.works(HERE)


def test_what_was_read_before_an_operator_spoke_does_not_undo_his_word() -> None:
    rig = Rig()
    recall.lift(rig.health, "breaker", SCOPE, {"state": "forced_open", "at": MORNING + 5})
    told(rig, row("closed", at=MORNING + 4))
    assert standing(rig)[0] is State.BENCHED
    recall.lift(rig.health, "breaker", SCOPE, {"state": "closed", "at": MORNING + 9})
    told(rig, row("forced_open", at=MORNING + 5))
    assert standing(rig)[0] is State.READY


def test_a_row_that_is_gone_takes_an_operator_s_word_along() -> None:
    rig = Rig()
    told(rig, row("forced_open"))
    told(rig)
    assert standing(rig)[0] is State.READY


def test_a_closed_breaker_lets_calls_through_and_leaves_a_trip() -> None:
    rig = Rig()
    opened(rig)
    recall.lift(rig.health, "breaker", SCOPE)
    assert standing(rig)[0] is State.READY
    rig.works(HERE)
    last = rig.notes.of("breaker")[-1]
    assert (last["before"], last["after"], last["reason"]) == ("open", "closed", "reset by an operator")


@pytest.mark.parametrize("state", ["nonsense", None, 7])
def test_a_state_nobody_knows_is_back_to_normal(state: object) -> None:
    rig = Rig()
    opened(rig)
    recall.lift(rig.health, "breaker", SCOPE, {"state": state})
    assert standing(rig)[0] is State.READY
