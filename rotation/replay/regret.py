"""Regret: what the best fixed order in hindsight would have given, and how far we were from it.

Candidates for the best order are built from the evidence: by the expected time to a successful answer at the window's
typical size (t + f (1 - p) / p, see `core/ranking`), and each of the first few of those put first. They are tried on
every other quarter of an hour, and the winner is measured on the quarters in between: an order picked for its luck
does not keep it there. A call without an answer is held to have cost `UNANSWERED` seconds more.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rotation.replay.candidate import Candidate
from rotation.replay.comparison import Bench
from rotation.replay.engine import run
from rotation.replay.evidence import SLOT, Known
from rotation.replay.fate import Fates
from rotation.replay.stage import Stage
from rotation.replay.traffic import Asked

UNANSWERED = 60.0
FIRSTS = 3  # of the ranking, each of which is also tried in front of the present order
ROUNDS = 400
LEVEL = 0.95
FEWEST = 100  # calls; below, a week says nothing


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Seconds per call, failures included. `interval` is of the regret, `really - best`, at 95 %."""

    order: tuple[int, ...]
    calls: int
    really: float
    best: float
    interval: tuple[float, float]
    tried: int

    @property
    def regret(self) -> float:
        return self.really - self.best

    def told(self, names: dict[int, str], now: Sequence[int]) -> dict[str, Any]:
        """As it is stored."""
        return {
            "calls": self.calls, "really": self.really, "best": self.best, "regret": self.regret,
            "interval": list(self.interval), "order": [names[one] for one in self.order], "tried": self.tried,
            "present": [names[one] for one in now], "words": self.words(names),
        }  # fmt: skip

    def words(self, names: dict[int, str]) -> str:
        """One sentence with numbers."""
        low, high = self.interval
        share = self.regret / self.best if self.best > 0 else 0.0
        first = names[self.order[0]]
        told = (
            f"A call took {self.really:.2f} s; the best fixed order in hindsight, with {first} first, {self.best:.2f} s"
        )
        if high < 0:
            return f"{told}: no fixed order that was tried would have been quicker ({low:+.2f} to {high:+.2f} s)."
        if low <= 0:
            return f"{told}: no difference that {self.calls:,} calls could show ({low:+.2f} to {high:+.2f} s)."
        return f"{told}: {self.regret:.2f} s ({share:.0%}) were lost on each, {low:.2f} to {high:.2f} s."


def hindsight(bench: Bench, present: Candidate, *, seed: int) -> Hindsight | None:
    """None for too few calls. The traffic is the ledger's: it knows what really came of each call."""
    calls, really = bench.recorded.calls, bench.recorded.really
    if len(calls) < FEWEST or len(really) != len(calls):
        return None
    known, own = bench.evidence()
    fates = Fates(known, seed, own)
    chosen = [index for index, asked in enumerate(calls) if int(asked.at // SLOT) % 2 == 0]
    orders = contenders(present.order, known, typical(calls))
    costs = {order: _replayed(bench, present, order, fates, seed) for order in orders}
    best = min(orders, key=lambda order: _mean([costs[order][i] for i in chosen])) if chosen else orders[0]
    judged = [i for i in range(len(calls)) if int(calls[i].at // SLOT) % 2] or list(range(len(calls)))
    lost = [_cost(*really[i]) for i in judged]
    ideal = [costs[best][i] for i in judged]
    blocks = [int(calls[i].at // SLOT) for i in judged]
    interval = _interval([a - b for a, b in zip(lost, ideal, strict=True)], blocks, seed)
    return Hindsight(best, len(calls), _mean(lost), _mean(ideal), interval, len(orders))


def contenders(order: Sequence[int], known: dict[int, Known], size: tuple[int, int]) -> list[tuple[int, ...]]:
    """The orders that may be the best: the present one, the ranked one, and the present with each of the first
    ranked in front.
    """
    ranked = tuple(sorted(order, key=lambda one: expected(known[one], *size)))
    fronts = [(one, *(other for other in order if other != one)) for one in ranked[:FIRSTS]]
    swapped = [(one, *(other for other in ranked if other != one)) for one in ranked[1:FIRSTS]]
    return list(dict.fromkeys([tuple(order), ranked, *fronts, *swapped]))


def typical(calls: Sequence[Asked]) -> tuple[int, int]:
    """Tokens of the middle prompt and the middle answer."""
    return int(median(a.needs.prompt_tokens for a in calls)), int(median(a.answer for a in calls))


def expected(known: Known, prompt: int, answer: int) -> float:
    """Seconds to a successful answer at that size; infinite for whom nothing answered."""
    answered = [luck for row, luck in zip(known.rows, known.total, strict=True) if row.kind is None]
    failed = [row.total for row in known.rows if row.kind is not None]
    if not answered:
        return math.inf
    share = len(answered) / len(known.rows)
    return (
        _mean(answered) * known.whole.seconds(prompt, answer) + (_mean(failed) if failed else 0.0) * (1 - share) / share
    )


def _replayed(bench: Bench, present: Candidate, order: tuple[int, ...], fates: Fates, seed: int) -> list[float]:
    way = Candidate(order, "ordered", present.preset, present.overrides, present.policy, ())
    recorded = bench.recorded
    stage = Stage(bench.scenario(way), start=recorded.calls[0].at, seed=seed, others=recorded.others)
    return [_cost(o.answered, o.total) for o in run(recorded.calls, stage, fates)]


def _cost(answered: bool, seconds: float) -> float:
    return seconds if answered else seconds + UNANSWERED


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _interval(differences: Sequence[float], blocks: Sequence[int], seed: int) -> tuple[float, float]:
    """Of the mean, by weighing whole quarters of an hour anew (see `intervals`)."""
    sums: dict[int, list[float]] = {}
    for value, block in zip(differences, blocks, strict=True):
        row = sums.setdefault(block, [0.0, 0.0])
        row[0] += value
        row[1] += 1
    rows, chance = list(sums.values()), random.Random(seed)  # noqa: S311 - repeatable is the point
    means = []
    for _ in range(ROUNDS):
        weights = [chance.expovariate(1.0) for _ in rows]
        total = sum(w * r[1] for w, r in zip(weights, rows, strict=True))
        means.append(sum(w * r[0] for w, r in zip(weights, rows, strict=True)) / total)
    means.sort()
    tail = int((1 - LEVEL) / 2 * ROUNDS)
    return means[tail], means[-1 - tail]
