from __future__ import annotations

import json

import pytest

from rotation.models import AuditEvent, Deployment, Provider
from tests.admin.forms import errors, formset
from tests.models import rows

NEW = {
    "kind": "generic",
    "name": "ollama",
    "label": "My Ollama",
    "base_url": "http://localhost:11434/v1/",
    "enabled": "on",
    "priority": "100",
    "options": "{}",
    **formset("accounts"),
}


def sent(provider: Provider, **changed: str) -> dict[str, str]:
    start = {
        "name": provider.name,
        "label": provider.label,
        "base_url": provider.base_url,
        "enabled": "on",
        "priority": "100",
        "options": json.dumps(provider.options),
    }
    accounts = [
        {"id": a.pk, "provider": provider.pk, "label": a.label, "enabled": "on"} for a in provider.accounts.all()
    ]
    return {**start, **changed, **formset("accounts", accounts, initial=len(accounts))}


def test_a_provider_is_made_with_its_address_tidied(browser, at, audited):
    response = browser.post(at("provider", "add"), NEW)
    assert response.status_code == 302
    assert Provider.objects.get().base_url == "http://localhost:11434/v1"
    assert audited() == [("olga", "add", "provider")]


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("base_url", "http://169.254.169.254/latest", "metadata"),
        ("base_url", "http://user:pw@localhost/v1", "name or password"),
        ("base_url", "http://192.168.0.7/v1", '{"local": true}'),
        ("base_url", "nonsense", "http or https"),
        ("options", "{broken", "valid JSON"),
        ("options", "[]", "JSON object"),
        ("options", '{"a": "\\u0000"}', "NUL"),
        ("options", '{"a": "\\ud800"}', "half a character"),
        ("options", '{"a": NaN}', "NaN"),
        ("kind", "anthropique", "valid choice"),
        ("name", "two words", "valid"),
        ("priority", "9" * 30, "less than or equal"),
        ("label", "x" * 500, "at most 120"),
    ],
)
def test_bad_input_is_an_error_beside_its_field_and_stays_as_typed(browser, at, field, typed, says):
    response = browser.post(at("provider", "add"), {**NEW, field: typed})
    assert says in errors(response)[field][0]
    assert response.context["adminform"].form[field].value() in {typed, typed.rstrip("/")}
    assert not Provider.objects.exists()


def test_a_name_that_is_taken_is_said(browser, at):
    rows.provider(name="ollama")
    assert "already exists" in errors(browser.post(at("provider", "add"), NEW))["name"][0]


def test_an_address_does_not_change_under_enabled_keys(browser, at):
    key = rows.key()
    provider = key.account.provider
    url = at("provider", "change", provider.pk)
    response = browser.post(url, sent(provider, base_url="https://evil.example/v1"))
    assert "Disable them first" in errors(response)["base_url"][0]
    provider.refresh_from_db()
    assert provider.base_url == "https://api.example.com/v1"
    same_origin = browser.post(url, sent(provider, base_url="https://api.example.com/v2"))
    assert same_origin.status_code == 302


def test_a_moved_provider_forgets_the_secrets_of_its_disabled_keys(browser, at, audited):
    key = rows.key(enabled=False)
    provider = key.account.provider
    url = at("provider", "change", provider.pk)
    response = browser.post(url, sent(provider, base_url="https://new.example/v1"), follow=True)
    assert "1 disabled key(s) are erased" in response.content.decode()
    key.refresh_from_db()
    assert (key.sealed, key.state) == ("", "invalid")
    assert audited() == [("olga", "erase secret", "key"), ("olga", "change", "provider")]
    event = AuditEvent.objects.about(provider).get()
    assert (event.before, event.after) == (
        {"base_url": "https://api.example.com/v1"},
        {"base_url": "https://new.example/v1"},
    )


def test_kind_and_the_address_of_a_simulated_provider_are_not_for_editing(browser, at):
    provider = rows.provider(simulated=True, base_url="simulator:/groq/openai/v1", kind="groq")
    url = at("provider", "change", provider.pk)
    browser.post(url, sent(provider, base_url="https://evil.example/v1", kind="openai", label="New"))
    provider.refresh_from_db()
    assert (provider.base_url, provider.kind, provider.label) == ("simulator:/groq/openai/v1", "groq", "New")


