"""What the laboratory is for: the replay of one day foretells what a change does to the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rotation.core.policy import BALANCED
from rotation.gateway.snapshot import Route
from rotation.replay.candidate import Candidate
from rotation.replay.comparison import Bench
from rotation.replay.engine import run
from rotation.replay.fate import Fates
from rotation.replay.intervals import compared
from rotation.replay.stage import Stage
from rotation.replay.traffic import Recorded
from tests.replay.world import DAY, MONDAY, some_world

POLICY = replace(BALANCED, explore_share=0.0)  # the world asks others now and then by a rule of its own
SEEDS = 50
CALLS = 700
ROUNDS = 100
ENOUGH = 45
FORETOLD = ("success", "first_try", "mean", "p50", "p95")


def foretold(seed):
    """One world: its Monday under one order is replayed under another, which then really rules on Tuesday."""
    world = some_world(seed)
    orders = (1, 2, 3), (2, 1, 3)
    monday = world.lives(MONDAY, orders[0], CALLS, explores=0.15)
    tuesday = world.lives(MONDAY + DAY, orders[1], CALLS)
    everybody = {n: (t,) for n, t in world.targets.items()}
    deployments = {n: t.deployment for n, t in world.targets.items()}
    names = {n: f"m{n}" for n in everybody}
    recorded = Recorded(tuple(monday.calls), tuple(monday.seen))
    bench = Bench(Route("auto", orders[0]), recorded, deployments, everybody, names, {})
    known, own = bench.evidence()
    outcomes = []
    for order in orders:
        way = Candidate(order, "ordered", "balanced", {}, POLICY, ())
        stage = Stage(bench.scenario(way), start=monday.calls[0].at, seed=seed)
        outcomes.append(run(monday.calls, stage, Fates(known, seed, own)))
    found = compared(monday.calls, *outcomes, seed=seed, rounds=ROUNDS)
    return found.next_window, tuesday.figures


def test_the_next_day_lies_in_the_interval_nine_times_in_ten():
    hits: Counter[str] = Counter()
    widths: dict[str, list[float]] = {name: [] for name in FORETOLD}
    for seed in range(SEEDS):
        intervals, really = foretold(seed)
        for name in FORETOLD:
            low, high = intervals[name]
            hits[name] += low <= really[name] <= high
            widths[name].append((high - low) / really[name])
    assert {name: n for name, n in hits.items() if n < ENOUGH} == {}
    # An interval that holds everything would foretell nothing.
    middle = {name: sorted(found)[SEEDS // 2] for name, found in widths.items()}
    assert middle["mean"] < 0.35, middle
    assert middle["success"] < 0.1, middle
