"""Second tries are a share of the first ones and a trickle, saved up to a bound."""

from __future__ import annotations

from rotation.core.policy import BALANCED, SEED
from rotation.gateway.budget import MOST, RetryBudget


def taken(budget: RetryBudget, now: float, deployment: int = 1) -> int:
    """How many tries out of turn are let through at once."""
    count = 0
    while count < 1000 and budget.take(deployment, BALANCED, now):
        count += 1
    return count


def test_a_few_are_there_from_the_start_for_each_deployment() -> None:
    budget = RetryBudget()
    assert taken(budget, 0.0) == MOST
    assert taken(budget, 0.0) == 0
    assert taken(budget, 0.0, deployment=2) == MOST


def test_five_first_tries_pay_for_one_second() -> None:
    budget = RetryBudget()
    taken(budget, 0.0)
    for _ in range(5):
        assert not budget.take(1, BALANCED, 0.0)
        budget.earn(1, BALANCED, 0.0)
    assert taken(budget, 0.0) == 1


def test_one_a_second_trickles_in_and_no_more_than_a_few_are_saved() -> None:
    budget = RetryBudget()
    taken(budget, 0.0)
    assert taken(budget, 3.0) == 3
    assert taken(budget, 10_000.0) == MOST
    for _ in range(1000):
        budget.earn(1, BALANCED, 10_000.0)
    assert taken(budget, 10_000.0) == MOST


def test_a_policy_without_a_share_knows_no_budget() -> None:
    budget = RetryBudget()
    assert all(budget.take(1, SEED, 0.0) for _ in range(100))
    assert taken(budget, 0.0) == MOST
