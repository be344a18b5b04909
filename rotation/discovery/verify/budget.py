"""How much of an account's limits verification may use, and from when on the next question may go.

Of every daily limit an account's share for verification; of every shorter one half, evenly spread, so that traffic
always finds the other half. What is known comes from what providers told (`LearnedLimit`) and from the plan's table;
what was used is counted from the tasks' own rows, by every worker alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from rotation.discovery.verify import suite
from rotation.discovery.verify.claims import facts_of
from rotation.models import Account, Deployment, Key, KeyState, LearnedLimit, VerificationTask
from rotation.providers import plans

LONG = 3_600.0  # a window of at least this many seconds is shared out by the account's own share
HALF = 0.5  # of the shorter ones
LATELY = timedelta(seconds=10)  # by which a claim may be stored later than the moment it tells
NEVER = datetime.max.replace(tzinfo=UTC)
USABLE = (KeyState.READY, KeyState.SUSPECT)


@dataclass(frozen=True, slots=True)
class Bound:
    """So many (`axis`: requests or tokens) in `window` seconds for verification, over all of `lane`.

    A lane is the deployments that share the limit: "free", "account" or one deployment's id as text.
    """

    lane: str
    axis: str
    allowed: float
    window: float


@dataclass(slots=True)
class Spent:
    """What verification asked of one provider lately: (deployment id, moment, requests, tokens), oldest first."""

    asked: list[tuple[int, datetime, int, int]] = field(default_factory=list)

    def within(self, ids: frozenset[int] | None, since: datetime) -> list[tuple[datetime, int, int]]:
        return [(at, n, t) for one, at, n, t in self.asked if at >= since and (ids is None or one in ids)]


@dataclass(frozen=True, slots=True)
class Leave:
    """From when on a question may go, and who has to wait with it until then."""

    at: datetime
    ids: frozenset[int]
    why: str = ""


class Budget:
    """One provider's limits and use, as they stood at `now`; what is asked from here on is told to it by `ask`."""

    def __init__(self, provider: int, now: datetime) -> None:
        self.provider, self.read_at = provider, now
        self._claims = self._lately()
        self.deployments = {one.pk: one for one in Deployment.objects.filter(provider_id=provider)}
        keys = Key.objects.usable().filter(account__provider_id=provider, state__in=USABLE)
        accounts = Account.objects.filter(pk__in=keys.values("account_id")).select_related("provider")
        self.accounts = [account for account in accounts if account.verify_share > 0]
        self._told = _told(self.accounts)
        self._bounds: dict[int, list[Bound]] = {}
        self.free = frozenset(pk for pk, one in self.deployments.items() if one.free)
        self.spent = _spent(provider, self.deployments, now)

    def _lately(self) -> set[tuple[int, datetime | None]]:
        asked = VerificationTask.objects.filter(deployment__provider_id=self.provider, asked__gt=0)
        return set(asked.filter(claimed_at__gte=self.read_at - LATELY).values_list("pk", "claimed_at"))

    def overtaken(self) -> bool:
        """Whether another worker asked something since this was read."""
        return not self._lately() <= self._claims

    def ask(self, deployment: int, capability: str, now: datetime, *, task: int = 0) -> None:
        """A question goes out."""
        self._claims.add((task, now))
        cost = suite.tokens(capability, facts_of(self.deployments[deployment], self.room(deployment)))
        self.spent.asked.append((deployment, now, 1, cost))

    def room(self, deployment: int) -> int | None:
        """The most tokens one question may take, None where no limit on tokens is known."""
        bounds = [bound.allowed for bound in self.bounds(deployment) if bound.axis == "tokens"]
        return int(min(bounds)) if bounds else None

    def leave(self, deployment: int, capability: str, now: datetime) -> Leave:
        """When this question may go: now, or the moment the tightest limit has room for it."""
        if not self.accounts:
            return Leave(NEVER, frozenset(self.deployments), "no account has a share for verification and a usable key")
        cost = suite.tokens(capability, facts_of(self.deployments[deployment], self.room(deployment)))
        best = Leave(now, frozenset({deployment}))
        for bound in self.bounds(deployment):
            at = self._free_at(bound, deployment, 1 if bound.axis == "requests" else cost, now)
            if at > best.at:
                best = Leave(at, self._ids(bound, deployment) or frozenset(self.deployments), _words(bound))
        return best

    def bounds(self, deployment: int) -> Sequence[Bound]:
        """Over all accounts together: the gateway picks among them."""
        if deployment not in self._bounds:
            self._bounds[deployment] = list(self._found(self.deployments[deployment]))
        return self._bounds[deployment]

    def _found(self, deployment: Deployment) -> Iterable[Bound]:
        sums: dict[tuple[str, str, float], list[float]] = defaultdict(list)
        for account in self.accounts:
            for lane, axis, limit, window in _limits(account, deployment, self._told):
                share = account.verify_share if window >= LONG else HALF
                sums[lane, axis, window].append(limit * share)
        for (lane, axis, window), allowed in sums.items():
            if len(allowed) == len(self.accounts):  # an account without this limit takes what the others cannot
                yield Bound(lane, axis, sum(allowed), window)

    def _ids(self, bound: Bound, deployment: int) -> frozenset[int] | None:
        return {"free": self.free, "account": None}.get(bound.lane, frozenset({deployment}))

    def _free_at(self, bound: Bound, deployment: int, wanted: int, now: datetime) -> datetime:
        ids = self._ids(bound, deployment)
        if bound.window >= LONG:
            return self._in_the_long_run(bound, ids, wanted, now)
        window = timedelta(seconds=bound.window)
        used = self.spent.within(ids, now - 2 * window)
        if not used:
            return now
        at, requests, tokens = used[-1]
        taken = requests if bound.axis == "requests" else tokens
        return max(now, at + window * min(taken / max(bound.allowed, 1e-9), 2.0))

    def _in_the_long_run(self, bound: Bound, ids: frozenset[int] | None, wanted: int, now: datetime) -> datetime:
        """A window of a day is the calendar's in UTC; an hour's slides."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        daily = bound.window >= 24 * LONG
        used = self.spent.within(ids, today if daily else now - timedelta(seconds=bound.window))
        taken = sum(requests if bound.axis == "requests" else tokens for _, requests, tokens in used)
        if taken + wanted <= bound.allowed or (not used and bound.allowed > 0):
            return now
        return today + timedelta(days=1) if daily or not used else used[0][0] + timedelta(seconds=bound.window)


def _limits(
    account: Account, deployment: Deployment, told: Mapping[str, Sequence[LearnedLimit]]
) -> Iterable[tuple[str, str, float, float]]:
    """(lane, axis, limit, window): what was told is better than the plan's table, per lane, axis and window."""
    lanes = {f"account:{account.pk}": "account", f"account:{account.pk}/deployment:{deployment.pk}": str(deployment.pk)}
    if deployment.free:
        lanes[f"account:{account.pk}/free"] = "free"
    known: dict[tuple[str, str, float], float] = {}
    for plan in plans.known(account.provider.kind, account.plan, deployment.model_id, deployment.free):
        lane = "free" if plan.free_only else "account" if plan.per_account else str(deployment.pk)
        known[lane, plan.axis, plan.window] = plan.limit
    for scope, lane in lanes.items():
        for limit in told.get(scope, ()):
            known[lane, limit.axis, limit.window_s] = limit.limit
    for (lane, axis, window), most in known.items():
        if axis in ("requests", "tokens") and window > 0:
            yield lane, axis, most, window


