"""A worker that is killed in the middle loses nothing and does nothing twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from rotation import client_keys
from rotation.discovery.verify import queue, runs
from rotation.models import RunState, TaskState, VerificationTask
from rotation.simulator.serve import Running, running
from tests.cast import Serving, serving, wait_for

GROQ = ["llama-3.1-8b-instant", "llama-3.3-70b-versatile", "qwen/qwen3-32b", "openai/gpt-oss-20b"]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> Iterator[tuple[Running, Serving]]:
    """A simulator, and a gateway that read the database, both on sockets."""
    from rotation.gateway.loading import build, read
    from tests.discovery.verify.virtual import office

    with running(speed=20, limits=False) as sim:
        settings.ROTATION_SIMULATOR_URL = sim.url
        office("groq", models=GROQ, images=False)
        client_keys.for_jobs()
        with serving(build(read()), tmp_path) as gateway:
            settings.ROTATION_GATEWAY_URL = gateway.url
            yield sim, gateway


def worker(gateway: Serving) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tests.discovery.verify.working", connection.settings_dict["NAME"], gateway.url, "60"]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_where_it_was(world: tuple[Running, Serving]):
    from rotation.models import Deployment

    sim, gateway = world
    run = runs.start("ada", Deployment.objects.all(), capabilities=["short_answer", "streaming", "code"])
    first = worker(gateway)
    wait_for(lambda: run.tasks.filter(state=TaskState.DONE).count() >= 4, seconds=60)
    wait_for(lambda: run.tasks.filter(state=TaskState.UNDER_WAY).exists(), seconds=60)
    first.kill()
    first.communicate()
    done = dict(run.tasks.filter(state=TaskState.DONE).values_list("pk", "ended_at"))
    left_behind = set(run.tasks.filter(state=TaskState.UNDER_WAY).values_list("pk", flat=True))
    line = runs.work(run)
    assert "nothing is waiting" in line
    run.refresh_from_db()
    assert run.state == RunState.DONE, line
    after = dict(run.tasks.filter(state=TaskState.DONE).values_list("pk", "ended_at"))
    assert done.items() <= after.items(), "what was recorded was not asked again"
    assert run.verdicts.count() == len(GROQ) * 3
    assert set(Counter(run.verdicts.values_list("deployment", "capability")).values()) == {1}
    assert set(run.tasks.filter(asked__gt=1).values_list("pk", flat=True)) <= left_behind
    assert len(after) <= len(sim.ledger(kind="groq")) <= len(after) + len(left_behind)


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_work(world: tuple[Running, Serving]):
    from rotation.models import Deployment

    sim, gateway = world
    run = runs.start("ada", Deployment.objects.all(), capabilities=["short_answer"])
    other = worker(gateway)
    line = runs.work(run)
    told, _ = other.communicate(timeout=60)
    assert "questions asked" in line or "nothing is waiting" in line
    assert "Traceback" not in told
    wait_for(lambda: not queue.open_tasks(run).exists(), seconds=30)
    assert set(VerificationTask.objects.values_list("asked", flat=True)) <= {0, 1}
    assert len(sim.ledger(kind="groq")) == run.tasks.filter(state=TaskState.DONE).count() == len(GROQ) * 2


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_was_lost_records_nothing(world: tuple[Running, Serving]):
    from rotation.core.verdicts import Trial
    from rotation.discovery.verify import records
    from rotation.discovery.verify.findings import Finding
    from rotation.models import Deployment

    runs.start("ada", Deployment.objects.all()[:1], capabilities=["short_answer"])
    pk = queue.line(None)[0].pk
    now = timezone.now()
    mine = queue.claim(pk, now)
    assert mine is not None
    assert queue.claim(pk, now) is None
    assert queue.put_back([pk]) == 0
    queue.let_go(mine)
    assert queue.put_back() == 1
    theirs = queue.claim(pk, now)
    assert theirs is not None
    assert not records.record(mine, Finding(Trial(5)), now)
    assert records.record(theirs, Finding(Trial(5)), now)
    queue.let_go(theirs)
    assert VerificationTask.objects.get(pk=pk).asked == 2


@pytest.mark.django_db
def test_without_a_gateway_it_says_so_and_everything_waits_on(settings: Any):
    from tests.models import rows

    settings.ROTATION_GATEWAY_URL = "http://127.0.0.1:9"
    deployment = rows.deployment()
    rows.key(account=rows.account(provider=deployment.provider))
    run = runs.start("ada", [deployment], capabilities=["short_answer"])
    assert runs.work(run) == "the gateway does not answer; what is waiting is asked when it is back"
    assert set(run.tasks.values_list("state", "asked")) == {(TaskState.WAITING, 0)}
