"""Client keys, as a person uses the pages."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.queries.clients import with_use
from rotation import client_keys
from rotation.control.by import By
from rotation.control.clients import rotate
from rotation.models import ClientDay, ClientKey, Door, Role
from tests.dashboard.test_providers import browser_of

pytestmark = pytest.mark.django_db


def issued(page: Client, **more: str) -> tuple[ClientKey, str]:
    answer = page.post("/clients/add/", {"label": "agent", **more})
    assert "no-store" in answer.headers["Cache-Control"]
    plain = re.search(r"rk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}", answer.text)
    assert plain is not None
    return ClientKey.objects.get(digest=client_keys.digest(plain[0])), plain[0]


def test_a_key_is_shown_once_and_never_again(page: Client, world: None):
    key, plain = issued(page, pools="code", daily_budget="2.5")
    assert (key.pools, key.daily_budget) == (["code"], Decimal("2.5"))
    for path in ("/clients/", f"/clients/{key.pk}/", f"/clients/{key.pk}/change/"):
        text = page.get(path).text
        assert plain not in text
        assert "agent" in text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("label", "", "required"),
        ("daily_budget", "-1", "greater than or equal"),
        ("daily_budget", "0", "above 0"),
        ("expires_at", "2001-01-01T00:00", "past"),
        ("pools", "no-such-pool", "not one of the available"),
        ("requests_per_minute", "many", "whole number"),
        ("label", "a\0b", "ull characters"),
    ],
)
def test_the_field_says_what_is_wrong_and_nothing_is_saved(
    page: Client, world: None, field: str, value: str, said: str
):
    before = ClientKey.objects.count()
    answer = page.post("/clients/add/", {"label": "agent", "monthly_budget": "7.25", field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="7.25"' in answer.text
    assert ClientKey.objects.count() == before


def test_a_rotated_key_goes_on_for_the_chosen_time(page: Client, world: None):
    key, plain = issued(page)
    answer = page.post(f"/clients/{key.pk}/rotate/", {"grace": "3600"})
    key.refresh_from_db()
    assert plain not in answer.text
    assert key.expires_at is not None
    assert timedelta(minutes=59) < key.expires_at - timezone.now() <= timedelta(hours=1)
    assert "ending" in page.get("/clients/").text
    assert "Replaced by" in page.get(f"/clients/{key.pk}/").text


def test_a_revoked_key_stays_in_the_list(page: Client, world: None):
    key, _ = issued(page)
    assert "Revoke agent?" in page.get(f"/clients/{key.pk}/revoke/").text
    page.post(f"/clients/{key.pk}/revoke/")
    assert "revoked" in page.get("/clients/?state=revoked").text
    assert "Nothing fits" in page.get("/clients/?state=live&q=agent").text


def test_an_unchanged_form_claims_no_change(page: Client, world: None):
    key, _ = issued(page, daily_budget="2.5", expires_at="2100-01-01T00:00")
    from rotation.models import AuditEvent

    before = AuditEvent.objects.count()
    sent = {"label": "agent", "daily_budget": "2.5", "expires_at": "2100-01-01T00:00"}
    assert page.post(f"/clients/{key.pk}/change/", sent).status_code == 302
    assert AuditEvent.objects.count() == before


def test_use_is_held_against_the_budgets_by_utc_day_and_month(page: Client, world: None):
    key, _ = issued(page, daily_budget="2", monthly_budget="40")
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for days, cost in ((0, "0.5"), (40, "9")):
        ClientDay.objects.create(
            at=midnight - timedelta(days=days), client_key_id=key.pk, simulated=True, calls=10, cost=Decimal(cost)
        )
    used = with_use([key])[0]
    assert (used.today, used.month, used.calls_today, used.calls) == (Decimal("0.5"), Decimal("0.5"), 10, 10)
    assert "$0.50" in page.get(f"/clients/{key.pk}/").text


def test_what_a_key_and_its_replacement_spent_is_told_together_for_they_share_their_budgets(page: Client, world: None):
    old, _ = issued(page, daily_budget="2")
    new, _ = rotate(By("ann", Door.PAGE), old)
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for key, cost in ((old, "0.5"), (new, "0.25")):
        ClientDay.objects.create(at=midnight, client_key_id=key.pk, simulated=True, calls=10, cost=Decimal(cost))
    for key in (old, new):
        [used] = with_use([key])
        assert (used.today, used.month, used.calls_today) == (Decimal("0.75"), Decimal("0.75"), 10)


def test_rotations_own_key_is_out_of_sight_and_cannot_be_touched(page: Client, world: None):
    key, _ = client_keys.for_jobs()
    assert "own jobs" not in page.get("/clients/").text
    assert "own jobs" in page.get("/clients/?jobs=1").text
    assert "its jobs call with it" in page.post(f"/clients/{key.pk}/change/", {"label": "mine"}).text
    page.post(f"/clients/{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.enabled


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.OPERATOR, 403), (Role.ADMIN, 200)])
def test_only_an_admin_makes_keys_everybody_sees_them(world: None, role: Role, status: int):
    browser = browser_of(role)
    assert browser.get("/clients/").status_code == 200
    assert browser.get("/clients/add/").status_code == status
