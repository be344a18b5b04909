"""Providers & keys, as a person uses the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard.forms.offers import OfferForm
from dashboard.queries.limits import budgets
from dashboard.queries.providers import kept
from rotation import roles
from rotation.jobs.fetch import Cause, FetchFailed
from rotation.models import (
    Account,
    AuditEvent,
    BreakerState,
    Cooldown,
    Deployment,
    Key,
    LearnedLimit,
    Placement,
    Provider,
    Role,
)
from rotation.models.health import Breaker
from tests.dashboard.calls import HOSTILE, PASSWORD

pytestmark = pytest.mark.django_db
SECRET = "sk-or-v1-" + "a1b2c3d4" * 8
NEW = {"label": "My Ollama", "kind": "generic", "base_url": "http://127.0.0.1:11434/v1", "priority": "100"}


@pytest.fixture
def openrouter(world: None) -> Provider:
    return Provider.objects.get(name="openrouter")


def browser_of(role: Role) -> Client:
    user = User.objects.create_user(f"a {role}", "", PASSWORD)
    roles.give(user, role)
    browser = Client()
    browser.force_login(user)
    return browser


def test_every_provider_is_a_card_with_its_keys_and_the_next_step_where_it_has_none(page: Client, world: None):
    text = page.get("/providers/").text
    assert "No key yet" in text
    assert "0 / 20 rpm" in text or "no limit learned" in text
    assert text.count("simulated</span>") >= 4


def test_an_unchanged_part_is_not_sent_again(page: Client, world: None):
    answer = page.get("/providers/")
    state = answer.context["live"].split("state=")[1].split('"')[0]
    assert page.get(f"/providers/?state={state}", headers={"HX-Target": "live"}).status_code == 204
    changed = page.get("/providers/?state=other", headers={"HX-Target": "live"})
    assert changed.text.startswith('<div id="live"')


def test_a_key_is_stored_sealed_and_only_its_tail_is_ever_shown_again(page: Client, openrouter: Provider):
    answer = page.post(
        f"/providers/{openrouter.pk}/keys/add/", {"secrets": SECRET, "new_account": "main", "plan": "free"}, follow=True
    )
    assert "The key is stored" in answer.text
    assert f"…{SECRET[-4:]}" in answer.text
    assert SECRET not in answer.text
    assert SECRET not in str(list(AuditEvent.objects.values_list("after", flat=True)))
    assert not Provider.objects.filter(simulated=True, enabled=True).exists()  # the first real key switches them off


def test_several_keys_are_stored_at_once_or_none_of_them(page: Client, openrouter: Provider):
    url = f"/providers/{openrouter.pk}/keys/add/"
    wrong = page.post(url, {"secrets": f"{SECRET}\nüber", "new_account": "main"})
    assert wrong.status_code == 422
    assert "plain ASCII" in wrong.text
    assert SECRET not in wrong.text  # not even in the field it was typed into
    assert not Account.objects.filter(provider=openrouter).exists()  # nor the account they were meant for
    page.post(url, {"secrets": f"{SECRET}\n{SECRET[:-1]}9", "new_account": "main"})
    assert Key.objects.filter(account__provider=openrouter).count() == 2


def test_a_provider_is_added_with_what_was_typed_kept_while_something_is_wrong(page: Client, world: None):
    wrong = page.post("/providers/add/", {**NEW, "base_url": "ftp://x", "options": "[1]", "secret": "sk-typed-in"})
    assert wrong.status_code == 422
    assert 'value="My Ollama"' in wrong.text
    assert "ftp://x" in wrong.text
    assert "JSON object" in wrong.text
    assert "sk-typed-in" not in wrong.text
    assert not Provider.objects.filter(name="my-ollama").exists()
    page.post("/providers/add/", {**NEW, "local": "on", "max_upload_mib": "10"})
    made = Provider.objects.get(name="my-ollama")
    assert made.options == {"local": True, "max_upload_mib": 10.0}
    assert made.keys().count() == 1  # a server that wants none has an empty one


def test_a_new_address_asks_for_the_key_again(page: Client, openrouter: Provider):
    page.post(f"/providers/{openrouter.pk}/keys/add/", {"secrets": SECRET, "new_account": "main"})
    sent = {"label": "OpenRouter", "base_url": "https://elsewhere.example.com/v1", "priority": "10"}
    asked = page.post(f"/providers/{openrouter.pk}/change/", sent)
    assert asked.status_code == 422
    assert "enter the key again" in asked.text
    openrouter.refresh_from_db()
    assert "elsewhere" not in openrouter.base_url
    done = page.post(f"/providers/{openrouter.pk}/change/", {**sent, "secret": SECRET[:-1] + "7"})
    assert done.status_code == 302
    openrouter.refresh_from_db()
    assert "elsewhere" in openrouter.base_url
    assert Key.objects.get(account__provider=openrouter, last4=SECRET[-4:-1] + "7").enabled


def test_a_test_of_what_is_typed_names_what_is_wrong_and_saves_nothing(
    page: Client, world: None, monkeypatch: pytest.MonkeyPatch
):
    def unreachable(*args: object, **more: object) -> None:
        raise FetchFailed("no", cause=Cause.DNS)

    monkeypatch.setattr("rotation.jobs.fetch.fetch", unreachable)
    before = Provider.objects.count()
    whole = page.post("/providers/add/", {**NEW, "test": "1"})
    assert "could not be resolved" in whole.text
    assert 'value="My Ollama"' in whole.text
    alone = page.post("/providers/add/", {**NEW, "test": "1"}, headers={"HX-Target": "tested", "HX-Request": "true"})
    assert "<html" not in alone.text
    assert "could not be resolved" in alone.text
    empty = page.post("/providers/add/", {"test": "1"}, headers={"HX-Target": "tested", "HX-Request": "true"})
    assert "Base URL: This field is required." in empty.text
    assert Provider.objects.count() == before


def test_a_model_typed_in_by_hand_gets_its_limits_and_its_places(page: Client, world: None):
    page.post("/providers/add/", NEW)
    made = Provider.objects.get(name="my-ollama")
    url = f"/providers/{made.pk}/models/add/"
    refused = page.post(url, {"model_id": "qwen3", "pools": ["auto"], "context": "-1"})
    assert refused.status_code == 422
    assert not made.deployments.exists()
    page.post(
        url,
        {"model_id": "qwen3", "tags": ["chat"], "pools": ["auto"], "tools": "true", "images": "false",
         "context": "32768", "requests_minute": "60"},
    )  # fmt: skip
    model = made.deployments.get()
    assert (model.tools, model.images, model.json_schema, model.context) == (True, False, None, 32_768)
    assert Placement.objects.filter(deployment=model, pool__name="auto").exists()
    assert LearnedLimit.objects.get(scope=f"deployment:{model.pk}").limit == 60
    page.post(f"/providers/models/{model.pk}/change/", {"model_id": "qwen3", "tools": "false"})
    model.refresh_from_db()
    assert model.tools is False
    assert not LearnedLimit.objects.filter(scope=f"deployment:{model.pk}").exists()


@pytest.mark.usefixtures("world")
def test_a_form_shows_a_model_as_it_is_stored(deployment: Deployment):
    deployment.tools, deployment.images = True, None
    shown = OfferForm(deployment=deployment).initial
    assert (shown["tools"], shown["images"], shown["model_id"]) == ("true", "", deployment.model_id)


def test_limits_told_stand_beside_those_configured_and_the_fullest_first(page: Client, openrouter: Provider):
    page.post(f"/providers/{openrouter.pk}/keys/add/", {"secrets": SECRET, "new_account": "main", "plan": "free"})
    account = Account.objects.get(provider=openrouter)
    LearnedLimit.objects.create(
        scope=f"account:{account.pk}/free", axis="requests", limit=1000, window_s=86_400, source="key"
    )
    now = timezone.now()
    rows = {row.what: row for row in budgets(kept(now, openrouter.pk)[0], now)}
    day, minute = rows["requests a day"], rows["requests a minute"]
    assert (day.configured, day.limit, day.left) == (50, 1000, 1000)
    assert (minute.configured, minute.learned, minute.told_by) == (20, None, "plan")
    assert day.whole_at is not None
    assert day.whole_at.hour == day.whole_at.minute == 0  # of the UTC clock
    text = page.get(f"/providers/{openrouter.pk}/").text
    assert "all free models" in text
    assert "1,000 left of 1,000" in text


def test_what_is_left_alone_is_listed_and_ended_by_a_button(page: Client, openrouter: Provider):
    row = Cooldown.objects.create(
        scope=f"provider:{openrouter.pk}", until=timezone.now() + timedelta(minutes=3), reason="slow down"
    )
    BreakerState.objects.create(scope=f"provider:{openrouter.pk}", state=Breaker.OPEN)
    text = page.get(f"/providers/{openrouter.pk}/").text
    assert "slow down" in text
    assert "End now" in text
    page.post(f"/providers/cooldowns/{row.pk}/lift/")
    row.refresh_from_db()
    assert not row.cooling
    page.post("/providers/breaker/", {"scope": f"provider:{openrouter.pk}", "state": "closed"})
    assert BreakerState.objects.get().state == Breaker.CLOSED
    answer = page.post("/providers/breaker/", {"scope": "nobody", "state": "closed"}, follow=True)
    assert "Write provider:" in answer.text


def test_removing_says_what_goes_with_it_first(page: Client, openrouter: Provider):
    url = f"/providers/{openrouter.pk}/remove/"
    assert "models" in page.get(url).text
    page.post(url)
    assert not Provider.objects.filter(pk=openrouter.pk).exists()


@pytest.mark.parametrize("what", ["validate", "revive", "switch", "change", "replace", "remove"])
def test_a_key_that_is_gone_is_not_found(page: Client, world: None, what: str):
    assert page.post(f"/providers/keys/999999/{what}/").status_code == 404


def test_a_form_opened_as_a_dialog_is_no_page_and_sends_the_browser_on(page: Client, openrouter: Provider):
    url, dialog = f"/providers/{openrouter.pk}/keys/add/", {"HX-Request": "true", "HX-Target": "dialog"}
    opened = page.get(url, headers=dialog).text
    assert "<html" not in opened
    assert 'id="dialog-title"' in opened
    assert page.post(url, {"secrets": ""}, headers=dialog).status_code == 422
    sent = page.post(url, {"secrets": SECRET, "new_account": "main"}, headers=dialog)
    assert sent.headers["HX-Redirect"] == f"/providers/{openrouter.pk}/"


def test_hostile_names_are_text_and_break_no_page(page: Client, openrouter: Provider):
    Provider.objects.filter(pk=openrouter.pk).update(label=HOSTILE[:120])
    account = Account.objects.create(provider=openrouter, label=HOSTILE[:120], plan=HOSTILE[:120])
    Key.objects.take_in(account, SECRET, label=HOSTILE[:120])
    Deployment.objects.create(provider=openrouter, model_id=HOSTILE[:255])
    Cooldown.objects.create(scope=f"account:{account.pk}", until=timezone.now() + timedelta(hours=1), reason=HOSTILE)
    for url in ("/providers/", f"/providers/{openrouter.pk}/", f"/providers/{openrouter.pk}/change/"):
        answer = page.get(url)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "x" * 400 not in answer.text


@pytest.mark.parametrize(
    ("role", "adds", "validates"), [(Role.VIEWER, 403, 403), (Role.OPERATOR, 403, 302), (Role.ADMIN, 200, 302)]
)
def test_each_role_sees_and_does_what_it_may(world: None, role: Role, adds: int, validates: int):
    browser = browser_of(role)
    shown = browser.get("/providers/")
    assert shown.status_code == 200
    assert ("Add a provider" in shown.text) is (adds == 200)
    key = Key.objects.filter(account__provider__simulated=True).first()
    assert key is not None
    assert browser.get("/providers/add/").status_code == adds
    assert browser.post(f"/providers/keys/{key.pk}/revive/").status_code == validates
