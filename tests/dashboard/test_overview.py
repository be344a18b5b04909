"""The Overview: the same calls in every panel, next steps where there is nothing, and news only when there is some."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.overview import Overview
from dashboard.queries import calls as call_queries
from dashboard.queries import freshness, keys, ladder
from dashboard.queries.health import Health, Scope, health, scope_of
from dashboard.span import RANGES, span_of
from rotation.models import (
    BreakerState,
    CatalogueChange,
    Cooldown,
    Deployment,
    JobRun,
    Key,
    KeyState,
    LearnedLimit,
    Placement,
    Provider,
    Reordering,
    Request,
)
from tests.dashboard.calls import HOSTILE, attempt, call, ledger
from tests.models import rows

pytestmark = pytest.mark.django_db
Ask = Callable[..., UUID]
LIVE = (
    23  # session, user, state, mode, 2 health, 2 tiles, order, measured, bars, 3 keys, 2 order, 3 catalogue, 4 latest
)
NOON = datetime(2025, 11, 20, 12, 7, 30, tzinfo=UTC)


def shown(range_name: str = "24h") -> Overview:
    return Overview(span_of(range_name, timezone.now()))


def tile(overview: Overview, label: str) -> Any:
    return next(tile for tile in overview.tiles if tile.label == label)


def test_an_empty_installation_says_what_to_do_next(page: Client, world: None):
    text = page.get("/").text
    assert "curl http://testserver/v1/chat/completions" in text
    assert "Authorization: Bearer $ROTATION_KEY" in text
    assert "No call in the last 24 hours" in text
    assert "no real model is asked" in text
    assert "Add a key" in text
    assert text.count("dot seed") >= 12  # what the starter data knows stands on the ladder at once


def test_even_a_database_without_anything_shows_a_page(page: Client):
    text = page.get("/").text
    assert "Add the first key" in text
    assert "Open the pools" in text


def test_without_a_key_nobody_is_the_primary(world: None):
    assert shown().primary is not None
    Key.objects.filter(account__provider__name="sim-openrouter").update(enabled=False)
    assert shown().primary is None


def test_a_call_is_seen_in_every_panel(page: Client, ask: Ask):
    ask()
    ask(failed=1)
    text = page.get("/").text
    assert "50.0%" in text  # first try
    assert "2 of 2 in 24 h" in text
    assert "1 rotation in 24 h" in text
    assert "429 → 2nd try" in text
    assert "1 try" in text
    assert "1 answered first try, 1 after rotation, 0 failed" in text
    assert "66.6%" in text  # the ladder: two of three tries


@pytest.mark.parametrize("name", RANGES)
def test_tiles_bars_and_ladder_count_the_same_calls(name: str, ask: Ask):
    with time_machine.travel(NOON, tick=False):
        for hours in (0, 0.4, 3, 20, 50, 300, 700, 1500):
            ask(at=NOON - timedelta(hours=hours), failed=int(hours) % 3)
        overview = shown(name)
        total = call_queries.added(overview.points)
        within = Request.objects.filter(at__gte=overview.span.start).count()
        assert total.calls == within
        assert sum(bar.total + bar.other for bar in overview.bars) == within
        assert sum(seen.ok for seen in overview.measured.values()) == total.answered
        tries = Request.objects.filter(at__gte=overview.span.start).values_list("attempts", flat=True)
        assert sum(seen.tries for seen in overview.measured.values()) == sum(tries)


def test_a_call_of_the_caller_s_own_fault_is_no_failure(ask: Ask, deployment: Deployment):
    ask()
    ledger(
        [
            call([], status=400, outcome="refused", failure="bad_request"),
            call([attempt(deployment, outcome="cancelled", status=None)], status=499, outcome="cancelled"),
        ]
    )
    overview = shown()
    assert tile(overview, "Answered at all").value == "100%"
    assert call_queries.added(overview.points).calls == 3
    (seen,) = overview.measured.values()
    assert (seen.tries, seen.ok) == (1, 1)


def test_a_broken_off_answer_is_a_failure_in_tile_and_bars(ask: Ask, deployment: Deployment):
    ask()
    ledger([call([attempt(deployment, outcome="interrupted", status=None)], status=200, outcome="interrupted")])
    overview = shown()
    assert tile(overview, "Answered at all").value == "50.0%"
    assert sum(bar.failed for bar in overview.bars) == 1


def test_savings_are_measured_against_the_paid_model(ask: Ask):
    ask()
    # 100 tokens in, 50 out: 100 * 0.15 / 1e6 + 50 * 0.60 / 1e6
    assert tile(shown(), "Spent · saved").value == "$0.00 · <$0.0001"


def test_percentiles_agree_with_the_raw_rows(deployment: Deployment):
    ledger([call([attempt(deployment, total=ms)]) for ms in range(100, 10_100, 100)])
    rung = shown().ladder.rows[0].step.rung
    assert rung.p50 == pytest.approx(5_000, rel=0.1)
    assert rung.p5 == pytest.approx(500, rel=0.1)
    assert rung.p95 == pytest.approx(9_500, rel=0.1)
    assert rung.attempts == 100


def test_simulated_and_real_numbers_are_never_shown_together(page: Client, ask: Ask):
    ask()
    real = Deployment.objects.filter(provider__simulated=False).first()
    assert real is not None
    Key.objects.take_in(real.provider.accounts.get_or_create(label="main")[0], "sk-or-v1-0123456789abcdef0123")
    ledger([call([attempt(real)], simulated=False, asked="the-real-one")])
    text = page.get("/").text
    assert "1 of 1 in 24 h" in text
    assert "the-real-one" not in text
    Provider.objects.filter(simulated=True).update(enabled=False)
    text = page.get("/").text
    assert "1 of 1 in 24 h" in text
    assert "the-real-one" in text
    assert "Simulated providers" not in text


def test_the_live_part_is_silent_until_something_changes(page: Client, ask: Ask):
    ask()
    text = page.get("/").text
    path = re.search(r'hx-get="([^"]+)"', text)
    assert path is not None
    address = path.group(1).replace("&amp;", "&")
    assert page.get(address).status_code == 204
    ask(asked="something-new")
    answer = page.get(address)
    assert answer.status_code == 200
    assert "something-new" in answer.text
    assert "<html" not in answer.text


CHANGES: list[Callable[[Deployment], object]] = [
    lambda d: Cooldown.objects.create(scope=f"deployment:{d.pk}", until=timezone.now() + timedelta(minutes=5)),
    lambda d: BreakerState.objects.create(scope=f"deployment:{d.pk}", state="open"),
    lambda d: LearnedLimit.objects.create(scope="account:1", axis="requests", limit=20, window_s=60),
    lambda d: Reordering.objects.create(pool=Placement.objects.all()[0].pool),
    lambda d: JobRun.objects.create(job="prices", slot=timezone.now(), state="done"),
    lambda d: CatalogueChange.objects.create(provider=d.provider, model_id="m", change="new"),
    lambda d: Deployment.objects.filter(pk=d.pk).update(label="renamed"),
    lambda d: Key.objects.filter(account__provider=d.provider).update(state=KeyState.SUSPECT),
]


@pytest.mark.parametrize("change", range(len(CHANGES)))
def test_every_change_a_page_could_show_changes_its_state(change: int, deployment: Deployment):
    with time_machine.travel(NOON, tick=False):
        span = span_of("24h", NOON)
        before = freshness.state(span)
        assert freshness.state(span) == before
        CHANGES[change](deployment)
        assert freshness.state(span) != before


def test_the_window_s_own_movement_is_a_change_but_a_second_is_none(world: None):
    assert freshness.state(span_of("24h", NOON)) == freshness.state(span_of("24h", NOON + timedelta(seconds=20)))
    assert freshness.state(span_of("24h", NOON)) != freshness.state(span_of("24h", NOON + timedelta(minutes=15)))
    assert freshness.state(span_of("24h", NOON)) != freshness.state(span_of("7d", NOON))


def test_cooldowns_and_open_breakers_are_shown_where_they_bench(page: Client, deployment: Deployment):
    soon = timezone.now() + timedelta(seconds=42)
    key = Key.objects.filter(account__provider=deployment.provider).order_by("pk")[0]
    Cooldown.objects.create(scope=f"key:{key.pk}", until=soon, reason="slow down")
    BreakerState.objects.create(scope=f"deployment:{deployment.pk}", state="open", until=soon)
    overview = shown()
    assert overview.pulse.words == "1 breaker open"
    assert overview.keys[0].row.benched is not None
    assert overview.ladder.rows[0].benched is not None
    text = page.get("/").text
    assert f'data-until="{soon.timestamp():.3f}"' in text
    assert 'title="slow down"' in text


def test_trouble_on_one_of_two_accounts_does_not_bench_the_model(deployment: Deployment):
    accounts = sorted(set(Key.objects.filter(account__provider=deployment.provider).values_list("account", flat=True)))
    until = timezone.now() + timedelta(minutes=1)
    Cooldown.objects.create(scope=f"account:{accounts[0]}/deployment:{deployment.pk}", until=until)
    overview = shown()
    assert overview.ladder.rows[0].benched is None
    assert overview.keys[0].row.models_cooling == 1
    for account in accounts[1:]:
        Cooldown.objects.create(scope=f"account:{account}/deployment:{deployment.pk}", until=until)
    assert shown().ladder.rows[0].benched is not None


@pytest.mark.parametrize("text", ["", "key:", "key:x", "planet:3", "a" * 200])
def test_any_scope_can_be_read(text: str):
    assert scope_of(text) == Scope(text)


def test_a_scope_knows_whom_it_stands_for():
    assert scope_of("account:3/free") == Scope("account:3/free", account=3, free=True)
    assert scope_of("account:3/deployment:44") == Scope("account:3/deployment:44", account=3, deployment=44)


def test_a_meter_shows_the_limit_a_key_is_nearest_to(deployment: Deployment, ask: Ask):
    key = Key.objects.filter(account__provider=deployment.provider).order_by("pk")[0]
    for scope, limit, window in (
        (f"account:{key.account_id}", 20, 60),
        (f"account:{key.account_id}/free", 4, 60),
        (f"account:{key.account_id}", 1000, 86_400),
    ):
        LearnedLimit.objects.create(scope=scope, axis="requests", limit=limit, window_s=window)
    for _ in range(3):
        ask()
    row = shown().keys[0].row
    assert row.fill is not None
    assert row.fill.words == "3 / 4 rpm"


def test_a_day_s_limit_counts_since_midnight_utc(deployment: Deployment, ask: Ask):
    with time_machine.travel(NOON, tick=False):
        key = Key.objects.filter(account__provider=deployment.provider).order_by("pk")[0]
        LearnedLimit.objects.create(scope=f"key:{key.pk}", axis="requests", limit=50, window_s=86_400)
        ask(at=NOON - timedelta(hours=2))
        ask(at=NOON - timedelta(hours=13))
        job = {"deployment_id": deployment.pk, "key_id": key.pk, "account_id": key.account_id, "internal": True}
        rows.attempt(NOON - timedelta(hours=3), **job, simulated=key.account.provider.simulated)
        row = shown().keys[0].row
        assert row.fill is not None
        assert row.fill.words == "2 / 50 a day", "what a job asked uses a limit up as well, though no roll-up has it"


def test_the_sheets_hold_what_the_charts_show(page: Client, ask: Ask):
    ask()
    ask(failed=1)
    answer = page.get("/table/ladder/?range=1h&format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "rotation-ladder-1h.csv" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert (rows[0]["Tries"], rows[0]["Good"], rows[0]["Rate-limited"]) == ("3", "2", "1")
    bars = list(csv.DictReader(io.StringIO(page.get("/table/requests/?range=1h&format=csv").text)))
    assert len(bars) == 60
    assert sum(int(row["First try"]) for row in bars) == 1
    assert "After rotation" in page.get("/table/requests/").text
    assert page.get("/table/nothing/").status_code == 404


def test_a_cell_is_never_a_formula(page: Client, deployment: Deployment):
    Deployment.objects.filter(pk=deployment.pk).update(model_id="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in page.get("/table/ladder/?format=csv").text


def test_hostile_names_and_texts_are_text_everywhere(page: Client, deployment: Deployment):
    cut = HOSTILE[:250]
    Deployment.objects.filter(pk=deployment.pk).update(model_id=cut)
    Provider.objects.filter(pk=deployment.provider_id).update(label=cut[:120])
    Key.objects.filter(account__provider=deployment.provider).update(state=KeyState.INVALID, state_reason=HOSTILE)
    Cooldown.objects.create(
        scope=f"deployment:{deployment.pk}", until=timezone.now() + timedelta(minutes=1), reason=HOSTILE
    )
    CatalogueChange.objects.create(provider=deployment.provider, model_id=cut, change="new")
    deployment.refresh_from_db()
    failed = attempt(deployment, outcome="rate_limited", message=HOSTILE)
    trace = [{"target": HOSTILE, "state": HOSTILE, "why": HOSTILE}]
    (uuid,) = ledger([call([failed, attempt(deployment, n=2)], asked=cut, error=HOSTILE, trace=trace, pool=cut)])
    for path in ("/", "/requests/", f"/requests/{uuid}/", "/table/ladder/"):
        text = page.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "&lt;script&gt;" in text, path


@pytest.mark.parametrize("name", RANGES)
def test_the_live_part_asks_a_fixed_number_of_questions(
    name: str, page: Client, ask: Ask, django_assert_num_queries: DjangoAssertNumQueries
):
    ask()
    ask(failed=1)
    page.get("/")
    with django_assert_num_queries(LIVE):
        assert page.get(f"/live/overview/?range={name}").status_code == 200


def test_asking_for_news_is_one_question(page: Client, world: None, django_assert_num_queries: DjangoAssertNumQueries):
    address = f"/live/overview/?state={freshness.state(span_of(None, timezone.now()))}"
    with django_assert_num_queries(3):  # the session, the user, the state
        assert page.get(address).status_code == 204


def test_each_query_is_as_many_as_it_says(ask: Ask, django_assert_num_queries: DjangoAssertNumQueries):
    ask()
    span = span_of("24h", timezone.now())
    for many, question in (
        (1, lambda: call_queries.points(span, simulated=True)),
        (1, lambda: call_queries.bars(span, simulated=True)),
        (1, lambda: ladder.measured(span, simulated=True)),
        (1, lambda: ladder.placements(simulated=True)),
        (1, lambda: keys.keys(simulated=True)),
        (1, lambda: keys.used(span.now, simulated=True)),
        (2, lambda: health(span.now)),
    ):
        with django_assert_num_queries(many):
            question()
    assert Health((), ()).of_key(1, 1, 1) is None
