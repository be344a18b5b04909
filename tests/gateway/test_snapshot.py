"""What a name means: a pool, a pool by its full name, a provider's model, a model, a chain; and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from rotation.core.policy import BALANCED, SEED
from rotation.core.targets import Placement, Pool
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.snapshot import Snapshot
from tests.cast import Offer, snapshot_of

ALICE = Client(1, "alice")
BOB = Client(2, "bob", frozenset({"fast"}))
OFFERS = [Offer("groq", "llama"), Offer("together", "llama"), Offer("openai", "gpt-4o-mini")]


@pytest.fixture
def snapshot() -> Snapshot:
    made = snapshot_of("http://127.0.0.1:9", OFFERS)
    placements = (Placement(3, 1), Placement(1, 2, pinned=True))
    fast = Pool(9, "fast", placements, policy=SEED, strategy="cheapest", version=4)
    return replace(made, pools={**made.pools, "fast": fast})


@contextmanager
def refused(status: int, code: str) -> Iterator[list[str]]:
    told: list[str] = []
    with pytest.raises(Refusal) as caught:
        yield told
    assert (caught.value.status, caught.value.code, caught.value.param) == (status, code, "model")
    told.append(caught.value.message)


@pytest.mark.parametrize("name", ["fast", "pool/fast"])
def test_a_pool_is_its_placements_in_order_under_its_own_policy(snapshot: Snapshot, name: str) -> None:
    route = snapshot.route(name, (), ALICE)
    assert (route.pool, route.deployments, route.policy) == ("fast", (3, 1), SEED)
    assert (route.version, route.strategy) == (4, "cheapest")


@pytest.mark.parametrize(
    ("name", "deployments"),
    [("llama", (1, 2)), ("sim-together/llama", (2,)), ("sim-openai/gpt-4o-mini", (3,)), ("gpt-4o-mini", (3,))],
)
def test_a_model_is_every_deployment_of_that_name(snapshot: Snapshot, name: str, deployments: tuple[int, ...]) -> None:
    route = snapshot.route(name, (), ALICE)
    assert (route.pool, route.deployments, route.policy) == ("", deployments, BALANCED)


def test_a_chain_is_followed_in_its_order_each_deployment_once(snapshot: Snapshot) -> None:
    route = snapshot.route("gpt-4o-mini", ["sim-together/llama", "gpt-4o-mini", "llama"], ALICE)
    assert (route.pool, route.deployments) == ("", (3, 2, 1))


def test_a_chain_may_end_in_a_pool(snapshot: Snapshot) -> None:
    assert snapshot.route("sim-together/llama", ["fast"], ALICE).deployments == (2, 3, 1)


@pytest.mark.parametrize("name", ["fast", "fast:fastest"])
def test_a_chain_goes_on_after_a_pool_and_is_the_pool_s_in_all_else(snapshot: Snapshot, name: str) -> None:
    route, alone = snapshot.route(name, ["llama"], ALICE), snapshot.route(name, (), ALICE)
    assert route.members[0] == alone
    assert route.deployments == (3, 1, 2)
    assert (route.pool, route.policy, route.version, route.strategy) == (
        alone.pool, alone.policy, alone.version, alone.strategy,
    )  # fmt: skip


def test_an_unknown_name_is_told_its_neighbours(snapshot: Snapshot) -> None:
    with refused(404, "model_not_found") as told:
        snapshot.route("gpt-4o-minni", (), ALICE)
    assert "gpt-4o-mini" in told[0]


def test_a_name_like_no_other_is_told_the_pools(snapshot: Snapshot) -> None:
    with refused(404, "model_not_found") as told:
        snapshot.route("zzz", (), ALICE)
    assert "auto, fast" in told[0]


def test_an_unknown_name_in_a_chain_is_named(snapshot: Snapshot) -> None:
    with refused(404, "model_not_found") as told:
        snapshot.route("llama", ["gpt-17"], ALICE)
    assert "'gpt-17'" in told[0]


@pytest.mark.parametrize("name", ["auto", "llama", "sim-groq/llama", "pool/auto", "gpt-17"])
def test_a_client_limited_to_pools_is_told_those_and_nothing_of_others(snapshot: Snapshot, name: str) -> None:
    with refused(403, "model_not_allowed") as told:
        snapshot.route(name, (), BOB)
    assert told[0].startswith("This client key may use the pools fast,")


def test_a_limited_client_gets_its_pool_and_no_chain_out_of_it(snapshot: Snapshot) -> None:
    assert snapshot.route("pool/fast", (), BOB).pool == "fast"
    with refused(403, "model_not_allowed"):
        snapshot.route("pool/fast", ["llama"], BOB)


def test_a_pool_goes_before_a_model_of_the_same_name(snapshot: Snapshot) -> None:
    named = replace(snapshot, pools={**snapshot.pools, "llama": Pool(7, "llama", (Placement(3, 1),))})
    assert named.route("llama", (), ALICE).deployments == (3,)


def test_no_plain_secret_is_in_what_it_looks_like(snapshot: Snapshot) -> None:
    assert all(secret.reveal() not in repr(snapshot) for secret in snapshot.secrets.values())


@pytest.mark.parametrize(
    ("name", "pool", "deployments", "strategy"),
    [
        ("fast:fastest", "fast", (3, 1), "fastest"),
        ("pool/fast:cheapest", "fast", (3, 1), "cheapest"),
        ("llama:fastest", "", (1, 2), "fastest"),
        ("sim-together/llama:cheapest", "", (2,), "cheapest"),
    ],
)
def test_a_suffix_changes_the_strategy_and_no_pin_outranks_it(
    snapshot: Snapshot, name: str, pool: str, deployments: tuple[int, ...], strategy: str
) -> None:
    assert snapshot.route(name.rpartition(":")[0], (), ALICE).pinned == ({1} if pool else set())
    route = snapshot.route(name, (), ALICE)
    assert (route.pool, route.deployments, route.strategy, route.pinned) == (pool, deployments, strategy, frozenset())


def test_a_model_that_is_really_called_so_wins_over_the_suffix() -> None:
    offers = [Offer("openrouter", "x:free"), Offer("openrouter", "x"), Offer("openrouter", "x:fastest")]
    made = snapshot_of("http://127.0.0.1:9", offers)
    for name, deployments, strategy in [
        ("x:free", (1,), "ordered"), ("x:fastest", (3,), "ordered"), ("x:free:fastest", (1,), "fastest"),
        ("x:cheapest", (2,), "cheapest"), ("x:fastest:fastest", (3,), "fastest"),
    ]:  # fmt: skip
        route = made.route(name, (), ALICE)
        assert (route.deployments, route.strategy) == (deployments, strategy), name


def test_an_unknown_suffix_is_part_of_an_unknown_name(snapshot: Snapshot) -> None:
    with refused(404, "model_not_found") as told:
        snapshot.route("llama:slowest", (), ALICE)
    assert "'llama:slowest'" in told[0]


def test_the_names_of_a_chain_keep_their_strategies(snapshot: Snapshot) -> None:
    route = snapshot.route("llama:fastest", ["fast"], ALICE)
    assert [m.strategy for m in route.members] == ["fastest", "cheapest"]
    assert route.deployments == (1, 2, 3)


def test_a_limited_client_may_ask_its_pool_in_another_order(snapshot: Snapshot) -> None:
    assert snapshot.route("fast:fastest", (), BOB).strategy == "fastest"
    with refused(403, "model_not_allowed"):
        snapshot.route("auto:fastest", (), BOB)