def _told(accounts: Sequence[Account]) -> dict[str, list[LearnedLimit]]:
    found: dict[str, list[LearnedLimit]] = defaultdict(list)
    ours = {f"account:{account.pk}" for account in accounts}
    for limit in LearnedLimit.objects.filter(scope__startswith="account:"):
        if limit.scope.split("/", 1)[0] in ours:
            found[limit.scope].append(limit)
    return found


def _spent(provider: int, deployments: Mapping[int, Deployment], now: datetime) -> Spent:
    """From the rows of a day: every claim, with what it costs at its usual size."""
    since = now - timedelta(days=1)
    rows = (
        VerificationTask.objects.filter(deployment__provider_id=provider, claimed_at__gte=since, asked__gt=0)
        .values_list("deployment_id", "capability", "claimed_at")
        .annotate(times=Sum("asked"))
        .order_by("claimed_at")
    )
    spent, costs = Spent(), {}
    for deployment, capability, at, times in rows:
        if deployment in deployments and capability in suite.SUITE:
            key = deployment, capability
            if key not in costs:
                costs[key] = suite.tokens(capability, facts_of(deployments[deployment], None))
            spent.asked.append((deployment, at, times, costs[key] * times))
    return spent


def _words(bound: Bound) -> str:
    per = {60.0: "a minute", 3_600.0: "an hour", 86_400.0: "a day"}.get(bound.window, f"in {bound.window:g} s")
    return f"verification may use {bound.allowed:,.0f} {bound.axis} {per}"
