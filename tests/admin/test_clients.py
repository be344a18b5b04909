from __future__ import annotations

import re

from rotation import client_keys
from rotation.models import AuditEvent, ClientKey
from tests.admin.forms import errors
from tests.models import rows


def made(browser, at, **data):
    response = browser.post(at("clientkey", "add"), {"label": "laptop", **data})
    found = re.search(r"rk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}", response.content.decode())
    return response, found.group() if found else None


def test_a_client_key_is_shown_once_and_nowhere_again(browser, at):
    rows.pool(name="fast")
    response, plain = made(browser, at, pools=["fast"])
    assert plain is not None
    key = client_keys.find(plain)
    assert key is not None
    assert (key.label, key.pools, key.enabled) == ("laptop", ["fast"], True)
    assert "no-store" in response.headers["Cache-Control"]
    assert plain not in str(response.cookies)
    assert plain not in str(dict(browser.session))
    for url in (at("clientkey"), at("clientkey", "change", key.pk), at("clientkey", "history", key.pk)):
        html = browser.get(url).content.decode()
        assert plain not in html
        assert key.digest not in html
    assert f"{plain[:12]}…{plain[-4:]}" in browser.get(at("clientkey")).content.decode()
    assert plain not in str(list(AuditEvent.objects.values()))
    assert key.digest not in str(list(AuditEvent.objects.values()))


def test_a_key_without_a_label_or_for_a_pool_that_is_not_there_is_not_made(browser, at):
    response, plain = made(browser, at, label="", pools=["slow"], expires_at_0="2020-01-01", expires_at_1="00:00")
    assert plain is None
    assert set(errors(response)) == {"label", "pools", "expires_at"}
    assert "past" in errors(response)["expires_at"][0]
    assert not ClientKey.objects.exists()


def test_a_key_keeps_the_name_of_a_pool_that_is_gone(browser, at):
    key, _ = client_keys.issue("laptop", pools=["gone"])
    url = at("clientkey", "change", key.pk)
    assert "gone (gone)" in browser.get(url).content.decode()
    assert browser.post(url, {"label": "laptop", "enabled": "on", "pools": ["gone"]}).status_code == 302
    key.refresh_from_db()
    assert key.pools == ["gone"]


def test_keys_are_revoked_and_never_deleted(browser, at, audited):
    key, plain = client_keys.issue("laptop")
    browser.post(at("clientkey"), {"action": "revoke", "_selected_action": [key.pk]})
    assert client_keys.find(plain) is None
    assert audited() == [("olga", "revoke", "clientkey")]
    assert browser.post(at("clientkey", "delete", key.pk), {"post": "yes"}).status_code == 403


def test_the_jobs_own_key_is_left_alone(browser, at):
    key, plain = client_keys.for_jobs()
    assert browser.post(at("clientkey", "change", key.pk), {"label": "mine"}).status_code == 403
    browser.post(at("clientkey"), {"action": "revoke", "_selected_action": [key.pk]})
    assert client_keys.find(plain) == key


def test_an_expired_key_can_still_be_renamed(browser, at):
    key, _ = client_keys.issue("laptop")
    ClientKey.objects.update(expires_at="2020-01-01T00:00:00Z")
    data = {"label": "old laptop", "enabled": "on", "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}
    assert browser.post(at("clientkey", "change", key.pk), data).status_code == 302
    key.refresh_from_db()
    assert key.label == "old laptop"
