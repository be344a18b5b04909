"""Quotas by scope: reserved before a send, settled after it, learned from what providers say.

No limit known means nothing is refused. Which scope a limit counts in is the provider's affair: over all models
of an account, over its free ones, or, the usual case, per account and model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rotation.core.quota import Quota, Reservation
from rotation.core.stats import Recent
from rotation.core.targets import Target, account_free_scope, account_model_scope, account_scope
from rotation.core.twins import Detector
from rotation.providers import plans
from rotation.providers.base import Limit, Usage

if TYPE_CHECKING:
    from rotation.gateway.snapshot import Learned

MINUTE = 60.0
FREE = "/free"  # how the scope of an account's free models ends
#: Seconds on top of every wait: two requests sent exactly a second apart may arrive a little less than that apart.
ARRIVAL = 0.03

Reserved = list[tuple[Quota, Reservation]]


class Limits:
    """All quotas of the data plane. `now` is engine time."""

    def __init__(self, note: Callable[[Mapping[str, Any]], None]) -> None:
        self.quotas: dict[str, Quota] = {}
        self._note = note
        self._twins = Detector()
        self._outputs: dict[int, Recent] = {}  # tokens of late answers, by deployment id

    def reserve(
        self, target: Target, tokens: int, now: float, *,
        output: int | None = 0, audio: float = 0.0, keep: float = 0.0,
    ) -> Reserved | float:  # fmt: skip
        """Take one request from every quota the target stands in, or the moment when that can be done.

        `tokens` are the prompt's; `output` is the most that was asked for, None when nobody said; `audio` in seconds;
        `keep` is the share of each that has to be left.
        """
        standing = [self.quotas[s] for s in target.scopes if s in self.quotas] if self.quotas else []
        if not standing:
            return []
        needs = self._needs(target, tokens, output, audio, standing)
        free_at = max(q.ready_at(needs, now, keep=keep) for q in standing)
        if free_at > now:
            return free_at + ARRIVAL
        return [(quota, quota.reserve(needs, now)) for quota in standing]

    def ready_at(
        self, target: Target, tokens: int, now: float, *,
        output: int | None = 0, audio: float = 0.0, keep: float = 0.0,
    ) -> float:  # fmt: skip
        """When `reserve` would succeed; takes nothing. `now` when it would at once."""
        standing = [self.quotas[s] for s in target.scopes if s in self.quotas] if self.quotas else []
        needs = self._needs(target, tokens, output, audio, standing)
        free_at = max((q.ready_at(needs, now, keep=keep) for q in standing), default=now)
        return free_at + ARRIVAL if free_at > now else now

    def _needs(
        self, target: Target, tokens: int, output: int | None, audio: float, standing: Sequence[Quota]
    ) -> dict[str, float]:
        counted = tokens + self._counted(target, tokens, output, standing)
        return {"requests": 1.0, "tokens": float(counted), "audio_seconds": audio}

    def _counted(self, target: Target, tokens: int, output: int | None, standing: Sequence[Quota]) -> int:
        """Tokens to set aside for the answer. A guess of ours never makes a call too large for a limit."""
        recent = self._outputs.get(target.deployment.id)
        usual = (recent.p95 if recent else None) or 0.0
        counted = plans.output_counted(target.provider.kind, output, usual, target.deployment.max_output)
        if output is not None:
            return counted
        rooms = [b.capacity for q in standing for (axis, _), b in q.buckets.items() if axis == "tokens" and not b.debt]
        return min(counted, *(max(int(room) - tokens, 0) for room in rooms)) if rooms else counted

    def answered(self, target: Target, usage: Usage | None) -> None:
        """Remember how long answers of this deployment are."""
        if usage is not None and not usage.estimated:
            self._outputs.setdefault(target.deployment.id, Recent()).add(usage.tokens_out)

    def settle(self, reserved: Reserved, usage: Usage | None, now: float) -> None:
        """The attempt was made: its request is used, of the tokens what was really used (none when it failed)."""
        real = {"tokens": float(usage.tokens_in + usage.tokens_out) if usage else 0.0}
        heard = usage.audio_seconds if usage else 0.0
        if heard is not None:
            real["audio_seconds"] = heard
        late = {"tokens": float(usage.tokens_out)} if usage else {}
        for quota, reservation in reserved:
            quota.settle(reservation, real, now, late)

    def release(self, reserved: Reserved, now: float) -> None:
        """The attempt was not made: give all back."""
        for quota, reservation in reserved:
            quota.release(reservation, now)

    def learn(self, target: Target, limits: Iterable[Limit], now: float, *,
              reserved: Sequence[tuple[Quota, Reservation]] = (), counted: bool = True) -> None:  # fmt: skip
        """Take over what a provider said of its limits; what is new is noted.

        `reserved` is what was taken for the call it answers, `counted` false when it refused that one.
        """
        for limit in limits:
            scope = scope_of(limit, target)
            quota = self.quotas.setdefault(scope, Quota())
            answers = next((reservation for known, reservation in reserved if known is quota), None)
            news = quota.learn(limit.axis, limit.limit, limit.window, limit.remaining, now, source=limit.source,
                               fixed=limit.free_only, debt=in_debt(limit.axis, limit.window), answers=answers,
                               counted=counted)  # fmt: skip
            if news:
                self._note({"t": "limit", "at": now, "scope": scope, "axis": limit.axis, "limit": limit.limit,
                            "window": limit.window, "source": limit.source})  # fmt: skip
            if counted:
                self._compare(target, limit, now)

    def _compare(self, target: Target, limit: Limit, now: float) -> None:
        """Two accounts that fall together are proposed as one; a person decides."""
        if limit.axis != "requests" or limit.remaining is None or limit.per_account or limit.source != "header":
            return
        subject = f"{target.deployment.id}/{limit.window}"
        twins = self._twins.told(subject, target.account.id, limit.remaining, limit.limit, limit.window, now)
        if twins is not None:
            self._note({"t": "twins", "at": now, "one": twins.one, "other": twins.other, "proofs": twins.proofs,
                        "against": twins.against})  # fmt: skip

    def adopt(self, learned: Iterable[Learned], now: float) -> None:
        """Limits known from an earlier life: a start, until the provider speaks again."""
        for known in learned:
            self.quotas.setdefault(known.scope, Quota()).configure(
                known.axis, known.limit, known.window, now, fixed=known.scope.endswith(FREE),
                debt=in_debt(known.axis, known.window),
            )  # fmt: skip

    def plan(self, targets: Iterable[Target], now: float) -> None:
        """What the plans of these targets' accounts say: a start where nothing better is known."""
        said: dict[str, set[tuple[str, float]]] = {}
        for target in {(t.account.id, t.deployment.id): t for t in targets}.values():
            deployment = target.deployment
            for limit in plans.known(target.provider.kind, target.account.plan, deployment.model, deployment.free):
                scope = scope_of(limit, target)
                said.setdefault(scope, set()).add((limit.axis, limit.window))
                self.quotas.setdefault(scope, Quota()).configure(
                    limit.axis, limit.limit, limit.window, now, fixed=limit.free_only, source=plans.SOURCE
                )
        for scope, quota in self.quotas.items():
            quota.forget_plans(said.get(scope, ()))
        self.quotas = {scope: quota for scope, quota in self.quotas.items() if quota.buckets}

    def forget(self, scope: str, axis: str | None = None, window: float | None = None) -> None:
        """A person lifted one limit of a scope, or all of them; the provider may tell it again."""
        quota = self.quotas.get(scope)
        if quota is not None and axis is not None and window is not None:
            quota.buckets.pop((axis, float(window)), None)
        if quota is not None and (axis is None or window is None or not quota.buckets):
            del self.quotas[scope]

    def resume(self, earlier: Mapping[str, Quota], now: float) -> None:
        """What was used up in an earlier life, of the limits that are still known."""
        for scope, quota in earlier.items():
            if scope in self.quotas:
                self.quotas[scope].resume(quota, now)


def in_debt(axis: str, window: float) -> bool:
    """Tokens told per second bound a rate, not a request: one may be larger, and the next ones wait for it."""
    return axis == "tokens" and window < MINUTE


def scope_of(limit: Limit, target: Target) -> str:
    """Where a limit counts."""
    if limit.free_only:
        return account_free_scope(target)
    return account_scope(target) if limit.per_account else account_model_scope(target)
