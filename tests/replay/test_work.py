"""Replays wait as rows, are played once, survive the death of whoever played them, and say why when they cannot."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from rotation.control import laboratory
from rotation.models import Attempt, DeploymentStatus, LearnedLimit, Replay, ReplayState, Request, Trace
from rotation.replay import ledger, trace, work
from rotation.replay.evidence import SLOT
from tests.replay.test_trace import GOOD

pytestmark = pytest.mark.django_db
QUICK_FIRST = {"order": ["quick"]}


def figure(row, name):
    return next(found for found in row.result["figures"] if found["name"] == name)


def played(olga, yesterday, **asked):
    row = laboratory.request(olga, yesterday.pool, **{"candidate": QUICK_FIRST, **asked})
    assert work.work_waiting() == "1 replay played"
    row.refresh_from_db()
    return row


def test_yesterday_under_another_order(olga, yesterday):
    yesterday.calls()
    row = played(olga, yesterday)
    assert (row.state, row.error, row.progress) == (ReplayState.DONE, "", 1.0)
    mean = figure(row, "mean")
    assert mean["present"] == pytest.approx(2.9, abs=0.3)
    assert mean["candidate"] == pytest.approx(1.0, abs=0.2)
    assert mean["verdict"] == "better"
    assert mean["interval"][0] < mean["difference"] < mean["interval"][1] < 0
    assert row.result["coverage"][1] == pytest.approx(1.0, abs=0.05)
    assert row.result["really"]["mean"] == pytest.approx(mean["present"], rel=0.12), "it explored, too"
    assert row.result["accounts"][0]["requests"][1] == pytest.approx(240, abs=10)


def test_the_same_seed_gives_the_same_result(olga, yesterday):
    yesterday.calls(120)
    until = yesterday.now
    one, other = (played(olga, yesterday, until=until, seed=7).result for _ in range(2))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_one_that_says_it_runs_while_nobody_is_at_it_is_played_again(olga, yesterday):
    yesterday.calls(60)
    row = laboratory.request(olga, yesterday.pool, candidate=QUICK_FIRST)
    Replay.objects.filter(pk=row.pk).update(state=ReplayState.RUNNING, progress=0.4)
    assert work.work_waiting() == "1 replay played"
    row.refresh_from_db()
    assert row.state == ReplayState.DONE
    assert work.work_waiting() == "nothing was waiting"


def test_one_that_somebody_is_at_is_left_to_them(olga, yesterday):
    yesterday.calls(30)
    row = laboratory.request(olga, yesterday.pool, candidate=QUICK_FIRST, here=True)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [work.LOCKS, row.pk])
        assert not work.play(row.pk)
        assert work.work_waiting() == "nothing was waiting"
    finally:
        other.close()


def test_a_model_that_went_meanwhile_is_named(olga, yesterday):
    yesterday.calls(30)
    row = laboratory.request(olga, yesterday.pool, candidate=QUICK_FIRST)
    yesterday.quick.mark(DeploymentStatus.GONE, "no longer listed")
    work.work_waiting()
    row.refresh_from_db()
    assert (row.state, row.result) == (ReplayState.FAILED, {})
    assert row.error == "groq/quick cannot be called: gone: no longer listed."


def test_an_error_of_our_own_fails_one_replay_and_not_the_next(olga, yesterday, monkeypatch):
    yesterday.calls(30)
    rows = [laboratory.request(olga, yesterday.pool, candidate=QUICK_FIRST, seed=n) for n in (1, 2)]
    real = work.result_of
    monkeypatch.setattr(work, "result_of", lambda row, told: real(row, told) if row.seed == 2 else 1 / 0)
    work.work_waiting()
    assert [Replay.objects.get(pk=row.pk).state for row in rows] == [ReplayState.FAILED, ReplayState.DONE]
    assert "ZeroDivisionError" in Replay.objects.get(pk=rows[0].pk).error


def test_limits_hold_the_candidate_back_and_rate_limits_are_not_drawn_twice(olga, yesterday):
    yesterday.calls(240)
    rows = list(yesterday.pool.placements.values_list("deployment_id", flat=True))
    for _ in range(60):  # it was refused as often as it answered, by its limit
        yesterday.attempt(uuid4(), yesterday.quick, yesterday.now - timedelta(hours=1),
                          "rate_limited", 0.0, 100.0).save(force_insert=True)  # fmt: skip
    free = played(olga, yesterday)
    assert "rate_limited" in {found["kind"] for found in free.result["kinds"]}
    scope = f"account:{yesterday.key.account_id}/deployment:{yesterday.quick.pk}"
    LearnedLimit.objects.create(scope=scope, axis="requests", limit=5, window_s=3600)
    held = played(olga, yesterday)
    assert "rate_limited" not in {found["kind"] for found in held.result["kinds"]}
    answers = {found["deployment"]: found["answers"][1] for found in held.result["deployments"]}
    assert answers[yesterday.quick.pk] == pytest.approx(5 * 23, abs=8)
    assert answers[yesterday.slow.pk] + answers[yesterday.spare.pk] == pytest.approx(240 - 5 * 23, abs=8)
    assert len(rows) == 3


def test_what_others_took_of_the_same_limit_leaves_less(olga, yesterday):
    yesterday.calls(240)
    scope = f"account:{yesterday.key.account_id}/deployment:{yesterday.quick.pk}"
    LearnedLimit.objects.create(scope=scope, axis="requests", limit=5, window_s=3600)

    def of_quick():
        answers = {found["deployment"]: found["answers"][1] for found in played(olga, yesterday).result["deployments"]}
        return answers[yesterday.quick.pk]

    alone = of_quick()
    yesterday.calls(115, seed=2, pool="fast")
    yesterday.calls(115, seed=3, outcome="cancelled")
    taken = Attempt.objects.filter(deployment_id=yesterday.quick.pk).exclude(
        request_id__in=Request.objects.filter(pool="auto", outcome="answered").values("id")
    )
    assert taken.count() > 30
    assert alone - of_quick() == pytest.approx(taken.count(), abs=10)


def test_a_trace_is_replayed_with_what_the_pool_measured(olga, yesterday):
    yesterday.calls(240)
    kept = laboratory.import_trace(olga, "azure", GOOD)
    row = played(olga, yesterday, trace=kept)
    assert row.result["calls"] == 2
    assert row.result["source"] == "trace azure"
    assert row.result["really"] is None


def test_calls_that_leave_no_choice_are_left_out_and_counted(olga, yesterday):
    yesterday.calls(40)
    yesterday.calls(10, seed=2, policy={"pin": ["groq/slow"]})
    yesterday.calls(10, seed=3, operation="transcription")
    yesterday.calls(10, seed=4, internal=True)
    yesterday.calls(5, seed=5, outcome="cancelled")
    row = played(olga, yesterday)
    assert row.result["calls"] == 40
    assert row.result["left_out"] == {"cancelled": 5}


def test_a_large_window_is_sampled_by_quarters_of_an_hour(olga, yesterday, monkeypatch):
    yesterday.calls(400)
    monkeypatch.setattr(ledger, "MOST", 100)
    since, until = yesterday.now - timedelta(hours=24), yesterday.now
    found = ledger.recorded("auto", since, until, [yesterday.slow.pk], most=100)
    assert 40 <= len(found.calls) <= 100
    assert "quarter of an hour, at most 100 of 400 calls" in found.rule
    blocks = sorted({int(asked.at // SLOT) for asked in found.calls})
    gaps = {b - a for a, b in pairwise(blocks)}
    assert min(gaps) >= 3
    assert found.share == pytest.approx(len(found.calls) / 400)


def test_a_large_trace_is_sampled_alike(monkeypatch):
    monkeypatch.setattr(work, "MOST", 50)
    rows = [trace.Row(n * 60.0, 1, 1) for n in range(1000)]
    chosen, rule = work.thinned(rows)
    assert len(chosen) <= 50
    assert "at most 50 of 1,000 calls" in rule
    assert work.thinned(rows[:50]) == (rows[:50], "all 50 calls")


def test_old_replays_go(olga, yesterday, monkeypatch):
    monkeypatch.setattr(work, "KEPT", 3)
    for n in range(5):
        Replay.objects.create(
            pool=yesterday.pool, by="x", state=ReplayState.DONE, at=timezone.now() - timedelta(days=n)
        )
    work.work_waiting()
    assert Replay.objects.count() == 3
    assert Trace.objects.count() == 0
