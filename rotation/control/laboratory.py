"""The laboratory: replays asked for, adopted and removed; traces taken in and removed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from rotation.celery import app
from rotation.control import placements, pools
from rotation.control.by import By
from rotation.control.fields import unstorable
from rotation.jobs.registry import JOBS
from rotation.models import Deployment, Pool, Reordering, Replay, ReplayState, Trace
from rotation.models.pools import placements_in_order
from rotation.replay import candidate, ledger, trace
from rotation.replay.candidate import BadCandidate, Candidate
from rotation.replay.setting import Setting

MOST_WAITING = 20
MOST_TRACES = 50
SEEDS = 2**63


def request(
    by: By, pool: Pool, *, candidate: Mapping[str, Any] | None = None, reordering: Reordering | None = None,
    trace: Trace | None = None, since: datetime | None = None, until: datetime | None = None, seed: int = 1,
    here: bool = False,
) -> Replay:  # fmt: skip
    """Ask for a replay: of a window of the ledger (without words the last 24 hours), or of a trace.

    The candidate is written as `rotation.replay.candidate` says, or taken from a proposal. `here`: whoever asks plays
    it; else a worker does. Raises ValidationError by field; nothing is kept then.
    """
    wanted = dict(candidate or {}) if reordering is None else of_proposal(pool, reordering)
    now = timezone.now()
    until = min(until, now) if until is not None else now
    since = since or until - ledger.DAY
    _window(since, until)
    if type(seed) is not int or not 0 <= seed < SEEDS:
        raise ValidationError({"seed": "A seed is a whole number from 0."})
    checked(pool, wanted)
    if trace is None and not ledger.calls_of(pool.name, since, until).exists():
        raise ValidationError({"since": f"The pool {pool} had no calls from {since:%Y-%m-%d %H:%M} to "
                               f"{until:%Y-%m-%d %H:%M} UTC: choose another window, or a trace."})  # fmt: skip
    if Replay.objects.filter(state=ReplayState.WAITING).count() >= MOST_WAITING:
        raise ValidationError({"candidate": f"{MOST_WAITING} replays are waiting already: let them be played first."})
    with transaction.atomic():
        row = Replay.objects.create(
            pool=pool, trace=trace, since=None if trace else since, until=until, candidate=wanted, seed=seed,
            by=by.actor[:150],
        )  # fmt: skip
        by.added(row, "ask for a replay")
        if not here:
            transaction.on_commit(kick)
    return row


def _window(since: datetime, until: datetime) -> None:
    if since >= until:
        raise ValidationError({"since": "The window must begin before it ends, and not in the future."})
    if until - since > ledger.LONGEST:
        raise ValidationError({"since": f"A window may be {ledger.LONGEST.days} days long."})


def checked(pool: Pool, wanted: Mapping[str, Any]) -> Candidate:
    """The candidate as the pool stands now. Raises ValidationError by the candidate's part."""
    if problem := unstorable(wanted):
        raise ValidationError({"candidate": problem})
    setting = Setting.of(pool)
    try:
        found = candidate.read(wanted, setting.setup)
    except BadCandidate as wrong:
        raise ValidationError({wrong.field: wrong.message}) from None
    if not found.words:
        raise ValidationError(
            {"candidate": "This is how the pool works already: change its order, a knob or a member."}
        )
    return found


def of_proposal(pool: Pool, reordering: Reordering) -> dict[str, Any]:
    """The order a proposal wants, of those who are still in the pool. Raises ValidationError."""
    if reordering.pool_id != pool.pk:
        raise ValidationError({"reordering": "That proposal is another pool's."})
    there = set(pool.placements.filter(enabled=True).values_list("deployment_id", flat=True))
    return {"order": [one["deployment"] for one in reordering.after if one.get("deployment") in there]}


def kick() -> None:
    """Tell a worker that something waits; without a queue the schedule finds it."""
    try:
        app.send_task(JOBS["replays"].task, retry=False)
    except (OperationalError, OSError):
        return


