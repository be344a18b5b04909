from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone

from rotation import client_keys
from rotation.models import AuditEvent


def at(page: str, *args: Any) -> str:
    return reverse(f"admin:auth_user_{page}", args=args)


def sent(user: User, **more: Any) -> dict[str, Any]:
    """What a browser sends of an account's page."""
    joined = timezone.localtime(user.date_joined)
    told = {"username": user.username, "date_joined_0": f"{joined:%Y-%m-%d}", "date_joined_1": f"{joined:%H:%M:%S}"}
    return {**told, "is_active": "on", "is_staff": "on", "is_superuser": "on", **more}


def test_the_last_admin_stays_whoever_asks(browser, operator):
    locked_out = browser.post(at("change", operator.pk), {**sent(operator), "is_active": ""})
    assert "no admin left" in locked_out.content.decode()
    lesser = browser.post(at("change", operator.pk), {**sent(operator), "is_superuser": ""})
    assert "no admin left" in lesser.content.decode()
    assert "no admin left" in browser.get(at("delete", operator.pk)).content.decode()
    browser.post(at("delete", operator.pk), {"post": "yes"})
    bob = User.objects.create(username="bob", is_superuser=True, is_active=False)
    both = {"action": "delete_selected", "_selected_action": [operator.pk, bob.pk], "post": "yes"}
    browser.post(at("changelist"), both)
    operator.refresh_from_db()
    assert (operator.is_active, operator.is_superuser, User.objects.count()) == (True, True, 2)
    assert not AuditEvent.objects.exists()


def test_a_role_given_here_is_written_down(browser, audited):
    bob = User.objects.create(username="bob")
    group = Group.objects.create(name="operator")
    browser.post(at("change", bob.pk), {**sent(bob), "is_staff": "", "is_superuser": "", "groups": [group.pk]})
    assert list(bob.groups.all()) == [group]
    assert {"groups": ["operator"]} in AuditEvent.objects.values_list("after", flat=True)
    assert {kind for _, _, kind in audited()} == {"user"}


@pytest.mark.parametrize("way", ["locked out", "deleted"])
def test_who_goes_has_no_key_of_the_playground_left(browser, way):
    bob = User.objects.create(username="bob")
    _, plain = client_keys.for_playground(bob.pk, "bob", timezone.now().date())
    if way == "deleted":
        browser.post(at("delete", bob.pk), {"post": "yes"})
    else:
        browser.post(at("change", bob.pk), {**sent(bob), "is_active": ""})
    assert client_keys.find(plain) is None
