"""The limits of one provider: what it told beside what was configured, how much is used, when it is whole again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboard import figures
from dashboard.queries import keys, mode
from dashboard.queries.health import Scope, scope_of
from dashboard.queries.keys import DAY, MINUTE, Used
from dashboard.queries.providers import Kept, scopes_of
from rotation.control.limits import SOURCE as OPERATOR
from rotation.models import Deployment, LearnedLimit
from rotation.models.scopes import in_words
from rotation.providers import plans

AXES = {"requests": "requests", "tokens": "tokens", "audio_seconds": "seconds of audio", "upload_bytes": "upload"}
WINDOWS = {1.0: "a second", 60.0: "a minute", 3600.0: "an hour", 86_400.0: "a day"}
MOST = 60  # rows; the fullest first
Where = tuple[str, str, float]  # scope, axis, window


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit. `configured` is an operator's or the plan's word, `learned` the provider's own; either may be None.

    `used` is None where the roll-ups cannot tell; `whole_at` is when a fixed window turns, None where it refills all
    the time.
    """

    about: str
    axis: str
    window: float
    configured: float | None
    learned: LearnedLimit | None
    used: float | None
    whole_at: datetime | None
    told_by: str

    @property
    def limit(self) -> float:
        return self.learned.limit if self.learned else self.configured or 0.0

    @property
    def what(self) -> str:
        if self.axis == "upload_bytes":
            return "bytes of an upload"
        return f"{AXES.get(self.axis, self.axis)} {WINDOWS.get(self.window, f'in {self.window:g} s')}"

    @property
    def left(self) -> float | None:
        return None if self.used is None else max(0.0, self.limit - self.used)

    @property
    def share(self) -> float:
        return (self.used or 0.0) / self.limit if self.limit else 0.0

    @property
    def words(self) -> str:
        if self.used is None:
            return "not counted here"
        return f"{figures.short_count(self.left or 0)} left of {figures.short_count(self.limit)}"


def budgets(one: Kept, now: datetime) -> list[Budget]:
    """All limits of a provider, the fullest first."""
    told = list(LearnedLimit.objects.filter(scopes_of(one)).order_by("scope"))
    deployments = list(one.provider.deployments.filter(placements__isnull=False).distinct()[:200])
    learned = {(row.scope, row.axis, row.window_s): row for row in told if row.source != OPERATOR}
    configured = {
        (row.scope, row.axis, row.window_s): (row.limit, "operator") for row in told if row.source == OPERATOR
    }
    for where, limit in published(one, deployments):
        configured.setdefault(where, (limit, "plan"))
    use = keys.used(now, simulated=mode.simulated())
    names = in_words({scope for scope, _, _ in [*learned, *configured]})
    wheres = list(dict.fromkeys([*learned, *configured]))
    found = [_budget(w, learned.get(w), _beside(w, configured), use, names, now) for w in wheres]
    return sorted(found, key=lambda b: (-b.share, b.about, b.axis, b.window))[:MOST]


def published(one: Kept, deployments: Iterable[Deployment]) -> Iterable[tuple[Where, float]]:
    """What the plans named on its accounts come with, for models that stand in a pool."""
    for held in one.accounts:
        for deployment in deployments:
            for limit in plans.known(one.provider.kind, held.account.plan, deployment.model_id, deployment.free):
                scope = f"account:{held.account.pk}" + ("/free" if limit.free_only else f"/deployment:{deployment.pk}")
                yield (scope, limit.axis, limit.window), limit.limit


def _beside(where: Where, configured: dict[Where, tuple[float, str]]) -> tuple[float, str] | None:
    """What was configured for the same, or for the model over all accounts."""
    scope, axis, window = where
    model = scope.rpartition("/")[2]
    return configured.get(where) or configured.get((model, axis, window))


def _budget(
    where: Where,
    learned: LearnedLimit | None,
    configured: tuple[float, str] | None,
    use: list[Used],
    names: dict[str, str],
    now: datetime,
) -> Budget:
    text, axis, window = where
    scope = scope_of(text)
    name = names.get(text, text).partition(" · ")[2] or names.get(text, text)  # whose page this is is known
    about = name.removesuffix(" · free") + (" · all free models" if scope.free else "")
    counted = window in {MINUTE, DAY} and axis in {"requests", "tokens"}
    used = float(spent(scope, axis, window, use)) if counted else None
    turn = (now.timestamp() // window + 1) * window if scope.free and window else None
    whole_at = datetime.fromtimestamp(turn, UTC) if turn else None
    told_by = configured[1] if configured else ""
    return Budget(about, axis, window, configured[0] if configured else None, learned, used, whole_at, told_by)


def spent(scope: Scope, axis: str, window: float, use: Iterable[Used]) -> int:
    """What was used of a limit in its window."""
    return sum(
        row.requests if axis == "requests" else row.tokens for row in use if row.window == window and row.within(scope)
    )
