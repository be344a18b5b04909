"""When a run will be done: what is left of it, and what the limits of its accounts allow in a day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from rotation.core.verdicts import PLANNED
from rotation.discovery.verify.budget import LONG, NEVER, Budget
from rotation.discovery.verify.runs import Outlook
from rotation.models import TaskState, VerificationRun

A_QUESTION = 5.0  # seconds one takes, where no limit says more
AT_ONCE = 4
MAJORITY = PLANNED // 2 + 1


def of(run: VerificationRun, now: datetime) -> Outlook:
    """The outlook of one run."""
    tasks = run.tasks.order_by()
    done = tasks.filter(state=TaskState.DONE).count()
    left = _left(run)
    verdicts = dict(run.verdicts.order_by().values_list("verdict").annotate(n=Count("id")))
    models = tasks.values("deployment").distinct().count()
    asking = tasks.filter(state__in=(TaskState.WAITING, TaskState.UNDER_WAY))
    unfinished = asking.values("deployment").distinct().count()
    lately = tasks.filter(state=TaskState.DONE, ended_at__gte=now - timedelta(hours=1)).count()
    next_at, ends_at, why = _when(left, asking.aggregate(at=Min("due_at"))["at"], now)
    return Outlook(
        done, sum(left.values()), models, models - unfinished, verdicts, float(lately), next_at, ends_at, why
    )


def _left(run: VerificationRun) -> Mapping[tuple[int, int], int]:
    """Questions that will probably be asked, by (provider id, deployment id)."""
    rows = (
        run.tasks.filter(state__in=(TaskState.WAITING, TaskState.UNDER_WAY))
        .order_by()
        .values_list("deployment__provider_id", "deployment_id", "capability")
        .annotate(first=Count("id", filter=Q(trial__lte=MAJORITY)), more=Count("id", filter=Q(trial__gt=MAJORITY)))
    )
    left: Counter[tuple[int, int]] = Counter()
    for provider, deployment, _, first, more in rows:
        left[provider, deployment] += first or min(more, 1)
    return left


def _when(
    left: Mapping[tuple[int, int], int], due: datetime | None, now: datetime
) -> tuple[datetime | None, datetime | None, str]:
    """(the next question, the end, what is waited for). The slowest lane of the slowest provider says when it ends."""
    if not left:
        return None, None, ""
    plain = timedelta(seconds=sum(left.values()) * A_QUESTION / AT_ONCE)
    ends, next_at, why = now + plain, NEVER, ""
    for provider in {provider for provider, _ in left}:
        budget = Budget(provider, now)
        mine = {pk: n for (of, pk), n in left.items() if of == provider and pk in budget.deployments}
        for pk in mine:
            leave = budget.leave(pk, "short_answer", now)
            next_at = min(next_at, leave.at)
            end, words = _end(budget, pk, mine, now)
            if end > ends or leave.at == NEVER:
                ends, why = max(end, leave.at), words or leave.why
    next_at = max(next_at, due or now)
    return (next_at if next_at < NEVER else None), (ends if ends < NEVER else None), why


def _end(budget: Budget, deployment: int, left: Mapping[int, int], now: datetime) -> tuple[datetime, str]:
    """When the lanes of this deployment are through with what is left in them."""
    ends, why = now, ""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    lanes: dict[str, int] = defaultdict(int)
    for pk, count in left.items():
        lanes["account"] += count
        lanes["free"] += count if pk in budget.free else 0
    lanes[str(deployment)] = left[deployment]
    for bound in budget.bounds(deployment):
        if bound.axis != "requests" or bound.allowed <= 0:
            continue
        count = lanes[bound.lane]
        if bound.window < LONG:
            end = now + timedelta(seconds=bound.window * count / bound.allowed)
        else:
            ids = {"free": budget.free, "account": None}.get(bound.lane, frozenset({deployment}))
            used = sum(n for _, n, _ in budget.spent.within(ids, today))
            days = max(-(-(count + used) // max(bound.allowed, 1)) - 1, 0)
            end = now if days <= 0 else today + timedelta(days=float(days))
        if end > ends:
            ends, why = end, f"verification may use {bound.allowed:,.0f} requests {_per(bound.window)}"
    return ends, why


def _per(window: float) -> str:
    return {60.0: "a minute", 3_600.0: "an hour", 86_400.0: "a day"}.get(window, f"in {window:g} s")