def test_saving_without_a_change_is_not_an_event(browser, at, audited):
    provider = rows.provider()
    assert browser.post(at("provider", "change", provider.pk), sent(provider)).status_code == 302
    assert audited() == []


def test_deleting_is_written_down_with_what_it_was(browser, at):
    provider = rows.provider(label="Gone soon")
    browser.post(at("provider", "delete", provider.pk), {"post": "yes"})
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.after) == ("delete", str(provider.pk), None)
    assert (event.before or {})["label"] == "Gone soon"


def test_many_deleted_at_once_are_each_written_down(browser, at, audited):
    providers = [rows.provider() for _ in range(3)]
    data = {"action": "delete_selected", "_selected_action": [p.pk for p in providers], "post": "yes"}
    browser.post(at("provider"), data)
    assert not Provider.objects.exists()
    assert audited() == [("olga", "delete", "provider")] * 3


def test_accounts_are_edited_beside_their_provider_and_written_down(browser, at, audited):
    provider = rows.provider()
    account = rows.account(provider=provider)
    data = sent(provider) | formset(
        "accounts",
        [
            {"id": account.pk, "provider": provider.pk, "label": "first", "enabled": "on"},
            {"provider": provider.pk, "label": "second", "enabled": "on"},
        ],
        initial=1,
    )
    assert browser.post(at("provider", "change", provider.pk), data).status_code == 302
    assert [a.label for a in provider.accounts.all()] == ["first", "second"]
    assert audited() == [("olga", "add", "account"), ("olga", "change", "account")]
    data = sent(provider) | {"accounts-0-DELETE": "on"}
    browser.post(at("provider", "change", provider.pk), data)
    assert [a.label for a in provider.accounts.all()] == ["second"]
    assert audited()[-1] == ("olga", "delete", "account")


def test_two_accounts_of_one_label_are_refused(browser, at):
    provider = rows.provider()
    twice = [{"provider": provider.pk, "label": "main", "enabled": "on"}] * 2
    response = browser.post(at("provider", "change", provider.pk), sent(provider) | formset("accounts", twice))
    assert response.status_code == 200
    assert not provider.accounts.exists()


def test_deployments_are_marked_many_at_once_and_each_is_written_down(browser, at, audited):
    deployments = [rows.deployment(lacks=["tools"]) for _ in range(2)]
    for action, status in (
        ("as_incompatible", "incompatible"),
        ("as_verified", "verified"),
        ("as_candidate", "candidate"),
    ):
        browser.post(at("deployment"), {"action": action, "_selected_action": [d.pk for d in deployments]})
        assert set(Deployment.objects.values_list("status", "status_reason")) == {(status, "marked by olga")}
    assert not Deployment.objects.exclude(lacks=[]).exists()
    assert audited() == [
        ("olga", a, "deployment") for a in ("as_incompatible", "as_verified", "as_candidate") for _ in "12"
    ]


def test_an_action_on_everything_is_written_down_for_everything(browser, at, audited):
    deployments = [rows.deployment() for _ in range(3)]
    data = {"action": "as_verified", "_selected_action": [deployments[0].pk], "select_across": "1"}
    browser.post(at("deployment"), data)
    assert len(audited()) == 3


def test_a_price_an_operator_wrote_is_the_operators(browser, at):
    deployment = rows.deployment(price_in=1, price_source="listing")
    url = at("deployment", "change", deployment.pk)
    form = browser.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    data |= {"tags": "", "lacks": "", "input_modalities": "text,image"}
    assert browser.post(url, data).status_code == 302
    deployment.refresh_from_db()
    assert deployment.price_source == "listing"
    assert browser.post(url, data | {"price_in": "0.5"}).status_code == 302
    deployment.refresh_from_db()
    assert (deployment.price_source, deployment.input_modalities) == ("operator", ["text", "image"])
    for wrong in ("-1", "NaN", "1e99", "cheap"):
        assert "price_in" in errors(browser.post(url, data | {"price_in": wrong})) or wrong == "-1"
