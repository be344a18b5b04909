"""The order by expected time to an answer: right, calm, stable, and every move with its numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.evidence import Evidence
from rotation.core.ranking import Move, Proposal, answer_ms, burdens, expected_ms, propose, success_share


def seen(deployment: int, seconds: float | None, *, ok: int = 1000, failed: int = 0, fail_s: float | None = None,
         rate_limited: int = 0) -> Evidence:  # fmt: skip
    ms = None if seconds is None else seconds * 1000
    fail_ms = None if fail_s is None else fail_s * 1000
    return Evidence(deployment, ok, failed, rate_limited, p50_ms=ms, mean_ms=ms, fail_ms=fail_ms)


def order_of(*evidence: Evidence, order: tuple[int, ...] = (1, 2, 3), pinned: frozenset[int] = frozenset()) -> Proposal:
    return propose(order, {e.deployment: e for e in evidence}, pinned)


TIMES = st.none() | st.floats(1.0, 600_000.0)
COUNTS = st.integers(0, 500)
EVIDENCE = st.builds(
    Evidence, st.just(0), COUNTS, COUNTS, COUNTS, p50_ms=TIMES, mean_ms=TIMES, fail_ms=TIMES, prior_ms=TIMES
)
POOLS = st.lists(EVIDENCE, max_size=12).map(lambda found: [replace(e, deployment=n) for n, e in enumerate(found)])


# expected time


def test_a_target_that_never_fails_is_expected_to_take_its_own_time():
    assert expected_ms(seen(1, 2.0, ok=10**9)) == pytest.approx(2000)


def test_a_failure_costs_its_time_and_the_next_try():
    """Half of the tries lost at 10 s each: one failure before every answer, on the average."""
    assert expected_ms(seen(1, 2.0, ok=10**9, failed=10**9, fail_s=10.0)) == pytest.approx(12_000, rel=1e-6)


def test_a_quick_refusal_costs_little():
    slow = expected_ms(seen(1, 5.0))
    limited = expected_ms(seen(2, 1.0, ok=500, rate_limited=500, fail_s=0.1))
    assert slow is not None
    assert limited is not None
    assert limited < slow / 3


def test_a_failure_of_unknown_length_costs_as_much_as_an_answer():
    assert expected_ms(seen(1, 2.0, ok=10**9, failed=10**9)) == pytest.approx(4000, rel=1e-6)


def test_few_answers_are_drawn_towards_what_was_believed_before():
    few = Evidence(1, ok=5, mean_ms=1000.0, prior_ms=3000.0)
    assert answer_ms(few) == 2000.0
    assert answer_ms(replace(few, ok=5000)) == pytest.approx(1000, rel=0.01)
    assert answer_ms(replace(few, ok=0)) == 3000.0
    assert answer_ms(replace(few, prior_ms=None)) == 1000.0
    assert answer_ms(replace(few, ok=1)) == pytest.approx((1000 + 5 * 3000) / 6)
    assert answer_ms(replace(few, ok=0, prior_ms=None)) is None, "a mean of no answers is none"


def test_the_mean_counts_and_the_median_stands_in_for_it():
    assert answer_ms(Evidence(1, ok=9, p50_ms=100.0, mean_ms=200.0)) == 200.0
    assert answer_ms(Evidence(1, ok=9, p50_ms=100.0)) == 100.0


def test_one_lucky_try_is_no_certainty_and_one_unlucky_is_no_sentence():
    assert success_share(Evidence(1)) == 0.8
    assert success_share(Evidence(1, ok=1)) == pytest.approx(5 / 6)
    assert success_share(Evidence(1, failed=1)) == pytest.approx(4 / 6)
    assert success_share(Evidence(1, failed=10**9)) > 0


def test_of_a_target_that_nothing_is_known_about_nothing_is_expected():
    assert expected_ms(Evidence(1)) is None
    assert expected_ms(Evidence(1, ok=0, failed=60, fail_ms=500.0)) is not None


@given(st.lists(st.tuples(st.floats(0.05, 0.99), st.floats(0.1, 30), st.floats(0.01, 60)), min_size=2, max_size=5))
def test_no_order_answers_sooner_than_the_one_by_expected_time(targets):
    """Every permutation of a small pool, costed by hand: try, lose the failure's time, go on, begin anew at the end."""

    def cost(order: Iterable[tuple[float, float, float]]) -> float:
        lost, reached = 0.0, 1.0
        for share, answer, failure in order:
            lost += reached * (share * answer + (1 - share) * failure)
            reached *= 1 - share
        return lost / (1 - reached)

    by_expected = sorted(targets, key=lambda t: t[1] + t[2] * (1 - t[0]) / t[0])
    assert cost(by_expected) <= min(cost(order) for order in itertools.permutations(targets)) * (1 + 1e-9)


