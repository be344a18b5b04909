from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.charts.pairs import Pair, pairs
from dashboard.queries.prices import Yardstick
from dashboard.queries.savings import savings, yardsticks
from rotation.models import DayStat, Deployment, Switch
from tests.dashboard.calls import HOSTILE

NOW = timezone.now()
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
PAID = Yardstick("paid", Decimal(2), Decimal(10))


def used(deployment: Deployment, *, days_ago: int = 0, **numbers: Any) -> None:
    start = {
        "simulated": True,
        "ok": 4,
        "attempts": 5,
        "tokens_in": 1_000_000,
        "tokens_out": 100_000,
        "cost": Decimal("0.5"),
    }
    DayStat.objects.create(
        at=TODAY - timedelta(days=days_ago), deployment_id=deployment.pk, key_id=1, **{**start, **numbers}
    )


def test_the_same_tokens_are_priced_on_the_paid_model(deployment: Deployment):
    used(deployment)
    found = savings(NOW, days=7, simulated=True, compared=PAID)
    assert found.whole.spent == Decimal("0.5")
    assert found.whole.instead == 3  # a million read at 2 USD, a tenth of one written at 10 USD
    assert found.whole.saved == Decimal("2.5")
    assert [(d.pk, use.answered) for d, use in found.models] == [(deployment.pk, 4)]


def test_every_day_of_the_range_is_there_and_none_before_it(deployment: Deployment):
    for days_ago in (0, 6, 7):
        used(deployment, days_ago=days_ago)
    found = savings(NOW, days=7, simulated=True, compared=PAID)
    assert [use.answered for _, use in found.days] == [4, 0, 0, 0, 0, 0, 4]
    assert found.whole.answered == 8


def test_real_and_simulated_numbers_never_mix(deployment: Deployment):
    used(deployment)
    assert savings(NOW, days=7, simulated=False, compared=PAID).whole.answered == 0


def test_audio_counts_as_what_it_cost(deployment: Deployment):
    deployment.tags = ["transcription"]
    deployment.save()
    used(deployment)
    whole = savings(NOW, days=7, simulated=True, compared=PAID).whole
    assert whole.saved == 0


def test_what_a_removed_model_spent_still_counts(deployment: Deployment):
    used(deployment)
    deployment.delete()
    found = savings(NOW, days=7, simulated=True, compared=PAID)
    assert found.whole.spent == Decimal("0.5")
    assert found.models == ()


def test_only_paid_chat_models_are_offered_for_comparison(world: None):
    known = yardsticks()
    assert known
    assert all(one.price_in > 0 and one.price_out > 0 for one in known.values())
    assert not any("whisper" in name or "embed" in name for name in known)


def test_the_page_compares_with_the_model_of_its_link_else_the_operators(page: Client, deployment: Deployment):
    used(deployment)
    dear, other = list(yardsticks())[:2]
    Switch.objects.create(name="savings_model", value=other)
    assert f'<option value="{other}" selected>' in page.get("/savings/").text
    assert f'<option value="{dear}" selected>' in page.get(f"/savings/?model={dear}&days=7").text
    assert page.get("/savings/?model=none&days=never").status_code == 200


def test_it_is_also_a_csv_and_a_json(page: Client, deployment: Deployment):
    used(deployment)
    rows = list(csv.DictReader(io.StringIO(page.get("/savings/?days=7&format=csv").text)))
    assert len(rows) == 7
    assert (rows[-1]["Answered"], rows[-1]["Spent USD"]) == ("4", "0.500000")
    said = page.get("/savings/?days=7&format=json").json()
    assert said["whole"]["spent"] == "0.500000"
    assert said["models"][0]["model"] == deployment.name


def test_without_traffic_the_page_says_what_to_do(page: Client, world: None):
    assert "Send a call" in page.get("/savings/").text


def test_a_hostile_model_id_is_shown_as_text(page: Client, deployment: Deployment):
    deployment.model_id = HOSTILE[:200]
    deployment.save()
    used(deployment)
    assert "<script>alert" not in page.get("/savings/").text


@pytest.mark.parametrize("days", [0, 1, 365])
def test_the_chart_is_drawn_for_any_number_of_days(days: int):
    series = [Pair(TODAY + timedelta(days=n), Decimal(n), Decimal(2 * n)) for n in range(days)]
    assert pairs(series, summary="x").count("<text") <= 12
