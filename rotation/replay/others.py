"""What was taken from the same quotas meanwhile by calls that are not replayed: without it a replay finds room where
really there was none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from rotation.core.failures import FailureKind
from rotation.models import Account, Attempt, Deployment
from rotation.replay.evidence import SLOT
from rotation.replay.traffic import LIMITS_OWN, Spent

MOST = 500_000  # attempts read
COLUMNS = ("at", "request_id", "account_id", "deployment_id", "tokens_in", "tokens_out")
#: What was turned away for a limit, or never arrived, took nothing.
NOTHING = [kind.value for kind in (*LIMITS_OWN, FailureKind.UPSTREAM_BUSY, FailureKind.UNREACHABLE)]


def others(
    replayed: Collection[UUID], deployments: Collection[int], since: datetime, until: datetime, blocks: Collection[int]
) -> tuple[Spent, ...]:
    """By time: attempts on the accounts through which these deployments are reached, but for those of the calls that
    are `replayed`."""
    accounts = Account.objects.filter(provider__deployments__in=deployments).values_list("pk", flat=True)
    rows = Attempt.objects.filter(of_blocks(blocks), at__gte=since, at__lt=until, account_id__in=set(accounts))
    free = set(Deployment.objects.filter(free=True).values_list("pk", flat=True))
    told = rows.exclude(outcome__in=NOTHING).order_by("at").values_list(*COLUMNS)[:MOST]
    return tuple(
        Spent(at.timestamp(), scopes(account, one, free=one in free), tokens_in + tokens_out)
        for at, request, account, one, tokens_in, tokens_out in told.iterator(chunk_size=20_000)
        if request not in replayed
    )


def of_blocks(blocks: Iterable[int]) -> Q:
    """These quarters of an hour (of the epoch); none mean no bound."""
    found = Q()
    for block in blocks:
        start = datetime.fromtimestamp(block * SLOT, UTC)
        found |= Q(at__gte=start, at__lt=start + timedelta(seconds=SLOT))
    return found


def scopes(account: int, deployment: int, *, free: bool) -> tuple[str, ...]:
    """Those quotas stand in, as `rotation.core.targets` names them."""
    found = (f"account:{account}", f"account:{account}/deployment:{deployment}", f"deployment:{deployment}")
    return (*found, f"account:{account}/free") if free else found
