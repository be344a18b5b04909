"""Looks at listings: one provider's, or everybody's. Each is a DiscoveryRun, whatever came of it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from rotation.discovery import listing
from rotation.discovery.intake import take_in
from rotation.discovery.listing import NoListing
from rotation.discovery.shrinkage import Shrinkage
from rotation.models import CatalogueChange, DiscoveryRun, Provider, RunState
from rotation.providers.base import Listed

log = logging.getLogger("rotation.discovery")

LONGEST = timedelta(minutes=10)  # a look takes a minute at most


@dataclass(frozen=True)
class Look:
    """What a look at one provider's listing brought. `run` is None for a provider that was not asked."""

    provider: Provider
    run: DiscoveryRun | None
    changes: Sequence[CatalogueChange] = ()
    notes: Sequence[str] = ()
    seconds: float = 0.0
    problem: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Changes by kind, in the order of the kinds that occur."""
        return dict(Counter(str(change.change) for change in self.changes))

    @property
    def words(self) -> str:
        """One line for people."""
        if self.run is None:
            return f"not asked, {self.problem}"
        if self.problem:
            return f"nothing changed: {self.problem}"
        counts = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        return "; ".join([f"{self.run.listed} listed, {counts or 'nothing new'}", *self.notes])


Seen = Callable[[Look], None]


def sweep(
    providers: Iterable[Provider] | None = None,
    *,
    now: datetime | None = None,
    seen: Seen | None = None,
    believe: bool = False,
) -> list[Look]:
    """Looks at every enabled provider's listing (or at these), one after the other. `seen` is told of each."""
    chosen = Provider.objects.filter(enabled=True) if providers is None else providers
    shrinkage = Shrinkage()
    looks = []
    for provider in chosen:
        look = ask(provider, now=now, shrinkage=shrinkage, believe=believe)
        looks.append(look)
        if seen:
            seen(look)
    return looks


def ask(provider: Provider, *, now: datetime | None, shrinkage: Shrinkage, believe: bool = False) -> Look:
    """Looks at one provider's listing, if there is a way to."""
    key = listing.key_for(provider)
    if not provider.url:
        return Look(
            provider,
            None,
            problem="for the simulator is not running" if provider.simulated else "for want of an address",
        )
    if key is None:
        return Look(provider, None, problem="for want of a usable key")
    return look(provider, lambda: listing.read(provider, key), now=now, shrinkage=shrinkage, believe=believe)


def look(
    provider: Provider,
    read: Callable[[], Sequence[Listed]],
    *,
    now: datetime | None = None,
    shrinkage: Shrinkage | None = None,
    believe: bool = False,
) -> Look:
    """One look, as a DiscoveryRun. `read` fetches the listing, and raises NoListing; a failure changes nothing."""
    start = time.monotonic()
    moment = now or timezone.now()
    _end_the_killed(provider, moment)
    run = DiscoveryRun.objects.create(provider=provider, started_at=moment)
    changes: Sequence[CatalogueChange] = ()
    notes: Sequence[str] = ()
    try:
        listed = read()
        run.listed = len(listed)
        with transaction.atomic():  # what it led to, and that it is done, or neither
            intake = take_in(run, listed, moment, shrinkage or Shrinkage(), believe=believe)
            changes, notes = intake.changes, intake.notes
            _end(run, RunState.DONE, now, changed=len(changes))
    except NoListing as why:
        _end(run, RunState.FAILED, now, error=str(why)[:2000])
    except Exception as error:  # of a listing nobody has seen yet: the other providers are looked at all the same
        log.exception("the listing of %s could not be taken in", provider)
        changes, notes = (), ()
        _end(run, RunState.FAILED, now, error=f"could not be taken in ({type(error).__name__})")
    return Look(provider, run, changes, notes, time.monotonic() - start, run.error)


def _end(run: DiscoveryRun, state: RunState, now: datetime | None, *, changed: int = 0, error: str = "") -> None:
    run.state, run.changed, run.error, run.ended_at = state, changed, error, now or timezone.now()
    run.save()


def _end_the_killed(provider: Provider, now: datetime) -> None:
    """A look whose process was killed in the middle changed nothing, and does not run any more."""
    left = DiscoveryRun.objects.filter(provider=provider, state=RunState.RUNNING, started_at__lt=now - LONGEST)
    left.update(state=RunState.FAILED, ended_at=now, error="its process ended in the middle, and nothing was changed")
