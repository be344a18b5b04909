"""A run is started once, in a sensible order, over what can be asked."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from rotation.discovery.verify import job, runs, suite
from rotation.models import Deployment, RunState, TaskState, VerificationRun, VerificationTask
from tests.models import rows


def models(count: int = 2, **values: Any) -> list[Deployment]:
    provider = rows.provider()
    return [rows.deployment(provider=provider, model_id=f"m{n}", **values) for n in range(count)]


@pytest.mark.django_db
def test_every_capability_gets_three_trials_and_nothing_is_put_twice():
    one, two = models()
    run = runs.start("ada", [one, one])
    assert run.tasks.count() == len(suite.SUITE) * 3
    assert run.about == one.name
    again = runs.start("grace", [one])
    assert again == run
    both = runs.start("grace", [one, two])
    assert both != run
    assert set(both.tasks.values_list("deployment", flat=True)) == {two.pk}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_start_one_run():
    wanted = models()
    together, found = threading.Barrier(2), []

    def press() -> None:
        together.wait()
        found.append(runs.start("ada", wanted).pk)
        connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert VerificationTask.objects.count() == 2 * len(suite.SUITE) * 3


@pytest.mark.django_db
def test_named_capabilities_only_and_an_unknown_one_is_told():
    run = runs.start("ada", models(1), capabilities=["tools"])
    assert set(run.tasks.values_list("capability", flat=True)) == {"tools"}
    with pytest.raises(ValidationError) as refused:
        runs.start("ada", models(1), capabilities=["tool"])
    assert "No such capability: tool. There are: short_answer" in refused.value.message_dict["capabilities"][0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "gone"}, "These models are gone"),
        ({"tags": ["embedding"]}, "None of these models is for chats"),
    ],
)
def test_whom_nobody_can_ask_is_refused(values: dict[str, Any], words: str):
    with pytest.raises(ValidationError, match=words):
        runs.start("ada", models(**values))
    with pytest.raises(ValidationError, match="No model was named"):
        runs.start("ada", [])
    assert not VerificationRun.objects.exists()


@pytest.mark.django_db
def test_what_does_not_apply_ends_at_once():
    run = runs.start("ada", models(1, tools=False), capabilities=["tools"])
    assert (run.state, run.tasks.count()) == (RunState.DONE, 0)
    assert run.summary.startswith("nothing to ask")


@pytest.mark.django_db
def test_an_incompatible_model_gets_another_chance():
    (one,) = models(1, status="incompatible")
    runs.start("ada", [one])
    one.refresh_from_db()
    assert (one.status, one.status_reason) == ("candidate", "being verified again")


@pytest.mark.django_db
def test_families_and_providers_take_turns():
    first, second = rows.provider(), rows.provider()
    for provider in (first, second):
        for family in ("llama", "qwen"):
            for n in range(2):
                rows.deployment(provider=provider, model_id=f"{family}-{n}", family=family)
    run = runs.start("ada", Deployment.objects.all(), capabilities=["code"])
    order = [(task.deployment.provider_id, task.deployment.model_id) for task in run.tasks.filter(trial=1)]
    assert [provider for provider, _ in order] == [first.pk, second.pk] * 4
    assert [model for provider, model in order if provider == first.pk] == ["llama-0", "qwen-0", "llama-1", "qwen-1"]


@pytest.mark.django_db
def test_calling_off_keeps_what_is_known_and_frees_the_rest():
    run = runs.start("ada", models(1))
    runs.cancel("grace", run)
    run = runs.cancel("grace", run)
    assert (run.state, run.summary.split(";")[0]) == (RunState.DONE, "called off by grace with 33 questions unasked")
    assert not run.tasks.exclude(state=TaskState.CANCELLED).exists()
    assert runs.start("ada", models(1)) != run


@pytest.mark.django_db
def test_the_job_takes_on_what_costs_nothing_and_leaves_the_rest_to_people():
    real, paid, simulated = rows.provider(), rows.provider(), rows.provider(simulated=True)
    for provider in (real, paid, simulated):
        rows.key(f"sk-{provider.name}-0123456789abcdef", account=rows.account(provider=provider))
    wanted = rows.deployment(provider=real, free=True)
    rows.deployment(provider=paid)
    rows.deployment(provider=simulated, free=True)
    rows.deployment(provider=rows.provider(), free=True)  # nobody has a key for it
    rows.deployment(provider=real, free=True, status="gone")
    assert list(job.candidates()) == [wanted]
    runs.start("ada", [wanted])
    assert list(job.candidates()) == []
