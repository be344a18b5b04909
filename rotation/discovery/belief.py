"""Whether a listing is believed. One that is empty or lacks half of what was listed is not, until it stays so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rotation.core.catalog import Change, Refused, diff
from rotation.discovery.listing import NoListing
from rotation.discovery.offers import known
from rotation.models import Deployment, DiscoveryRun, Provider, RunState
from rotation.providers.base import Listed

LATELY = timedelta(days=14)  # longer ago nobody looked: then a listing may well be another one
BELIEVED_AFTER = timedelta(hours=6)  # a listing that stays halved for so long is no mishap
SAME = 0.1  # "stays": give or take a tenth


def differences(
    run: DiscoveryRun, ours: Iterable[Deployment], listed: Sequence[Listed], now: datetime, *, believe: bool
) -> list[Change]:
    """What the listing says that we do not know yet. Raises NoListing when it cannot be believed.

    `believe`: a person vouches for it, so that it may be short; an empty one is never believed.
    """
    if not listed and run.provider.kind != "generic":
        raise NoListing("the listing is empty")
    last = last_done(run.provider, now)
    sure = believe or _stays(run, len(listed), now) or (last is not None and now - last > LATELY)
    found = diff([known(deployment) for deployment in ours], listed, confirmed=sure)
    if isinstance(found, Refused):
        wait = f"; believed when it stays so for {BELIEVED_AFTER.seconds // 3600} hours" if listed else ""
        raise NoListing(found.reason + wait)
    return found


def last_done(provider: Provider, now: datetime) -> datetime | None:
    """When its listing was last believed."""
    done = DiscoveryRun.objects.filter(provider=provider, state=RunState.DONE, started_at__lte=now)
    return done.values_list("started_at", flat=True).first()


def _stays(run: DiscoveryRun, count: int, now: datetime) -> bool:
    """Whether every look for hours found as few models as this one; or one before was believed with as few."""
    looks = DiscoveryRun.objects.filter(provider=run.provider, started_at__lt=now).exclude(pk=run.pk)
    since = None
    for state, listed, started in looks.values_list("state", "listed", "started_at")[:100]:
        if not listed or abs(listed - count) > SAME * count:
            break
        if state == RunState.DONE:
            return True
        since = started
    return since is not None and now - since >= BELIEVED_AFTER