# proposing


def test_the_quicker_one_moves_up_and_both_moves_say_why():
    proposal = propose([1, 2], {1: seen(1, 3.0), 2: seen(2, 1.5)}, ())
    assert proposal == Proposal(
        (2, 1),
        (
            Move(2, 1, 0, "1,000 of 1,000 tries answered, 1.50 s expected to an answer: "
                          "50% less than the 3.00 s of deployment 1"),
            Move(1, 0, 1, "1,000 of 1,000 tries answered, 3.00 s expected to an answer; "
                          "passed by deployment 2, expected after 1.50 s"),
        ),
        ((1, 2),),
    )  # fmt: skip


def test_a_twentieth_is_enough_and_less_is_not():
    assert order_of(seen(1, 1.0), seen(2, 0.949), order=(1, 2)).order == (2, 1)
    assert order_of(seen(1, 1.0), seen(2, 0.951), order=(1, 2)) == Proposal((1, 2), ())


def test_only_the_pairs_that_are_sure_enough_change_places():
    evidence = {1: seen(1, 9.0), 2: seen(2, 5.0), 3: seen(3, 1.0)}
    assert propose([1, 2, 3], evidence, (), allowed=()).moves == ()
    assert propose([1, 2, 3], evidence, (), allowed={(1, 2)}).order == (2, 1, 3)
    assert propose([1, 2, 3], evidence, (), allowed={(1, 3)}).order == (3, 1, 2)
    assert propose([1, 2, 3], evidence, (), allowed={(1, 3)}).swaps == ((1, 3), (2, 3))


def test_whoever_is_no_quicker_does_not_stand_in_the_way():
    """Each is a little quicker than the one above, none by the margin: the last passes the first all the same."""
    assert order_of(seen(1, 1.0), seen(2, 0.97), seen(3, 0.94)).order == (3, 1, 2)


def test_old_tries_count_for_less():
    fresh = Evidence(1, ok=100, mean_ms=1000.0, prior_ms=3000.0, share=1.0, weight=100.0)
    assert answer_ms(replace(fresh, weight=5.0)) == 2000.0
    assert success_share(replace(fresh, weight=5.0)) == pytest.approx(0.9)
    assert success_share(replace(fresh, share=0.2, weight=1e9)) == pytest.approx(0.2)


def test_what_an_answer_costs_and_is_short_of_in_quality_is_charged_as_time():
    known = {1: replace(seen(1, 1.0), usd=0.002, quality=3.0), 2: replace(seen(2, 1.5), usd=0.0, quality=5.0)}
    assert burdens(known, cost_weight=0, quality_weight=0) == {1: 0.0, 2: 0.0}
    assert burdens(known, cost_weight=0.5, quality_weight=0) == {1: 1000.0, 2: 0.0}
    assert burdens(known, cost_weight=0, quality_weight=0.25) == {1: 500.0, 2: 0.0}
    assert propose([1, 2], known, (), charged=burdens(known, cost_weight=0.5, quality_weight=0)).order == (2, 1)
    assert propose([1, 2], known, (), charged=burdens(known, cost_weight=0.2, quality_weight=0)).order == (1, 2)


def test_an_unknown_price_is_taken_for_the_dearest_and_an_unknown_quality_for_the_middle():
    known = {
        1: replace(seen(1, 1.0), usd=0.004, quality=2.0),
        2: replace(seen(2, 1.0), usd=0.001, quality=4.0),
        3: seen(3, 1.0),
    }
    charged = burdens(known, cost_weight=1.0, quality_weight=1.0)
    assert charged[3] == 1000 * (4.0 + 2.0)
    assert burdens({3: seen(3, 1.0)}, cost_weight=1.0, quality_weight=1.0) == {3: 0.0}


def test_the_margin_can_be_set_and_none_still_needs_to_be_quicker():
    evidence = {1: seen(1, 1.0), 2: seen(2, 0.99), 3: seen(3, 0.99)}
    assert propose([1, 2, 3], evidence, ()).order == (1, 2, 3)
    assert propose([1, 2, 3], evidence, (), margin=0.0).order == (2, 3, 1)


def test_exactly_the_margin_is_enough():
    evidence = {1: seen(1, 1.0), 2: seen(2, 0.5)}
    assert propose([1, 2], evidence, (), margin=0.5).order == (2, 1)
    assert propose([1, 2], evidence, (), margin=0.501).order == (1, 2)


