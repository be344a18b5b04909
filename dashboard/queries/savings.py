"""What was spent in whole UTC days, and what the same tokens would have cost on one paid model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.queries.prices import Yardstick, yardstick
from dashboard.queries.sums import fetch
from rotation.models import Deployment
from rotation.providers.model_names import work_of

RANGES = {"7": 7, "30": 30, "90": 90, "365": 365}
DEFAULT = "30"

SPENT = """
    SELECT date_trunc('day', at, 'UTC'), deployment_id, sum(ok), sum(tokens_in), sum(tokens_out), sum(cost)
    FROM rotation_daystat WHERE at >= %s AND simulated = %s GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Use:
    """Answered attempts, tokens, USD spent, and USD the yardstick would have asked for the same tokens."""

    answered: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    spent: Decimal = Decimal(0)
    instead: Decimal = Decimal(0)

    @property
    def saved(self) -> Decimal:
        return self.instead - self.spent

    def plus(self, other: Use) -> Use:
        return Use(
            self.answered + other.answered,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.spent + other.spent,
            self.instead + other.instead,
        )


@dataclass(frozen=True, slots=True)
class Savings:
    """`days`: every day of the range, oldest first; `models`: by deployment, the largest saving first."""

    whole: Use
    days: tuple[tuple[datetime, Use], ...]
    models: tuple[tuple[Deployment, Use], ...]


def savings(now: datetime, *, days: int, simulated: bool, compared: Yardstick) -> Savings:
    """Two queries. What is paid by the minute of audio has no tokens to compare: it counts as what it cost."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=days - 1)
    rows = fetch(SPENT, [first, simulated])
    named = Deployment.objects.filter(pk__in={row[1] for row in rows}).select_related("provider")
    deployments = {deployment.pk: deployment for deployment in named}
    by_day: dict[datetime, Use] = defaultdict(Use)
    by_model: dict[int, Use] = defaultdict(Use)
    for at, pk, *numbers in rows:
        use = used(deployments.get(pk), compared, *numbers)
        by_day[at], by_model[pk] = by_day[at].plus(use), by_model[pk].plus(use)
    series = tuple((first + timedelta(days=n), by_day[first + timedelta(days=n)]) for n in range(days))
    known = [(deployments[pk], use) for pk, use in by_model.items() if pk in deployments]
    known.sort(key=lambda one: (-one[1].saved, one[0].name))
    return Savings(total(by_day.values()), series, tuple(known))


def used(
    deployment: Deployment | None, compared: Yardstick, ok: int, tokens_in: int, tokens_out: int, cost: Decimal
) -> Use:
    use = Use(ok, tokens_in, tokens_out, cost, compared.cost(tokens_in, tokens_out))
    audio = deployment is not None and work_of(deployment.model_id, deployment.tags) == "transcription"
    return replace(use, instead=cost) if audio else use


def total(uses: Iterable[Use]) -> Use:
    whole = Use()
    for use in uses:
        whole = whole.plus(use)
    return whole


def yardsticks() -> dict[str, Yardstick]:
    """One query: every paid chat model of the catalogue by `provider/model`, simulated ones last."""
    rows = Deployment.objects.filter(price_in__gt=0, price_out__gt=0).select_related("provider")
    return {
        d.name: Yardstick(d.name, d.price_in or Decimal(0), d.price_out or Decimal(0))
        for d in rows.order_by("provider__simulated", "provider__name", "model_id")
        if work_of(d.model_id, d.tags) == "chat"
    }


def chosen(name: str, preferred: str, known: dict[str, Yardstick]) -> Yardstick:
    """The model of the link, else the operator's, else the usual one."""
    return known.get(name) or known.get(preferred) or yardstick()
