"""Hidden defects are found, each with its root cause; what is only limited or out of order is never condemned."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rotation.discovery.verify import runs
from rotation.models import (
    Deployment,
    RunState,
    TaskState,
    Verdict,
    Verification,
    VerificationTask,
)
from rotation.simulator.defects import LIVES, Defect
from tests.acceptance.virtual import passed

pytestmark = pytest.mark.django_db
SEEING = "meta-llama/llama-4-maverick"


@pytest.fixture(autouse=True)
def unsafe(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.ROTATION_SIMULATOR_URL = "http://simulator"


def free_models(count: int) -> list[str]:
    """Free chat models of the simulated OpenRouter that claim tools and schemas."""
    from rotation.simulator.shelves import stock

    found = [m.id for m in stock("openrouter", 5) if m.free and m.tools and m.json_schema and not m.reasoning]
    assert len(found) >= count
    return found[:count]


def claims(model: str) -> dict[str, Any]:
    from rotation.simulator.shelves import stock

    one = stock("openrouter", 5).get(model)
    assert one is not None
    return {"tools": one.tools, "json_schema": one.json_schema, "images": one.images, "context": one.context}


DEFECTS = {
    Defect.LIES_ABOUT_TOOLS: ("tools", "feature_missing", "answered in words instead of calling"),
    Defect.BREAKS_JSON: ("json_schema", "feature_missing", "its answer is no JSON object"),
    Defect.SHORT_CONTEXT: ("long_context", "short_context", "was lost"),
    Defect.SLOW: ("short_answer", "timeout", "nothing within 60 s"),
    Defect.IGNORES_STOP: ("stop", "feature_missing", "was ignored"),
    Defect.IGNORES_SYSTEM: ("system_prompt", "feature_missing", "the system prompt asks to begin"),
    Defect.NO_USAGE: ("streaming", "feature_missing", "never says how many tokens"),
}


def test_every_hidden_defect_is_found_and_nobody_else_is_condemned(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, office, started, verdicts

    models = free_models(len(DEFECTS) + 1)
    provider = office()
    for model in models:
        from tests.models import rows

        rows.deployment(provider=provider, model_id=model, free=True, **claims(model))
    run = started(provider.deployments.all())

    async def story() -> None:
        world = Verifying(tmp_path)
        for defect, model in zip(DEFECTS, models, strict=False):
            world.hide("openrouter", model, defect)
        await world.verify(run)
        assert world.refused() == []

    lived(story)
    run.refresh_from_db()
    assert run.state == RunState.DONE, run.summary
    for (defect, (capability, cause, words)), model in zip(DEFECTS.items(), models, strict=False):
        seen = Verification.objects.get(deployment__model_id=model, capability=capability)
        assert (seen.verdict, seen.cause) == (Verdict.INCOMPATIBLE, cause), (defect, seen.reason)
        assert words in seen.reason
    for place, model in enumerate(models):
        found = verdicts(Deployment.objects.get(model_id=model))
        if place < len(DEFECTS) and list(DEFECTS)[place] is Defect.SLOW:
            continue
        spared = {"tools", "parallel_tools"} if place == 0 else {list(DEFECTS.values())[place][0]} if place < len(
            DEFECTS
        ) else set()  # fmt: skip
        # a model that honestly does one call at a time fails that alone
        bad = {name for name, verdict in found.items() if verdict != Verdict.VERIFIED} - spared - {"parallel_tools"}
        assert not bad, (model, bad)
    assert not VerificationTask.objects.exclude(state__in=(TaskState.DONE, TaskState.CANCELLED)).exists()
    assert Deployment.objects.filter(verified_at=None).count() == 0


def one_office() -> Deployment:
    from tests.discovery.verify.virtual import office

    model = free_models(1)[0]
    return office(models=[model], **claims(model)).deployments.get()


def test_a_model_that_died_is_told_apart_from_one_whose_id_is_wrong(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, office, started
    from tests.models import rows

    deployment = one_office()
    Deployment.objects.update(listed_at=timezone.now())
    typo = rows.deployment(provider=deployment.provider, model_id=deployment.model_id.replace(":free", "x:free"))
    gone = rows.deployment(provider=office("groq"), model_id="mixtral-8x7b-of-old")
    run = started([deployment, typo, gone])

    async def story() -> None:
        world = Verifying(tmp_path)
        world.hide("openrouter", deployment.model_id, Defect.DIES)
        await asyncio.sleep(LIVES + 60)
        await world.verify(run)

    lived(story)
    found = {one.deployment_id: one for one in run.verdicts.all()}
    assert len(found) == 3, "one verdict each: nothing else was asked"
    assert {pk: one.cause for pk, one in found.items()} == {
        deployment.pk: "does_not_exist",
        typo.pk: "wrong_id",
        gone.pk: "does_not_exist",
    }
    assert deployment.model_id in found[typo.pk].reason
    assert f"near it: {typo.model_id}" in found[deployment.pk].reason
    assert "Use one of the ids named." in found[typo.pk].reason
    assert run.tasks.filter(state=TaskState.DONE).count() == 3


def test_a_rate_limit_puts_off_and_is_never_held_against_a_model(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, started, verdicts

    deployment = one_office()
    run = started([deployment], capabilities=["short_answer", "tools"])

    async def story() -> None:
        world = Verifying(tmp_path)
        world.faults({"fault": "rate_limit", "hint": "retry_after", "seconds": 120, "until": 1_200})
        await world.verify(run)
        assert passed() > 1_200

    lived(story)
    assert verdicts(deployment) == {"short_answer": "verified", "tools": "verified"}
    assert not run.verdicts.exclude(verdict=Verdict.VERIFIED).exists()


def test_one_that_is_limited_for_weeks_is_told_as_such(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, started

    deployment = one_office()
    run = started([deployment], capabilities=["short_answer"])

    async def story() -> None:
        world = Verifying(tmp_path)
        world.faults({"fault": "quota_day"})
        await world.verify(run)

    lived(story)
    seen = run.verdicts.get()
    assert (seen.verdict, seen.score, seen.trials) == (Verdict.RATE_LIMITED, None, 0)
    assert seen.reason.startswith("A rate limit was in the way")


@pytest.mark.parametrize(
    ("fault", "cause"), [("server_error", "provider_down"), ("refuse_connection", "provider_down")]
)
def test_an_outage_is_nobodys_verdict(tmp_path: Path, fault: str, cause: str):
    from tests.discovery.verify.virtual import Verifying, lived, started

    run = started([one_office()], capabilities=["short_answer"])

    async def story() -> None:
        world = Verifying(tmp_path)
        world.faults({"fault": fault})
        await world.verify(run)

    lived(story)
    assert [(one.verdict, one.cause) for one in run.verdicts.all()] == [(Verdict.INCONCLUSIVE, cause)]


def test_a_refused_key_and_a_refused_feature_are_told_apart(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, office, started

    model = "meta-llama/llama-4-maverick-17b-128e-instruct"
    deployment = office("groq", models=[model]).deployments.get()
    run = started([deployment], capabilities=["tools", "short_answer"])

    async def story() -> None:
        world = Verifying(tmp_path)
        world.faults({"fault": "lacks_tools"}, {"fault": "no_permission", "from": 3_600})
        await world.verify(run)

    lived(story)
    seen = run.verdicts.get(capability="tools")
    assert (seen.verdict, seen.cause, seen.trials) == (Verdict.INCOMPATIBLE, "feature_missing", 1)
    assert run.verdicts.get(capability="short_answer").verdict == Verdict.VERIFIED


def test_latency_and_first_token_are_kept(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, started

    run = started([one_office()], capabilities=["short_answer", "streaming"])

    async def story() -> None:
        await Verifying(tmp_path).verify(run)

    lived(story)
    whole, stream = (run.verdicts.get(capability=name) for name in ("short_answer", "streaming"))
    assert whole.latency_ms is not None
    assert 50 < whole.latency_ms < 20_000
    assert whole.first_ms is None
    assert stream.first_ms is not None
    assert 0 < stream.first_ms <= (stream.latency_ms or 0)  # the road of virtual time brings a stream in one piece
    assert (stream.score, stream.trials) == (5, 2)
    assert (stream.low or 0) < 5


def test_a_run_that_is_called_off_asks_nothing_more(tmp_path: Path):
    from tests.discovery.verify.virtual import Verifying, lived, started

    run = started([one_office()])

    async def story() -> None:
        world = Verifying(tmp_path)
        await world.verify(run, until=world.now() + timedelta(seconds=30))
        asked = len(world.heard)
        assert 0 < asked < 12
        runs.cancel("grace", run)
        assert await world.verify(run) == "nothing is waiting"
        assert len(world.heard) == asked

    lived(story)
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert run.summary.startswith("called off by grace")


def test_nothing_is_asked_without_a_share(tmp_path: Path):
    from tests.discovery.verify.virtual import START, Verifying, lived, started

    deployment = one_office()
    deployment.provider.accounts.update(verify_share=0)
    run = started([deployment], capabilities=["short_answer"])

    async def story() -> str:
        world = Verifying(tmp_path)
        line = await world.verify(run)
        assert world.heard == []
        return line

    assert "waiting" in lived(story)
    seen = runs.outlook(run, START)
    assert (seen.left, seen.ends_at, seen.next_at) == (2, None, None)
    assert "no account has a share" in seen.why