def test_rate_limited_tries_are_samples_too():
    limited = seen(2, 0.1, ok=25, rate_limited=25, fail_s=0.05)
    assert (limited.tries, seen(1, 1.0, ok=3, failed=2).tries) == (50, 5)
    assert order_of(seen(1, 9.0), limited, order=(1, 2)).order == (2, 1)


def test_a_target_with_too_few_tries_neither_moves_nor_is_passed():
    assert order_of(seen(1, 9.0), seen(2, 1.0, ok=49), order=(1, 2)).moves == ()
    assert order_of(seen(1, 9.0, ok=49), seen(2, 1.0), order=(1, 2)).moves == ()
    assert order_of(seen(1, 9.0, ok=50), seen(2, 1.0, ok=50), order=(1, 2)).order == (2, 1)


def test_failed_tries_are_samples_too_so_a_dead_one_sinks():
    dead = Evidence(1, ok=0, failed=60, fail_ms=5000.0, prior_ms=500.0)
    assert order_of(dead, seen(2, 2.0), order=(1, 2)).order == (2, 1)


def test_the_others_change_places_around_one_that_is_not_measured():
    assert order_of(seen(1, 9.0), seen(3, 1.0)).order == (3, 2, 1)


def test_a_pinned_one_keeps_its_place_whatever_is_measured():
    quick = [seen(1, 9.0), seen(2, 5.0), seen(3, 1.0)]
    assert order_of(*quick, pinned=frozenset({1})).order == (1, 3, 2)
    assert order_of(*quick, pinned=frozenset({2})).order == (3, 2, 1)
    assert order_of(*quick, pinned=frozenset({1, 2, 3})).moves == ()


def test_without_evidence_nothing_moves():
    assert propose([3, 1, 2], {}, ()) == Proposal((3, 1, 2), ())
    assert propose([], {}, ()) == Proposal((), ())


def test_a_move_over_several_places_names_the_slowest_it_passed():
    proposal = order_of(seen(1, 4.0), seen(2, 6.0), seen(3, 1.0))
    assert proposal.order == (3, 1, 2)
    assert "of deployment 2" in proposal.moves[0].why


def test_a_move_down_names_the_quickest_that_passed():
    proposal = order_of(seen(1, 60.0), seen(2, 2.0), seen(3, 1.0))
    assert proposal.order == (3, 2, 1)
    assert proposal.moves[-1].why.endswith("passed by deployment 3, expected after 1.00 s")
    assert "60.06 s expected" in proposal.moves[-1].why


@given(POOLS, st.data())
def test_a_proposal_only_reorders_keeps_pins_and_proposes_no_more_when_applied(pool, data):
    order = data.draw(st.permutations(range(len(pool))))
    pinned = data.draw(st.frozensets(st.sampled_from(range(len(pool))))) if pool else frozenset()
    evidence = {one.deployment: one for one in pool if data.draw(st.booleans())}
    proposal = propose(order, evidence, pinned)
    assert sorted(proposal.order) == sorted(order)
    assert propose(order, evidence, pinned) == proposal
    assert propose(proposal.order, evidence, pinned) == Proposal(proposal.order, ())
    for place, one in enumerate(order):
        measured = one in evidence and evidence[one].tries >= 50
        if one in pinned or not measured:
            assert proposal.order[place] == one
    assert {m.deployment: (m.before, m.after) for m in proposal.moves} == {
        one: (order.index(one), place) for place, one in enumerate(proposal.order) if order.index(one) != place
    }
    assert all(move.why for move in proposal.moves)


@given(POOLS)
def test_what_a_target_passes_is_no_quicker_and_one_of_them_slower_by_the_margin(pool):
    evidence = {one.deployment: one for one in pool}
    proposal = propose(range(len(pool)), evidence, ())
    expected = {one: expected_ms(found) or 0.0 for one, found in evidence.items()}
    for above, below in proposal.swaps:
        assert expected[below] <= expected[above]
    for below in {pair[1] for pair in proposal.swaps}:
        slowest = max(expected[above] for above, passed_by in proposal.swaps if passed_by == below)
        assert expected[below] <= slowest * 0.95 + 1e-9


@given(POOLS, EVIDENCE)
def test_more_failures_never_make_a_target_look_better(pool, one):
    worse = replace(one, failed=one.failed + 1)
    before, after = expected_ms(one), expected_ms(worse)
    assert (before is None) == (after is None)
    assert before is None or after is None or after >= before
