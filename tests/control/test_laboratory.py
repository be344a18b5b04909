"""The laboratory's doors: what is asked for is checked first, adopted through the functions everybody uses, audited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from rotation.control import laboratory, placements
from rotation.control.fields import ChangedMeanwhile
from rotation.models import AuditEvent, DeploymentStatus, Placement, Reordering, Replay, ReplayState, Trace
from rotation.replay import work
from tests.models import rows
from tests.replay.test_trace import GOOD
from tests.replay.yesterday import Yesterday

pytestmark = pytest.mark.django_db


@pytest.fixture
def yesterday():
    return Yesterday()


def order(pool):
    placed = Placement.objects.filter(pool=pool, enabled=True).order_by("position")
    return list(placed.values_list("deployment__model_id", flat=True))


def done(olga, yesterday, **candidate):
    row = laboratory.request(olga, yesterday.pool, candidate=candidate)
    work.play(row.pk)
    row.refresh_from_db()
    assert row.state == ReplayState.DONE, row.error
    return row


def test_a_replay_is_asked_for_and_written_down(olga, told, yesterday):
    yesterday.calls(20)
    told()
    row = laboratory.request(olga, yesterday.pool, candidate={"policy": {"patience": 3}})
    assert (row.state, row.by) == (ReplayState.WAITING, "olga")
    assert told() == [("olga", "page", "ask for a replay", "replay")]


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"candidate": {}}, "candidate", "how the pool works already"),
        ({"candidate": {"order": ["slow"]}}, "candidate", "how the pool works already"),
        ({"candidate": {"policy": {"colour": 1}}}, "policy", "unknown policy knob 'colour'"),
        ({"candidate": {"order": ["nobody"]}}, "order", "There is no model 'nobody' here"),
        ({"candidate": {"order": ["\ud800"]}}, "candidate", "half a character"),
        ({"since": timedelta(0)}, "since", "must begin before it ends"),
        ({"since": timedelta(days=40)}, "since", "31 days"),
        ({"since": timedelta(days=20), "until": timedelta(days=10)}, "since", "had no calls from"),
        ({"seed": -1}, "seed", "whole number"),
    ],
    ids=["same", "same-order", "knob", "model", "surrogate", "future", "long", "empty", "seed"],
)
def test_what_cannot_be_replayed_leaves_nothing_behind(olga, yesterday, asked, field, words):
    yesterday.calls(20)
    events = AuditEvent.objects.count()
    times = {name: yesterday.now - asked[name] for name in ("since", "until") if name in asked}
    if asked.get("since") == timedelta(0):
        times["since"] += timedelta(days=1)
    with pytest.raises(ValidationError) as wrong:
        laboratory.request(olga, yesterday.pool, **{"candidate": {"order": ["quick"]}, **asked, **times})
    assert words in str(wrong.value.message_dict[field])
    assert (Replay.objects.count(), AuditEvent.objects.count()) == (0, events)


def test_a_gone_model_is_refused_by_name(olga, yesterday):
    yesterday.calls(5)
    yesterday.quick.mark(DeploymentStatus.GONE, "no longer listed")
    with pytest.raises(ValidationError, match="groq/quick cannot be called: gone: no longer listed"):
        laboratory.request(olga, yesterday.pool, candidate={"order": ["quick"]})


def test_a_proposal_can_be_tried(olga, yesterday):
    yesterday.calls(20)
    after = [{"deployment": one.pk} for one in (yesterday.quick, yesterday.slow, yesterday.spare)]
    proposal = Reordering.objects.create(pool=yesterday.pool, after=after)
    row = laboratory.request(olga, yesterday.pool, reordering=proposal)
    assert row.candidate == {"order": [yesterday.quick.pk, yesterday.slow.pk, yesterday.spare.pk]}
    with pytest.raises(ValidationError, match="another pool's"):
        laboratory.request(olga, rows.pool(), reordering=proposal)


def test_only_so_many_wait(olga, yesterday, monkeypatch):
    monkeypatch.setattr(laboratory, "MOST_WAITING", 1)
    yesterday.calls(5)
    laboratory.request(olga, yesterday.pool, candidate={"order": ["quick"]})
    with pytest.raises(ValidationError, match="are waiting already"):
        laboratory.request(olga, yesterday.pool, candidate={"order": ["quick"]})


def test_a_candidate_is_adopted_whole(olga, told, yesterday):
    yesterday.calls(40)
    row = done(olga, yesterday, order=["quick"], add=["other"], leave_out=["spare"], strategy="fastest",
               policy={"patience": 4})  # fmt: skip
    told()
    pool = laboratory.adopt(olga, row)
    assert order(pool) == ["quick", "slow", "other"]
    assert not Placement.objects.get(pool=pool, deployment=yesterday.spare).enabled
    assert (pool.strategy, pool.policy) == ("fastest", {"patience": 4})
    events = told()
    assert {(actor, door) for actor, door, _, _ in events} == {("olga", "page")}
    assert ("olga", "page", "adopt", "replay") in events


def test_nothing_is_adopted_that_was_not_played_or_does_not_fit_any_more(olga, yesterday):
    yesterday.calls(20)
    waiting = laboratory.request(olga, yesterday.pool, candidate={"order": ["quick"]})
    with pytest.raises(ValidationError, match="played to its end"):
        laboratory.adopt(olga, waiting)
    work.play(waiting.pk)
    waiting.refresh_from_db()
    placements.move(olga, yesterday.pool.placements.get(deployment=yesterday.spare), 1)
    with pytest.raises(ValidationError, match=r"has changed since \(order\): replay it again"):
        laboratory.adopt(olga, waiting)
    assert order(yesterday.pool) == ["spare", "slow", "quick"]


def test_adopting_twice_says_that_it_is_so_already(olga, yesterday):
    yesterday.calls(20)
    row = done(olga, yesterday, order=["quick"])
    laboratory.adopt(olga, row)
    with pytest.raises(ValidationError):
        laboratory.adopt(olga, row)


def test_a_change_in_between_is_noticed(olga, yesterday, monkeypatch):
    yesterday.calls(20)
    row = done(olga, yesterday, order=["quick"])
    real = laboratory.checked

    def meddled(pool, wanted):
        found = real(pool, wanted)
        type(pool).objects.get(pk=pool.pk).touch()
        return found

    monkeypatch.setattr(laboratory, "checked", meddled)
    with pytest.raises(ChangedMeanwhile):
        laboratory.adopt(olga, row)
    assert order(yesterday.pool) == ["slow", "quick", "spare"]


def test_traces_come_and_go(olga, told, yesterday):
    row = laboratory.import_trace(olga, " azure ", GOOD)
    assert (row.name, row.calls, str(row.starts_at)[:16]) == ("azure", 2, "2023-11-16 18:17")
    assert told()[-1] == ("olga", "page", "add", "trace")
    waiting = laboratory.request(olga, yesterday.pool, candidate={"order": ["quick"]}, trace=row)
    laboratory.remove_trace(olga, row)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == (ReplayState.FAILED, "Its trace was removed.")
    assert not Trace.objects.exists()


@pytest.mark.parametrize(
    ("name", "raw", "field"),
    [("", GOOD, "name"), ("x" * 121, GOOD, "name"), ("nul\0", GOOD, "name"), ("there", GOOD, "name"),
     ("new", b"time,prompt,answer\n1,x,1\n", "file")],
    ids=["none", "long", "nul", "taken", "broken"],
)  # fmt: skip
def test_a_broken_trace_leaves_nothing_behind(olga, name, raw, field):
    laboratory.import_trace(olga, "there", GOOD)
    with pytest.raises(ValidationError) as wrong:
        laboratory.import_trace(olga, name, raw)
    assert list(wrong.value.message_dict) == [field]
    assert Trace.objects.count() == 1


def test_a_replay_is_removed(olga, told, yesterday):
    yesterday.calls(5)
    row = laboratory.request(olga, yesterday.pool, candidate={"order": ["quick"]})
    told()
    laboratory.remove(olga, row)
    assert told() == [("olga", "page", "delete", "replay")]
    assert work.work_waiting() == "nothing was waiting"
