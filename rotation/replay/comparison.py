"""One replay from start to end: the same traffic under the present policy and a candidate, and what came of both.

Pure: traffic, evidence and configuration come in as values; the result is plain JSON.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rotation.core.stats import histogram
from rotation.core.targets import Deployment, Target
from rotation.gateway.snapshot import Block, Learned, Route
from rotation.replay.candidate import Candidate
from rotation.replay.engine import Outcome, run
from rotation.replay.evidence import Known, Level, gathered
from rotation.replay.fate import Fates
from rotation.replay.figures import FIGURES, Spent, spent
from rotation.replay.intervals import Compared, compared
from rotation.replay.stage import Scenario, Stage
from rotation.replay.traffic import LIMITS_OWN, Asked, Recorded, Seen

Told = Callable[[float], None]
HOUR = 3600.0
BARS = 48  # at most so many stretches of time in the result


@dataclass(frozen=True, slots=True)
class Bench:
    """What a replay works with: `deployments` and `targets` of everybody in either order, `accounts` by their names."""

    route: Route  # of the pool as it stands
    recorded: Recorded
    deployments: Mapping[int, Deployment]
    targets: Mapping[int, tuple[Target, ...]]
    names: Mapping[int, str]
    accounts: Mapping[int, str]
    learned: Sequence[Learned] = ()
    blocks: Sequence[Block] = ()

    def scenario(self, candidate: Candidate) -> Scenario:
        """The candidate as the engine wants it. Who is out of service for all of it is never asked anyway, and left
        out where nothing else depends on it.
        """
        policy = candidate.policy
        pinned = self.route.pinned & frozenset(candidate.order)
        route = replace(
            self.route, deployments=candidate.order, policy=policy, strategy=candidate.strategy, pinned=pinned
        )
        blocked = {block.scope for block in self.blocks}
        targets = {one: self.targets.get(one, ()) for one in candidate.order}
        if policy.panic:
            free = {o: tuple(t for t in found if blocked.isdisjoint(t.scopes)) for o, found in targets.items()}
            return Scenario(route, self.deployments, free, self.learned)
        return Scenario(route, self.deployments, targets, self.learned, self.blocks)

    def evidence(self) -> tuple[dict[int, Known], dict[tuple[int, int], Seen]]:
        """What attempts are drawn from, and those that were really made, by (call, deployment).

        Where the limits of a deployment are known its rate limits emerge from them: they are not drawn as well.
        """
        limited = self._limited()
        seen = [s for s in self.recorded.seen if s.kind not in LIMITS_OWN or s.deployment not in limited]
        own: dict[tuple[int, int], Seen] = {}
        for row in seen:
            if row.call >= 0:
                own.setdefault((row.call, row.deployment), row)
        seeds = {one: deployment.seed_seconds for one, deployment in self.deployments.items()}
        return gathered(seen, seeds, self.names), own

    def _limited(self) -> set[int]:
        everybody = [t for found in self.targets.values() for t in found]
        stage = Stage(
            Scenario(Route("", tuple(self.targets)), self.deployments, self.targets, self.learned), start=0.0, seed=0
        )
        known = stage.health.limits.quotas.keys()
        return {t.deployment.id for t in everybody if not known.isdisjoint(t.scopes)}


def compare(
    bench: Bench, present: Candidate, candidate: Candidate, *, seed: int, told: Told = lambda _: None
) -> dict[str, Any]:
    """The result as JSON. The recorded traffic holds at least one call. `told` hears how far it is, 0..1."""
    known, own = bench.evidence()
    calls = bench.recorded.calls
    outcomes: list[list[Outcome]] = []
    for part, way in enumerate((present, candidate)):
        stage = Stage(bench.scenario(way), start=calls[0].at, seed=seed, others=bench.recorded.others)
        done = _part(told, part * 0.4, 0.4 / len(calls))
        outcomes.append(run(calls, stage, Fates(known, seed, own), told=done))
    told(0.8)
    found = compared(calls, outcomes[0], outcomes[1], seed=seed)
    told(0.99)
    return result(bench, (present, candidate), outcomes, found, known, seed)


def _part(told: Told, start: float, each: float) -> Callable[[int], None]:
    return lambda count: told(start + count * each)


def result(
    bench: Bench, ways: Sequence[Candidate], outcomes: Sequence[Sequence[Outcome]], found: Compared,
    known: Mapping[int, Known], seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Everything the pages, the command and the API tell of one replay."""
    used = [spent(each) for each in outcomes]
    recorded = bench.recorded
    return {
        "calls": len(recorded.calls), "share": recorded.share, "source": recorded.source, "rule": recorded.rule,
        "left_out": dict(recorded.left_out), "seed": seed, "window_s": recorded.window,
        "measured": sum(one.measured for one in known.values()),
        "block_s": found.block, "blocks": found.blocks,
        "ways": [_way(bench, way) for way in ways], "differences": list(ways[1].words),
        "figures": [_figure(found, name) for name in FIGURES],
        "really": really(recorded),
        "coverage": [each.coverage for each in used],
        "levels": [{level.name.lower(): each.levels[level] for level in Level} for each in used],
        "priors": _priors(known, used),
        "accounts": _accounts(bench, used), "deployments": _deployments(bench, used, known),
        "kinds": _kinds(used), "hours": _hours(recorded.calls, outcomes),
        "histograms": [histogram([o.total * 1000 for o in each if o.answered]) for each in outcomes],
    }  # fmt: skip


