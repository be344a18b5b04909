"""Replays as work: rows that wait are claimed, played and answered; one whose worker died is played again.

A replay is deterministic by its seed, so to begin again after a restart loses time and nothing else. Whoever plays a
row holds an advisory lock named after it: a row that says "running" while its lock is free has nobody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from rotation.models import Pool, Replay, ReplayState, Trace
from rotation.replay import candidate, ledger, trace
from rotation.replay.candidate import BadCandidate
from rotation.replay.comparison import Told, compare
from rotation.replay.evidence import SLOT
from rotation.replay.ledger import DAY, MOST, NoTraffic
from rotation.replay.setting import Setting
from rotation.replay.traffic import Recorded

logger = logging.getLogger("rotation.replay")

LOCKS = 7_301_012  # first half of the advisory locks; the second is the row's id
EVERY = 0.5  # seconds between two notes of progress
KEPT = 500  # replays; older ones that are done go


def work_waiting() -> str:
    """The job: everything that waits, oldest first. One line for people."""
    done = 0
    while (row := _next()) is not None:
        done += play(row.pk)
    _forget()
    return f"{done} replay{'s' if done != 1 else ''} played" if done else "nothing was waiting"


def _next() -> Replay | None:
    """The oldest that waits, or that says it runs while nobody is at it."""
    for row in Replay.objects.filter(state__in=(ReplayState.WAITING, ReplayState.RUNNING)).order_by("at", "pk"):
        with _alone(row.pk) as alone:
            if alone:
                return row
    return None


def _forget() -> None:
    ended = Replay.objects.filter(state__in=(ReplayState.DONE, ReplayState.FAILED))
    Replay.objects.filter(pk__in=list(ended.order_by("-at", "-pk").values_list("pk", flat=True)[KEPT:])).delete()


def play(pk: int, told: Told = lambda _: None) -> bool:
    """Play one row to its end. False when somebody else is at it, or it has ended or gone."""
    with _alone(pk) as alone:
        row = Replay.objects.select_related("pool", "trace").filter(pk=pk).first() if alone else None
        if row is None or row.state not in {ReplayState.WAITING, ReplayState.RUNNING}:
            return False
        row.state, row.started_at, row.progress, row.error = ReplayState.RUNNING, timezone.now(), 0.0, ""
        row.save(update_fields=["state", "started_at", "progress", "error"])
        _played(row, told)
        row.ended_at = timezone.now()
        # Not save(): whoever removed it meanwhile meant it.
        Replay.objects.filter(pk=row.pk).update(
            state=row.state, ended_at=row.ended_at, progress=row.progress, result=row.result, error=row.error
        )
        return True


def _played(row: Replay, told: Told) -> None:
    began = time.process_time()
    try:
        row.result = result_of(row, _noting(row, told))
        row.result["seconds"] = round(time.process_time() - began, 3)
        row.state, row.progress = ReplayState.DONE, 1.0
    except (BadCandidate, NoTraffic) as wrong:
        row.state, row.error = ReplayState.FAILED, str(wrong)
    except Exception as error:
        logger.exception("replay %s failed", row.pk)
        row.state, row.error = ReplayState.FAILED, f"An error of our own: {type(error).__name__}; the log says more."


def _noting(row: Replay, told: Told) -> Told:
    last = [time.monotonic()]

    def note(share: float) -> None:
        told(share)
        if time.monotonic() - last[0] >= EVERY:
            last[0] = time.monotonic()
            Replay.objects.filter(pk=row.pk).update(progress=share)

    return note


def result_of(row: Replay, told: Told = lambda _: None) -> dict[str, Any]:
    """What the row's replay comes to. Raises BadCandidate, NoTraffic."""
    setting = Setting.of(row.pool)
    ways = candidate.present(setting.setup), candidate.read(row.candidate, setting.setup)
    if not ways[0].order:
        raise NoTraffic(f"Nobody in the pool {row.pool} can be called: give it a model with a key first.")
    members = {one for way in ways for one in way.order}
    told(0.0)
    if row.trace is not None:
        recorded = of_trace(row.trace, row.pool, members, until=row.until)
    else:
        since, until = window_of(row)
        recorded = ledger.recorded(row.pool.name, since, until, members)
    accounts = {t.account.id for one in members for t in setting.snapshot.targets.get(one, ())}
    return compare(setting.bench(recorded, ways, ledger.accounts(accounts)), *ways, seed=row.seed, told=told)


def window_of(row: Replay) -> tuple[datetime, datetime]:
    """From when to when; without words of its own the day before it was asked for."""
    until = row.until or row.at
    return row.since or until - DAY, until


def of_trace(kept: Trace, pool: Pool, members: set[int], *, until: datetime | None = None) -> Recorded:
    """A trace's calls, with what our ledger measured of the members in the day before `until` (now, without one)."""
    now = until or timezone.now()
    rows = trace.unpacked(bytes(kept.body))
    chosen, rule = thinned(rows)
    seen = ledger.measured(members, now - DAY, now)
    calls = trace.asked(chosen, stream=ledger.mostly_streams(pool.name, now - timedelta(days=7), now))
    return Recorded(
        calls, tuple(seen), source=f"trace {kept.name}", rule=rule, window=rows[-1].at - rows[0].at,
        share=len(chosen) / len(rows),
    )  # fmt: skip


def thinned(rows: list[trace.Row]) -> tuple[list[trace.Row], str]:
    """Everything up to `MOST` calls; beyond, quarters of an hour as from the ledger."""
    if len(rows) <= MOST:
        return rows, f"all {len(rows):,} calls"
    per: dict[int, int] = {}
    for row in rows:
        per[int(row.at // SLOT)] = per.get(int(row.at // SLOT), 0) + 1
    chosen, rule = ledger.spread(per, len(rows), MOST)
    wanted = frozenset(chosen)
    return [row for row in rows if int(row.at // SLOT) in wanted][:MOST], rule


@contextmanager
def _alone(pk: int) -> Iterator[bool]:
    """Whether nobody else is at this row; for as long as the block lasts, or the connection lives."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, pk])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, pk])
