"""Everything the public status page shows of one moment, read and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts.strip import Mark, mood_of, strip
from dashboard.queries import health, mode, status
from dashboard.queries.status import DAYS, Day, Incident
from rotation import switches

SHOWN = 12  # incidents
WORDS = {
    "up": "All pools answer",
    "degraded": "Some pools answer with less than usual",
    "down": "A pool does not answer",
}
MOODS = {"up": "ok", "degraded": "warn", "down": "bad"}
WORST = ("down", "degraded", "up")


@dataclass(frozen=True, slots=True)
class PoolStanding:
    name: str
    label: str
    state: str
    strip: SafeString
    answered: str

    @property
    def mood(self) -> str:
        return MOODS[self.state]


@dataclass(frozen=True, slots=True)
class Standing:
    """`state` is the worst of the pools'."""

    title: str
    at: datetime
    state: str
    simulated: bool
    pools: tuple[PoolStanding, ...]
    incidents: tuple[Incident, ...]

    @property
    def words(self) -> str:
        return WORDS[self.state] if self.pools else "No pool has a model yet"

    @property
    def mood(self) -> str:
        return MOODS[self.state]


def standing(now: datetime) -> Standing:
    """Nine queries, whatever is stored."""
    simulated = mode.simulated()
    lately, benched = status.recent(now, simulated=simulated), health.health(now)
    accounts, days = status.accounts(), status.days(now, simulated=simulated)
    shown = []
    for pool, members in status.pools(simulated=simulated).items():
        state = status.standing(len(members), status.free(members, benched, accounts), lately.get(pool.name, (0, 0)))
        shown.append(pool_standing(pool.name, pool.label, state, days.get(pool.name, [])))
    worst = next((state for state in WORST if any(pool.state == state for pool in shown)), "up")
    found = status.incidents(now, simulated=simulated)[:SHOWN]
    return Standing(switches.value("status_title"), now, worst, simulated, tuple(shown), tuple(found))


def pool_standing(name: str, label: str, state: str, days: list[Day]) -> PoolStanding:
    answered, answerable = sum(d.answered for d in days), sum(d.answerable for d in days)
    share = figures.percent(answered, answerable) if answerable else "no calls yet"
    drawn = strip([mark(day) for day in days], summary=f"{name}, the last {DAYS} days: {share} answered")
    return PoolStanding(name, label or name, state, drawn if days else SafeString(""), share)


def mark(day: Day) -> Mark:
    when = f"{day.at.day} {day.at:%b}"
    if not day.answerable:
        return Mark("none", f"{when}: no calls")
    return Mark(
        mood_of(day.answered, day.answerable), f"{when}: {figures.percent(day.answered, day.answerable)} answered"
    )
