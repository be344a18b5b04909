"""The weekly report on regret: per pool, once for every week that is over; and of the running week on request."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

from rotation.models import Pool, RegretReport
from rotation.replay import candidate, ledger
from rotation.replay.ledger import NoTraffic
from rotation.replay.regret import hindsight
from rotation.replay.setting import Setting

WEEK = timedelta(days=7)
SEED = 1
MOST = 12_000  # calls that eight orders are tried on


def report_all(now: datetime | None = None) -> str:
    """The job: last week's report for every pool that has none yet. One line for people."""
    monday = monday_of(now or timezone.now()) - WEEK
    missing = Pool.objects.exclude(regret_reports__week=monday)
    made = [f"{pool}: {found.result['words']}" for pool in missing if (found := report(pool, monday))]
    return "; ".join(made) or "every report was made"


def monday_of(moment: datetime) -> date:
    """The first day of its week, UTC."""
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def report(pool: Pool, monday: date, now: datetime | None = None) -> RegretReport | None:
    """Of the week from `monday`, as far as it has gone; made anew when there is one. None without enough calls."""
    since = datetime.combine(monday, time(), UTC)
    until = min(since + WEEK, now or timezone.now())
    setting = Setting.of(pool)
    present = candidate.present(setting.setup)
    if not present.order or until <= since:
        return None
    try:
        recorded = ledger.recorded(pool.name, since, until, present.order, most=MOST)
    except NoTraffic:
        return None
    found = hindsight(setting.bench(recorded, [present], {}), present, seed=SEED)
    if found is None:
        return None
    told = {**found.told(dict(setting.setup.names), present.order), "rule": recorded.rule, "share": recorded.share,
            "until": until.isoformat()}  # fmt: skip
    return RegretReport.objects.update_or_create(
        pool=pool, week=monday, defaults={"result": told, "at": timezone.now()}
    )[0]