def really(recorded: Recorded) -> dict[str, float] | None:
    """What the ledger says came of these calls, to hold the replay of the present against; None for a trace."""
    times = sorted(total for answered, total in recorded.really if answered)
    if not times:
        return None
    middle, slow = times[(len(times) - 1) // 2], times[math.ceil(0.95 * len(times)) - 1]
    return {
        "success": len(times) / len(recorded.really), "mean": math.fsum(times) / len(times), "p50": middle, "p95": slow,
    }  # fmt: skip


def _way(bench: Bench, way: Candidate) -> dict[str, Any]:
    return {
        "order": list(way.order), "names": [bench.names[one] for one in way.order], "strategy": way.strategy,
        "preset": way.preset, "policy": dict(way.overrides),
    }  # fmt: skip


def _figure(found: Compared, name: str) -> dict[str, Any]:
    label, unit, more_is_better = FIGURES[name]
    now, then, interval = found.present[name], found.candidate[name], found.difference[name]
    return {
        "name": name, "label": label, "unit": unit, "more_is_better": more_is_better,
        "present": now, "present_interval": found.present_interval[name],
        "candidate": then, "candidate_interval": found.candidate_interval[name],
        "difference": None if now is None or then is None else then - now, "interval": interval,
        "next_window": found.next_window[name], "verdict": _verdict(interval, more_is_better=more_is_better),
    }  # fmt: skip


def _verdict(interval: tuple[float, float] | None, *, more_is_better: bool) -> str:
    """`better` or `worse` only where the whole interval says so."""
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "same" if interval == (0, 0) else "open" if interval else ""
    return "better" if (interval[0] > 0) == more_is_better else "worse"


def _priors(known: Mapping[int, Known], used: Sequence[Spent]) -> list[dict[str, Any]]:
    """Whose attempts rest on something that was not measured, and on what."""
    return [
        {"deployment": one, "attempts": [each.unproven[one] for each in used], "words": layout.prior}
        for one, layout in known.items()
        if any(each.unproven[one] for each in used)
    ]


def _accounts(bench: Bench, used: Sequence[Spent]) -> list[dict[str, Any]]:
    accounts = sorted({one for each in used for one in each.requests})
    return [
        {"account": one, "name": bench.accounts.get(one, f"account {one}"),
         "requests": [each.requests[one] for each in used], "tokens": [each.tokens[one] for each in used]}
        for one in accounts
    ]  # fmt: skip


def _deployments(bench: Bench, used: Sequence[Spent], known: Mapping[int, Known]) -> list[dict[str, Any]]:
    return [
        {"deployment": one, "name": name, "attempts": [each.attempts[one] for each in used],
         "answers": [each.answers[one] for each in used], "measured": known[one].measured}
        for one, name in bench.names.items()
        if one in known
    ]  # fmt: skip


def _kinds(used: Sequence[Spent]) -> list[dict[str, Any]]:
    kinds = sorted({kind for each in used for kind in each.kinds})
    return [{"kind": kind, "attempts": [each.kinds[kind] for each in used]} for kind in kinds]


def _hours(calls: Sequence[Asked], outcomes: Sequence[Sequence[Outcome]]) -> list[dict[str, Any]]:
    """Mean seconds to the answer and calls, stretch by stretch: hours, or longer ones for long windows."""
    start, span = calls[0].at, calls[-1].at - calls[0].at
    step = max(HOUR, span / BARS) if span > 2 * HOUR else max(span / 12, 1.0)
    rows: dict[int, list[float]] = {}
    for index, asked in enumerate(calls):
        row = rows.setdefault(int((asked.at - start) // step), [0.0] * 5)
        row[0] += 1
        for way, each in enumerate(outcomes):
            if each[index].answered:
                row[1 + 2 * way] += 1
                row[2 + 2 * way] += each[index].total
    return [
        {"at": start + place * step, "calls": int(row[0]), "answered": [int(row[1]), int(row[3])],
         "mean": [row[2] / row[1] if row[1] else None, row[4] / row[3] if row[3] else None]}
        for place, row in sorted(rows.items())
    ]  # fmt: skip
