"""The pool for audio as it stands now: who is next and why, what each was asked today, how much each takes.

The same rules as the gateway's (`core/transcription`), fed from what has reached the database: a few seconds old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.queries.health import EVER, Benched, Health, health
from dashboard.templatetags.pages import plain
from rotation.core import targets, transcription
from rotation.core.transcription import MIB, POOL, formats, translates
from rotation.gateway.audio_calls import sent_today
from rotation.gateway.uploads import AXIS, BELIEVED, own_most
from rotation.models import Deployment, DeploymentStatus, Key, KeyState, LearnedLimit, Placement, Pool

AWAY = {DeploymentStatus.GONE: "no longer listed", DeploymentStatus.INCOMPATIBLE: "found unable to do it"}


@dataclass(frozen=True, slots=True)
class Turn:
    """One deployment of the pool. `calls` is what its provider was sent today (UTC); `most` MiB of an upload."""

    placement: Placement
    state: str  # ready, cooling, open, half-open, no key, away
    why: str
    until: datetime | None
    calls: int
    most: float
    learned: bool

    @property
    def deployment(self) -> Deployment:
        return self.placement.deployment

    @property
    def ready(self) -> bool:
        return self.state == "ready"

    @property
    def formats(self) -> list[str]:
        """Known response formats, in the order they are documented in."""
        can = formats(self.deployment.provider.kind, self.deployment.model_id) - set(self.deployment.lacks)
        return [name for name in transcription.ALL if name in can]

    @property
    def translates(self) -> bool:
        return translates(self.deployment.provider.kind, self.deployment.model_id, self.deployment.lacks)


def turns(now: datetime, *, simulated: bool) -> list[Turn]:
    """Everybody in the pool in the order of trying. Six queries."""
    placements = list(
        Placement.objects.filter(pool__name=POOL, enabled=True, deployment__provider__enabled=True,
                                 deployment__provider__simulated=simulated)
        .select_related("deployment__provider").order_by("position", "id")
    )  # fmt: skip
    used, ill = sent_today(now), health(now)
    keys = Key.objects.usable().filter(account__provider__simulated=simulated).select_related("account")
    sizes = LearnedLimit.objects.filter(axis=AXIS, seen_at__gt=now - timedelta(seconds=BELIEVED))
    learned = dict(sizes.values_list("scope", "limit"))
    by_provider: dict[int, list[Key]] = {}
    for key in keys:
        by_provider.setdefault(key.account.provider_id, []).append(key)
    found = {
        p.deployment_id: _turn(p, by_provider.get(p.deployment.provider_id, []), used, ill, learned) for p in placements
    }
    known = [targets.Deployment(p.deployment_id, p.deployment.provider_id, p.deployment.model_id) for p in placements]
    if Pool.objects.filter(name=POOL, strategy="round_robin").exists():
        pinned = {p.deployment_id for p in placements if p.pinned}
        return [found[i] for i in transcription.in_turn(known, pinned, used)]
    return list(found.values())


def _turn(
    placement: Placement, keys: list[Key], used: Mapping[int, int], ill: Health, learned: Mapping[str, float]
) -> Turn:
    deployment = placement.deployment
    usual = own_most(deployment.provider.options)
    sizes = [min(usual, learned.get(f"key:{key.pk}", usual)) for key in keys]
    most = max(sizes, default=usual)
    state, why, until = _standing(deployment, keys, ill)
    return Turn(placement, state, why, until, used.get(deployment.provider_id, 0), most / MIB, most < usual)


def _standing(deployment: Deployment, keys: list[Key], ill: Health) -> tuple[str, str, datetime | None]:
    if (status := DeploymentStatus(deployment.status)) in AWAY:
        return "away", AWAY[status], None
    if not keys:
        return "no key", "its provider has no key", None
    benched = ill.of_deployment(deployment.pk, {key.account_id for key in keys})
    if benched is None:
        each = [_of_key(key, ill) for key in keys]
        benched = None if None in each else min((b for b in each if b), key=lambda b: b.until or EVER, default=None)
    if benched is not None:
        return benched.state, benched.reason or "breaker open", benched.until
    if all(key.state == KeyState.INVALID for key in keys):
        return "no key", "its keys were refused", None
    return "ready", "", None


def _of_key(key: Key, ill: Health) -> Benched | None:
    return ill.of_key(key.pk, key.account_id, key.account.provider_id)


def next_of(order: Iterable[Turn]) -> Turn | None:
    """Who is asked for the next ordinary upload."""
    return next((turn for turn in order if turn.ready), None)


def reason(order: list[Turn], chosen: Turn) -> str:
    """Why that one."""
    before = [turn for turn in order[: order.index(chosen)] if not turn.ready]
    away = ", ".join(f"{plain(t.deployment.provider.label)} {t.deployment.model_id} ({t.state})" for t in before)
    if chosen.placement.pinned:
        why = "It is preferred, and free."
    else:
        why = f"Of those that take turns its provider was sent the fewest calls today: {chosen.calls:,}."
    return f"Passed over: {away}. {why}" if away else why
