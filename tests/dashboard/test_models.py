"""The Models page: registry, matrix, timeline, and one model with what may be done with it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rotation.models import (
    AuditEvent,
    CatalogueChange,
    Cooldown,
    Deployment,
    DiscoveryRun,
    HourStat,
    KindDay,
    LifeStep,
    Pool,
    Provider,
    Verification,
    VerificationRun,
)
from tests.dashboard.calls import HOSTILE

pytestmark = pytest.mark.django_db
VIEWS = ("/models/", "/models/matrix/", "/models/timeline/", "/discovery/", "/discovery/changes/")


@pytest.fixture
def viewer(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_user("victor"))
    return client


def proved(deployment: Deployment, capability: str = "tools", verdict: str = "verified", score: float | None = 4.6):
    return Verification.objects.create(
        deployment=deployment, capability=capability, verdict=verdict, score=score, low=score, high=score, trials=3
    )


def propose(deployment: Deployment, pool: str, **more: Any) -> LifeStep:
    return LifeStep.objects.create(
        deployment=deployment, pool=Pool.objects.get(name=pool), step="canary", state="proposed", by="rotation", **more
    )


def body(answer: object) -> str:
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_the_registry_lists_every_model_of_the_present_mode(page: Client, deployment: Deployment):
    Deployment.objects.create(provider=Provider.objects.create(name="real", kind="openai"), model_id="not-simulated")
    text = page.get("/models/").text
    assert "llama-3.3-8b-instruct" in text
    assert "not-simulated" not in text
    known = Deployment.objects.filter(provider__simulated=True).count()
    assert f"{known} known" in text


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("?q=LLAMA-3.3-8B", True, True),
        ("?provider=sim-openrouter&q=llama-3.3-8b", True, True),
        ("?provider=sim-groq", False, None),
        ("?status=candidate", True, None),
        ("?status=choice", False, None),
        ("?status=gone", False, None),
        ("?family=otherfamily", False, None),
        ("?can=tools", True, True),
        ("?can=images", False, True),
        ("?free=1&q=llama-3.3-8b", True, True),
        ("?status=nonsense&provider=nobody&sort=nothing&after=%00", True, None),
    ],
)
def test_filters_live_in_the_address(page: Client, deployment: Deployment, query: str, *, shown: bool, hidden: bool):
    other = Deployment.objects.create(provider=deployment.provider, model_id="z-other", family="otherfamily")
    proved(deployment)
    proved(deployment, "images", "verified")
    later = proved(deployment, "images", "incompatible")
    Verification.objects.filter(pk=later.pk).update(at=timezone.now() + timedelta(minutes=1))
    text = page.get(f"/models/{query}").text
    assert (f"/models/{deployment.pk}/" in text) is shown
    if hidden:
        assert f"/models/{other.pk}/" not in text


def test_files_have_everything_that_fits_the_filters(page: Client, deployment: Deployment):
    proved(deployment)
    lines = list(csv.DictReader(io.StringIO(body(page.get("/models/?provider=sim-openrouter&format=csv")))))
    assert len(lines) == Deployment.objects.filter(provider__name="sim-openrouter").count()
    mine = next(line for line in lines if line["model"] == deployment.model_id)
    assert (mine["provider"], mine["proved"], mine["status"]) == ("sim-openrouter", "tools", "candidate")
    told = json.loads(body(page.get("/models/matrix/?can=tools&format=json")))
    assert [(row["model"], row["tools_score"], row["tools_verdict"]) for row in told] == [
        (deployment.model_id, 4.6, "verified")
    ]


def test_pages_follow_each_other_by_place(page: Client, deployment: Deployment):
    provider = deployment.provider
    Deployment.objects.bulk_create(Deployment(provider=provider, model_id=f"many/{n:03}") for n in range(120))
    seen: list[str] = []
    url = "/models/?provider=sim-openrouter&q=many/&sort=-model"
    while url:
        answer = page.get(url)
        seen += [row.deployment.model_id for row in answer.context["listing"].rows]
        more = answer.context["listing"].more
        url = f"/models/?provider=sim-openrouter&q=many/&sort=-model&after={more}" if more else ""
    assert seen == [f"many/{n:03}" for n in reversed(range(120))]


def test_the_matrix_shows_scores_intervals_and_what_is_queued(page: Client, deployment: Deployment):
    proved(deployment, "tools", score=4.94)
    proved(deployment, "images", "incompatible", None)
    run = VerificationRun.objects.create(started_by="x")
    run.tasks.create(deployment=deployment, capability="code")
    text = page.get("/models/matrix/?q=llama-3.3-8b-instruct").text
    for words in ('class="score best"', ">4.9<small>4.9–4.9</small>", "<small>queued</small>", ">no<", "verifying"):
        assert words in text, words


@pytest.mark.parametrize("view", VIEWS)
def test_lists_ask_a_fixed_number_of_questions(
    page: Client, deployment: Deployment, django_assert_max_num_queries: DjangoAssertNumQueries, view: str
):
    asked = []
    for many in (2, 40):
        for n in range(many):
            one = Deployment.objects.create(provider=deployment.provider, model_id=f"{many}/{n}", free=True)
            proved(one)
            propose(one, "auto")
            CatalogueChange.objects.create(provider=one.provider, model_id=one.model_id, change="new")
        with django_assert_max_num_queries(26) as questions:
            assert page.get(view).status_code == 200
        asked.append(len(questions))
    assert asked[0] == asked[1]


def test_one_model_says_what_was_measured_of_it(page: Client, ask: Callable[..., UUID], deployment: Deployment):
    ask(total=800)
    ask(failed=1)
    proved(deployment, "tools", "incompatible", 1.2)
    Verification.objects.update(reason="2 of 3 answers called no tool")
    CatalogueChange.objects.create(provider=deployment.provider, model_id=deployment.model_id, change="price",
                                   before={"price_in": "0.250000"}, after={"price_in": "0.500000"})  # fmt: skip
    LifeStep.objects.create(deployment=deployment, step="gone", by="rotation", reason="not in 2 listings in a row")
    text = page.get(f"/models/{deployment.pk}/").text
    for words in (
        "of 3 in 30 days",
        "answers of 30 days by total time",
        "p50 ",
        "2 of 3 answers called no tool",
        "in $0.25 → $0.5",
        "not in 2 listings in a row",
        "rate-limited",
        "sim-openrouter/meta-llama/llama-3.3-8b-instruct:free",
        "position 1",
        "attempts, ",  # a cell of the heat map
        "JSON schema",
    ):
        assert words in text, words


def test_hours_are_the_reader_s(page: Client, deployment: Deployment):
    at = (timezone.now() - timedelta(days=8)).replace(minute=0, second=0, microsecond=0, hour=23)
    HourStat.objects.create(at=at, deployment_id=deployment.pk, key_id=1, attempts=4, ok=4, sum_ms=8000,
                            simulated=True, first_hist=[], total_hist=[])  # fmt: skip
    from dashboard.queries.deployment import hours

    now = timezone.now()
    assert hours(deployment.pk, now) == {(at.isoweekday(), 23): hours(deployment.pk, now)[at.isoweekday(), 23]}
    with timezone.override("Asia/Kolkata"):  # half past four, the day after
        assert list(hours(deployment.pk, now)) == [((at + timedelta(days=1)).isoweekday(), 4)]


def test_a_new_model_s_page_says_the_next_steps(page: Client, world: None):
    one = Deployment.objects.create(provider=Provider.objects.get(name="sim-groq"), model_id="fresh")
    text = page.get(f"/models/{one.pk}/").text
    for words in ("Never tried", "Not measured in 30 days", "In no pool", "No step yet", "not in any listing"):
        assert words in text, words
    assert page.get("/models/999999/").status_code == 404


def test_one_model_asks_a_fixed_number_of_questions(
    page: Client,
    ask: Callable[..., UUID],
    deployment: Deployment,
    django_assert_max_num_queries: DjangoAssertNumQueries,
):
    asked = []
    for _ in range(2):
        ask(failed=2)
        proved(deployment)
        LifeStep.objects.create(deployment=deployment, pool=Pool.objects.first(), step="placed", by="r")
        KindDay.objects.update(attempts=5)
        with django_assert_max_num_queries(30) as questions:
            page.get(f"/models/{deployment.pk}/")
        asked.append(len(questions))
    assert asked[0] == asked[1]


def test_a_page_is_sent_again_only_when_something_changed(page: Client, deployment: Deployment):
    for url in (f"/models/{deployment.pk}/", "/discovery/"):
        first = page.get(url)
        state = first.text.split("state=")[1].split('"')[0].split("&")[0]
        alone = {"HX-Request": "true", "HX-Target": "live"}
        assert page.get(f"{url}?state={state}", headers=alone).status_code == 204
        proved(deployment)
        LifeStep.objects.create(
            deployment=deployment, pool=Pool.objects.first(), step="canary", state="proposed", by="r"
        )
        again = page.get(f"{url}?state={state}", headers=alone)
        assert again.status_code == 200
        assert "<html" not in again.text


def test_hostile_names_are_text_everywhere(page: Client, deployment: Deployment):
    nasty = HOSTILE[:250]
    one = Deployment.objects.create(
        provider=deployment.provider, model_id=nasty, label=nasty, family=nasty[:100], status_reason=HOSTILE, free=True,
        listed_at=timezone.now(), tags=[], lacks=[nasty[:60]],
    )  # fmt: skip
    Verification.objects.create(
        deployment=one, capability=nasty[:60], verdict="incompatible", reason=HOSTILE, cause="x"
    )
    LifeStep.objects.create(
        deployment=one, pool=Pool.objects.first(), step="canary", state="proposed", reason=HOSTILE, by=nasty[:150]
    )
    LifeStep.objects.create(deployment=one, step="gone", reason=HOSTILE, by=nasty[:150])
    CatalogueChange.objects.create(
        provider=one.provider, model_id=nasty, change="price", before={nasty: HOSTILE}, after=[HOSTILE]
    )
    CatalogueChange.objects.create(
        provider=one.provider, model_id=nasty, change="features", before={nasty: HOSTILE}, after={}
    )
    DiscoveryRun.objects.create(provider=one.provider, state="failed", error=HOSTILE)
    VerificationRun.objects.create(started_by=nasty[:150], about=nasty, summary=HOSTILE, state="done")
    VerificationRun.objects.create(started_by=nasty[:150], about=nasty)
    for view in (*VIEWS, f"/models/{one.pk}/", f"/models/?q={nasty[:20]}", f"/models/{one.pk}/retire/"):
        answer = page.get(view)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text, view
        assert "<img src=x" not in answer.text, view
        assert len(answer.text) < 400_000, view


def test_a_viewer_sees_and_may_not_press(viewer: Client, deployment: Deployment):
    step = propose(deployment, "code")
    for view in (*VIEWS, f"/models/{deployment.pk}/"):
        answer = viewer.get(view)
        assert answer.status_code == 200
        for word in ("Verify", "Look now", ">Adopt<", ">Reject<", ">Retire<", "Take into a pool"):
            assert word not in answer.text.replace("Verification", ""), (view, word)
    for url in (
        *(f"/models/{deployment.pk}/{verb}/" for verb in ("verify", "adopt", "retire", "restore")),
        *(f"/discovery/{rest}" for rest in ("look/", "verify/", f"steps/{step.pk}/adopt/", f"steps/{step.pk}/reject/")),
    ):
        assert viewer.post(url).status_code == 403, url


def test_retiring_and_bringing_back_are_signed(page: Client, deployment: Deployment):
    url = f"/models/{deployment.pk}/"
    page.post(f"{url}retire/", {"why": "it lies"})
    deployment.refresh_from_db()
    assert (deployment.status, deployment.status_reason) == ("archived", "it lies")
    assert "Bring back" in page.get(url).text
    page.post(f"{url}restore/")
    deployment.refresh_from_db()
    assert deployment.status == "candidate"
    assert set(AuditEvent.objects.about(deployment).values_list("actor", "door")) == {("alice", "page")}


def test_a_model_is_taken_into_a_pool_as_a_canary(page: Client, deployment: Deployment):
    pool = Pool.objects.exclude(placements__deployment=deployment).get(name="code")
    url = f"/models/{deployment.pk}/adopt/"
    wrong = page.post(url, {"pool": "999999", "canary": "on"})
    assert wrong.status_code == 422
    page.post(url, {"pool": str(pool.pk), "canary": "on", "why": "to try it"})
    placement = pool.placements.get(deployment=deployment)
    assert placement.canary == pool.canary_share
    assert "canary" in page.get(f"/models/{deployment.pk}/").text


def test_an_installation_without_a_model_says_how_to_get_one(page: Client):
    assert "No model is known yet" in page.get("/models/").text
    assert "No model is known yet" in page.get("/models/matrix/").text
    text = page.get("/models/timeline/").text
    assert "Nothing has come or gone" in text
    assert "there is no curve" in text


def test_the_timeline_draws_what_lived_and_gives_files(page: Client, world: None):
    provider, now = Provider.objects.get(name="sim-groq"), timezone.now()
    DiscoveryRun.objects.create(provider=provider, state="done", started_at=now - timedelta(days=90), listed=9)
    for n in range(12):
        born = now - timedelta(days=80 - n)
        one = Deployment.objects.create(provider=provider, model_id=f"f{n}", free=True, listed_at=now, born_at=born)
        if n % 2:
            at = born + timedelta(days=20 + n)
            CatalogueChange.objects.create(provider=provider, model_id=one.model_id, change="vanished", at=at)
    text = page.get("/models/timeline/?provider=sim-groq").text
    assert 'class="alive"' in text
    assert "12 came" in text
    assert "12 whose birth was seen, 6 of them ended" in text
    told = list(csv.DictReader(io.StringIO(body(page.get("/models/timeline/?format=csv&what=survival")))))
    assert [line["at_risk"] for line in told] == ["12", "11", "10", "9", "8", "7"]
    weeks = json.loads(body(page.get("/models/timeline/?format=json&what=weeks&provider=sim-groq")))
    assert sum(week["born"] for week in weeks) == 12
    assert sum(week["vanished"] for week in weeks) == 6
    risky = Deployment.objects.get(model_id="f10")
    assert "by how often free models end" in page.get(f"/models/{risky.pk}/").text
    assert "sim-groq" not in page.get("/models/timeline/?provider=sim-groq'--&family=%00").context["provider"]


def test_the_registry_does_not_wait_for_raw_rows(
    page: Client, deployment: Deployment, django_assert_num_queries: DjangoAssertNumQueries
):
    """Nothing on these pages reads attempts or requests one by one."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    Cooldown.objects.all().delete()
    for view in (*VIEWS, f"/models/{deployment.pk}/"):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page.get(view)
        sql = " ".join(one["sql"] for one in asked.captured_queries)
        assert '"rotation_attempt"' not in sql
        assert "rotation_request" not in sql
