"""A pool's deployments in numbers and words: what was measured, and why each stands where it does.

Counts and shares are of the whole window, undecayed, with Wilson's intervals, for as many tries as hours that differ
are worth; what the order goes by is decayed and brought to equal work (`core/evidence.py`, `core/work.py`) and said
beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from rotation.core.certainty import design_effect
from rotation.core.confidence import SURE
from rotation.core.evidence import HALF_LIFE, HOURS, Evidence
from rotation.core.ranking import MARGIN, MIN_SAMPLES, answered_words
from rotation.core.stats import Tier, quantile, tier, wilson
from rotation.core.work import Try, Work
from rotation.models import Placement, Pool
from rotation.models.pools import placements_in_order
from rotation.reorder.finding import Finding, comes_last, find, percent


@dataclass(frozen=True, slots=True)
class DeploymentStatistics:
    """One place of a pool. Times in ms; shares 0 to 1 with 95 % bounds; None where nothing is known.

    Histograms have the log buckets of `core/stats`; `expected_ms` is what the order goes by, `charged_ms` of it for
    price and quality; `reason` says why it stands where it does.
    """

    placement: int
    deployment: int
    name: str
    place: int
    takes_part: bool
    reason: str
    tries: int = 0
    ok: int = 0
    failed: int = 0
    rate_limited: int = 0
    share: float | None = None
    share_low: float = 0.0
    share_high: float = 1.0
    limited_share: float | None = None
    first_hist: tuple[int, ...] = ()
    total_hist: tuple[int, ...] = ()
    first_p50_ms: float | None = None
    total_p50_ms: float | None = None
    total_p95_ms: float | None = None
    equal_work_ms: float | None = None
    fail_ms: float | None = None
    expected_ms: float | None = None
    charged_ms: float = 0.0
    prior_ms: float | None = None
    prior_from: str = ""
    tokens_per_s: float | None = None
    cost: float = 0.0
    usd_per_call: float | None = None
    quality: float | None = None
    sampled: int = 0
    tier: Tier | None = None


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """All places of a pool, in order. `work` is what times were brought to, in tokens."""

    pool: str
    at: datetime
    hours: int
    half_life_hours: float
    work: Work
    deployments: tuple[DeploymentStatistics, ...]


def statistics(pool: Pool, now: datetime) -> PoolStatistics:
    """Some six queries, whatever there is in the store."""
    finding = find(pool, now)
    rows = tuple(_row(finding, placement, place) for place, placement in enumerate(placements_in_order(pool), 1))
    return PoolStatistics(pool.name, now, HOURS, HALF_LIFE, finding.window.work, rows)


def _row(finding: Finding, placement: Placement, place: int) -> DeploymentStatistics:
    one, deployment = placement.deployment_id, placement.deployment
    known = finding.evidence.get(one)
    if known is None:
        return DeploymentStatistics(placement.pk, one, deployment.name, place, False, reason_of(finding, placement))
    sums, tries = finding.window.sums[one], finding.window.tries[one]
    worth = design_effect([(hour.ok, hour.tries) for hour in finding.window.measured[one].hours.values()])
    low, high = wilson(known.ok / worth, known.tries / worth)
    return DeploymentStatistics(
        placement.pk, one, deployment.name, place, True, reason_of(finding, placement),
        tries=known.tries, ok=known.ok, failed=known.failed, rate_limited=known.rate_limited,
        share=known.ok / known.tries if known.tries else None, share_low=low, share_high=high,
        limited_share=known.rate_limited / known.tries if known.tries else None,
        first_hist=tuple(sums["first_hist"]), total_hist=tuple(sums["total_hist"]),
        first_p50_ms=quantile(sums["first_hist"], 0.5), total_p50_ms=known.p50_ms,
        total_p95_ms=quantile(sums["total_hist"], 0.95),
        equal_work_ms=known.mean_ms, fail_ms=known.fail_ms,
        expected_ms=finding.totals.get(one), charged_ms=finding.charged.get(one, 0.0),
        prior_ms=known.prior_ms, prior_from=known.prior_from, tokens_per_s=tokens_per_s(tries),
        cost=float(sums["cost"]), usd_per_call=known.usd, quality=known.quality,
        sampled=len(tries), tier=tier(known.p50_ms) if known.p50_ms is not None else None,
    )  # fmt: skip


def tokens_per_s(tries: Sequence[Try]) -> float | None:
    """The middle of what streamed answers were written at, after their first content; None without any."""
    rates = [
        1000 * one.tokens_out / (one.ms - one.first_ms)
        for one in tries
        if one.answered and one.first_ms is not None and one.tokens_out > 1 and one.ms > one.first_ms
    ]
    return median(rates) if rates else None


def reason_of(finding: Finding, placement: Placement) -> str:
    """Why it stands where it does, with the numbers of now."""
    one = placement.deployment_id
    known = finding.evidence.get(one)
    if known is None:
        return _aside(placement)
    numbers = _numbers(finding, known)
    if placement.pinned:
        return f"Pinned here: reordering leaves it. {numbers}"
    if comes_last(placement):
        return f"A generic endpoint comes last unless it is placed by hand. {numbers}"
    if known.tries < MIN_SAMPLES:
        return f"It stays where it was put. {numbers} {MIN_SAMPLES} tries are needed before it moves."
    return f"{numbers} {_neighbour(finding, one)}".rstrip()


def _aside(placement: Placement) -> str:
    if placement.canary is not None:
        return f"New here: asked first in {placement.canary:.0%} of the calls, last in line otherwise."
    if not placement.enabled:
        return "Switched off in this pool."
    if not placement.deployment.provider.enabled:
        return "Its provider is switched off."
    return f"No call goes there: {placement.deployment.get_status_display()}."


def _numbers(finding: Finding, known: Evidence) -> str:
    expected = finding.totals.get(known.deployment)
    if not known.tries:
        believed = f", {known.prior_ms / 1000:.2f} s by {known.prior_from}" if known.prior_ms is not None else ""
        return f"Not tried in the last {HOURS} hours{believed}."
    answered = answered_words(known)
    if expected is None:
        return f"{answered}."
    return f"{answered}, {expected / 1000:.2f} s expected to an answer of usual size, failed tries included."


def _neighbour(finding: Finding, one: int) -> str:
    """How it compares with the next one below it that was tried often enough to be compared with."""
    mine, below = finding.totals.get(one), finding.order[finding.order.index(one) + 1 :]
    other = next((o for o in below if finding.evidence[o].tries >= MIN_SAMPLES and o in finding.totals), None)
    if mine is None or other is None:
        return ""
    name, difference = finding.names[other], (finding.totals[other] - mine) / 1000
    if difference >= 0:
        return f"{difference:.2f} s sooner than {name} below it."
    later = f"{-difference:.2f} s later than {name} below it"
    if other in finding.fixed:
        return f"{later}, which stays where it is: it is pinned, or a generic endpoint that nobody placed."
    found = finding.compared.get((one, other))
    if found is None:
        return f"{later}: less than the {MARGIN:.0%} that are worth a change."
    enough = "enough to change places" if found.confidence >= SURE else f"{SURE:.0%} are needed to change places"
    return f"{later}, {percent(found.confidence)} sure; {enough}."
