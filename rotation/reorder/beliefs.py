"""What is believed of deployments besides what their traffic shows: verification, configuration, family, prices."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from statistics import fmean

from rotation.core.evidence import Believed
from rotation.core.work import Work
from rotation.discovery.verify import suite
from rotation.models import Deployment, Verification

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Verified:
    """The latest verdicts of a deployment together: mean ms of an answer, mean score of 0 to 5; None: not verified.

    Times are those of the base tasks, which all models are asked, unless none of them was answered: who was also asked
    for a long text or a picture is no slower for that.
    """

    ms: float | None = None
    score: float | None = None


def verified(ids: Collection[int]) -> dict[int, Verified]:
    """One query: of each capability the latest verdict that says something. A rate limit takes nothing back."""
    rows = (
        Verification.objects.filter(deployment_id__in=ids, score__isnull=False)
        .order_by("deployment_id", "capability", "-at", "-id")
        .distinct("deployment_id", "capability")
        .values_list("deployment_id", "capability", "latency_ms", "score")
    )
    base: dict[int, list[float]] = {one: [] for one in ids}
    times: dict[int, list[float]] = {one: [] for one in ids}
    scores: dict[int, list[float]] = {one: [] for one in ids}
    for one, capability, ms, score in rows:
        if score is not None:
            scores[one].append(score)
        if ms is not None:
            times[one].append(ms)
            if capability in suite.BASE:
                base[one].append(ms)
    return {one: Verified(_mean(base[one] or times[one]), _mean(scores[one])) for one in ids}


def believed(deployments: Iterable[Deployment], known: dict[int, Verified]) -> dict[int, Believed]:
    """What `evidence.priors` wants to know."""
    return {
        d.pk: Believed(
            d.family, known[d.pk].ms, None if d.seed_latency_s is None else d.seed_latency_s * 1000
        )
        for d in deployments
    }  # fmt: skip


def usd(deployment: Deployment, work: Work) -> float | None:
    """What the common work costs at this deployment; None when a price is not known."""
    if deployment.free:
        return 0.0
    if deployment.price_in is None or deployment.price_out is None:
        return None
    return (float(deployment.price_in) * work.tokens_in + float(deployment.price_out) * work.tokens_out) / MILLION


def _mean(values: list[float]) -> float | None:
    return fmean(values) if values else None