def import_trace(by: By, name: str, raw: bytes) -> Trace:
    """Take in a trace in CSV. Raises ValidationError on `name` or `file`; nothing is kept then."""
    name = name.strip()
    if not name or len(name) > 120 or unstorable(name):
        raise ValidationError({"name": "Give the trace a name of 1 to 120 characters."})
    if Trace.objects.filter(name=name).exists():
        raise ValidationError({"name": "There is a trace of that name already; choose another, or remove that one."})
    if Trace.objects.count() >= MOST_TRACES:
        raise ValidationError({"name": f"There are {MOST_TRACES} traces: remove one first."})
    try:
        rows = trace.read(raw)
    except trace.BrokenTrace as broken:
        raise ValidationError({"file": str(broken)}) from None
    row = Trace(
        name=name, calls=len(rows), starts_at=_moment(rows[0].at), ends_at=_moment(rows[-1].at),
        body=trace.packed(rows), by=by.actor[:150],
    )  # fmt: skip
    with transaction.atomic():
        row.save()
        by.noted("add", row, calls=row.calls)
    return row


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(0, timezone.get_default_timezone()) + timedelta(seconds=at)


def remove_trace(by: By, row: Trace) -> None:
    """Its replays stay, without it; those that wait for it are told."""
    with transaction.atomic():
        waiting = Replay.objects.filter(trace=row, state__in=(ReplayState.WAITING, ReplayState.RUNNING))
        waiting.update(state=ReplayState.FAILED, error="Its trace was removed.", ended_at=timezone.now())
        by.noted("delete", row, calls=row.calls)
        row.delete()


def remove(by: By, row: Replay) -> None:
    """A replay and its result; one that waits is not played any more."""
    with transaction.atomic():
        by.noted("delete", row, candidate=row.candidate)
        row.delete()


def adopt(by: By, row: Replay) -> Pool:
    """Run the pool as the replay's candidate did. Raises ValidationError when it is not done, the pool is not as the
    replay knew it, or the candidate cannot be followed any more; ChangedMeanwhile.
    """
    if row.state != ReplayState.DONE or len(row.result.get("ways", ())) != 2:
        raise ValidationError({"state": "Only a replay that was played to its end can be adopted."})
    pool = Pool.objects.get(pk=row.pool_id)
    found = checked(pool, row.candidate)
    setup = Setting.of(pool).setup
    was = candidate.present(setup)
    then = row.result["ways"][0]
    known = {"order": list(was.order), "strategy": was.strategy, "preset": was.preset, "policy": dict(was.overrides)}
    if changed := [name for name, value in known.items() if then.get(name) != value]:
        raise ValidationError({"state": f"The pool has changed since ({', '.join(changed)}): replay it again first."})
    with transaction.atomic():
        pools.held(pool, pool.version)
        _follow(by, pool, found, why=f"replay {row.pk}, adopted by {by.actor}")
        by.noted("adopt", row, pool=pool.name, differences=list(found.words))
    pool.refresh_from_db()
    return pool


def _follow(by: By, pool: Pool, found: Candidate, *, why: str) -> None:
    """Members, order and rules, through the functions everybody uses. Who is left out keeps a place, switched off."""
    before = Setting.of(pool).setup
    left = {one for one in before.order if one not in found.order and one not in before.out}
    standing = {p.deployment_id: p for p in placements_in_order(pool)}
    for deployment in Deployment.objects.filter(pk__in=[one for one in found.order if one not in standing]):
        placements.place(by, pool, deployment, why=why)
    for one, placement in standing.items():
        if one in left or (one in found.order and not placement.enabled):
            placements.change(by, placement, enabled=one not in left, why=why)
    rest = [p.deployment_id for p in placements_in_order(pool) if p.deployment_id not in found.order]
    placements.arrange(by, pool, [*found.order, *rest], why=why)
    rules: dict[str, Any] = {"strategy": found.strategy, "preset": found.preset, "policy": dict(found.overrides)}
    if changed := {name: value for name, value in rules.items() if getattr(pool, name) != value}:
        pools.change(by, Pool.objects.get(pk=pool.pk), **changed)
