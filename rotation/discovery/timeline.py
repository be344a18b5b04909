"""The catalogue week by week: what came and went, what changed its price or its size, and how it stood at each end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Q

from rotation.discovery.lives import first_looks, plain
from rotation.models import CatalogueChange, Change, Deployment

WEEK = timedelta(weeks=1)
SHOWN = 26  # weeks
#: Who it is (provider, model), change, when, before, after.
Told = tuple[int, str, str, datetime, Any, Any]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday, 00:00 UTC. Counts of changes in it; then what was listed at its end.

    `price` is the median of what is paid for a million tokens written, in USD, where something is; `context` the
    median window in tokens.
    """

    at: datetime
    born: int = 0
    vanished: int = 0
    back: int = 0
    dearer: int = 0
    cheaper: int = 0
    freed: int = 0
    charged: int = 0
    resized: int = 0
    listed: int = 0
    free: int = 0
    price: Decimal | None = None
    context: int | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """Of changes, in the order of the columns."""
        return (self.born, self.back, self.vanished, self.dearer, self.cheaper, self.freed, self.charged, self.resized)


@dataclass(slots=True)
class _Model:
    """One model at one moment, while time runs backwards."""

    listed: bool
    free: bool
    price: Decimal | None
    context: int | None


@dataclass(slots=True)
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    changes: list[Told] = field(default_factory=list)
    born: list[tuple[int, str]] = field(default_factory=list)


def weeks(now: datetime, *, simulated: bool, provider: str = "", family: str = "", count: int = SHOWN) -> list[Week]:
    """The last weeks, oldest first, from the first look on. Three queries."""
    here = Q(provider__simulated=simulated) & (Q(provider__name=provider) if provider else Q())
    rows = Deployment.objects.filter(here & (Q(family=family) if family else Q()), listed_at__isnull=False)
    deployments = list(rows.values_list("provider_id", "model_id", "free", "price_out", "context", "born_at"))
    looked = first_looks()
    first = min((at for pk, at in looked.items() if pk in {row[0] for row in deployments}), default=now)
    begins = max(monday(first), monday(now) - (count - 1) * WEEK)
    changes = CatalogueChange.objects.filter(here).exclude(change=Change.NEW).order_by("at", "id")
    told = list(changes.values_list("provider_id", "model_id", "change", "at", "before", "after"))
    names = {(row[0], row[1]) for row in deployments}
    return _replayed(deployments, [row for row in told if (row[0], row[1]) in names], begins, now)


def monday(moment: datetime) -> datetime:
    """The beginning of the week in which `moment` lies, in UTC."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def _replayed(deployments: Sequence[Any], told: Sequence[Told], begins: datetime, now: datetime) -> list[Week]:
    """From how it stands now, back through every change, week by week."""
    gone = {(row[0], row[1]): row[2] == Change.VANISHED for row in told if row[2] in (Change.VANISHED, Change.BACK)}
    models = {(p, m): _Model(not gone.get((p, m), False), free, out, size) for p, m, free, out, size, _ in deployments}
    tallies: dict[datetime, _Tally] = defaultdict(_Tally)
    for row in told:
        tallies[monday(row[3])].changes.append(row)
    for provider, name, *_, born in deployments:
        if born is not None:
            tallies[monday(born)].born.append((provider, name))
    found: list[Week] = []
    week = monday(now)
    while week >= begins:
        tally = tallies[week]
        levels = _levels(models.values())
        for change in reversed(tally.changes):
            _undo(models[change[0], change[1]], change, tally.counts)
        for name in tally.born:
            models[name].listed = False
        facts: dict[str, Any] = {**tally.counts, **levels}
        found.append(Week(week, born=len(tally.born), **facts))
        week -= WEEK
    return found[::-1]


def _levels(models: Any) -> dict[str, Any]:
    present = [one for one in models if one.listed]
    prices = [one.price for one in present if one.price and not one.free]
    sizes = [one.context for one in present if one.context]
    return {
        "listed": len(present),
        "free": sum(one.free for one in present),
        "price": median(prices) if prices else None,
        "context": round(median(sizes)) if sizes else None,
    }


def _undo(model: _Model, told: Told, counts: Counter[str]) -> None:
    """What it was before; and the change counted."""
    change, before, after = told[2], plain(told[4]), plain(told[5])
    if change in (Change.VANISHED, Change.BACK):
        model.listed = change == Change.VANISHED
        counts[str(change)] += 1
    elif change == Change.FREE:
        model.free = bool(before.get("free"))
        counts["charged" if model.free else "freed"] += 1
    elif change == Change.CONTEXT and "context" in before:
        model.context = before["context"]
        counts["resized"] += 1
    elif change == Change.PRICE:
        was, became = (_money(side.get("price_out")) for side in (before, after))
        if "price_out" in before:
            model.price = was
        if was is not None and became is not None:
            counts["dearer" if became > was else "cheaper"] += 1


def _money(written: Any) -> Decimal | None:
    return None if written is None else Decimal(str(written))
