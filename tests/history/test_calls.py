"""A made-up past is drawn, not rolled anew: seeded, in order, and told by the ledger's own rows."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotation.history.calls import HOUR, MOST_TRIES, calls, per_hour
from rotation.history.people import Cast, Offer, cast_of

START = datetime(2025, 11, 20, tzinfo=UTC)
OFFERS = {
    "auto": [Offer(n, 1, f"model-{n}", ((1, 1), (1, 2)), n * 0.9, 0.1e-6, 0.4e-6) for n in range(1, 7)],
    "code": [Offer(9, 2, "coder", ((3, 4),), None, 0.0, 0.0)],
}


def cast(seed: int = 1) -> Cast:
    return cast_of(OFFERS, seed)


@given(st.integers(1, 200_000), st.integers(1, 30), st.integers(0, 99))
def test_the_hours_get_exactly_the_calls_there_are(many, days, seed):
    counts = per_hour(many, START, days * 24, seed)
    assert sum(counts) == many
    assert min(counts) >= 0


def test_nights_are_quieter_than_afternoons():
    counts = per_hour(100_000, START, 24, 1)
    assert counts[16] > 2 * counts[4]


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(0, 60))
def test_the_same_seed_draws_the_same_calls(seed, many):
    first = list(calls(cast(seed), hour=START, many=many, seed=seed))
    assert list(calls(cast(seed), hour=START, many=many, seed=seed)) == first
    assert len({call.request.id for call in first}) == many


def test_every_call_makes_sense():
    drawn = list(calls(cast(), hour=START, many=3_000, seed=1))
    for call in drawn:
        request, attempts = call.request, call.attempts
        assert START <= request.at < START + HOUR
        assert 1 <= len(attempts) == request.attempts <= MOST_TRIES
        assert [a.n for a in attempts] == list(range(1, len(attempts) + 1))
        assert all(a.outcome != "ok" for a in attempts[:-1])
        assert (request.outcome == "answered") == (attempts[-1].outcome == "ok")
        for before, after in itertools.pairwise(attempts):
            assert before.start_ms + before.total_ms <= after.start_ms
        assert request.total_ms >= attempts[-1].start_ms + attempts[-1].total_ms
        assert all(a.simulated for a in attempts)
        assert len(json.loads(request.trace)) == len(attempts)
        assert request.id.version == 7
    times = [call.request.at for call in drawn]
    assert times == sorted(times)


def test_it_has_rotations_and_most_calls_are_answered():
    drawn = list(calls(cast(), hour=START, many=3_000, seed=1))
    answered = sum(call.request.outcome == "answered" for call in drawn)
    rotated = sum(call.request.attempts > 1 for call in drawn)
    assert answered > 0.99 * len(drawn)
    assert rotated > 0


def test_nobody_to_ask_says_what_to_do():
    with pytest.raises(ValueError, match="no simulated deployment"):
        cast_of({"auto": [Offer(1, 1, "m", (), 1.0, 0, 0)]}, 1)
