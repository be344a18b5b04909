"""The gate chooses among a deployment's keys in turn, and knows a lack as soon as it is learned."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotation.core.failures import Failure, FailureKind
from rotation.gateway.gate import Gate, without_feature
from rotation.gateway.journal import Journal
from rotation.gateway.leave import Permit, Work
from rotation.gateway.snapshot import Route
from tests.cast import Offer, snapshot_of

OFFERS = [Offer("groq", "llama", keys=2, accounts=2), Offer("openai", "gpt-4o-mini")]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(snapshot_of("http://127.0.0.1:9", OFFERS), Journal(tmp_path))


def order(gate: Gate, *deployments: int) -> list[tuple[int, int]]:
    return [target.id for target in gate.targets(Route("", deployments))]


def test_the_deployments_keep_their_order_and_the_keys_of_each_take_turns(gate: Gate) -> None:
    rounds = [order(gate, 1, 2) for _ in range(5)]
    assert all([d for d, _ in found] == [1, 1, 1, 1, 2] for found in rounds)
    assert all(len(set(found)) == 5 for found in rounds)
    firsts = [found[0] for found in rounds]
    assert len(set(firsts[:4])) == 4
    assert firsts[4] == firsts[0]


def test_each_deployment_counts_its_own_turns(gate: Gate) -> None:
    alone = order(gate, 1)[0]
    for _ in range(3):
        order(gate, 2)
    assert order(gate, 1)[0] != alone


def test_a_deployment_without_a_key_or_one_that_is_gone_has_no_targets(gate: Gate) -> None:
    assert order(gate, 99) == []


def lacking(gate: Gate, deployment: int) -> set[str]:
    assert all(t.deployment is gate.snapshot.deployments[deployment] for t in gate.snapshot.targets[deployment])
    return set(gate.snapshot.deployments[deployment].lacks)


def test_a_lack_is_known_through_every_key_at_once(gate: Gate) -> None:
    permit = gate.health.admit(gate.snapshot.targets[1][0], Work())
    assert isinstance(permit, Permit)
    gate.failed(permit, Failure(FailureKind.LACKS_FEATURE, feature="tools"))
    assert lacking(gate, 1) == {"tools"}
    assert lacking(gate, 2) == set()
    gate.snapshot = without_feature(gate.snapshot, 1, "images")
    assert lacking(gate, 1) == {"tools", "images"}


def test_a_lack_of_a_deployment_that_has_been_taken_away_meanwhile_changes_nothing(gate: Gate) -> None:
    permit = gate.health.admit(gate.snapshot.targets[1][0], Work())
    assert isinstance(permit, Permit)
    gate.adopt(snapshot_of("http://127.0.0.1:9", []))
    gate.failed(permit, Failure(FailureKind.LACKS_FEATURE, feature="tools"))
    assert gate.snapshot.deployments == {}


def test_a_new_configuration_is_worked_from_at_once_and_keeps_the_health(gate: Gate) -> None:
    permit = gate.health.admit(gate.snapshot.targets[2][0], Work())
    assert isinstance(permit, Permit)
    gate.failed(permit, Failure(FailureKind.RATE_LIMITED, retry_after=60))
    gate.adopt(snapshot_of("http://127.0.0.1:9", OFFERS))
    assert gate.health.standing(gate.snapshot.targets[2][0]).state == "cooling"
