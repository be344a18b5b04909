"""People, tokens, one's own account and the settings, as a person uses the pages."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rotation import switches
from rotation.models import ApiToken, AuditEvent, Role
from rotation.roles import role_of
from tests.dashboard.calls import PASSWORD
from tests.dashboard.test_providers import browser_of

pytestmark = pytest.mark.django_db
ANOTHER = "a different battery"


def test_somebody_added_without_a_password_chooses_it_by_a_link_that_works_once(page: Client):
    shown = page.post("/people/add/", {"username": "bob", "role": "operator"}).text
    found = re.search(r"http://testserver(/password/\S+?/)<", shown)
    assert found is not None
    bob, other = User.objects.get(username="bob"), Client()
    assert role_of(bob) is Role.OPERATOR
    short = other.post(found[1], {"password": "short", "again": "short"})
    assert short.status_code == 422
    assert "too short" in short.text
    assert other.post(found[1], {"password": ANOTHER, "again": ANOTHER}).status_code == 302
    assert other.get(found[1]).status_code == 403
    assert other.login(username="bob", password=ANOTHER)


def test_a_wrong_person_is_not_added_and_what_was_typed_stays(page: Client):
    answer = page.post("/people/add/", {"username": "b b", "role": "viewer", "password": "short"})
    assert answer.status_code == 422
    assert 'value="b b"' in answer.text
    assert "short" not in re.sub(r"too short", "", answer.text)
    assert not User.objects.filter(username="b b").exists()


def test_a_role_is_given_and_the_last_admin_keeps_theirs(page: Client, alice: User):
    bob = User.objects.create_user("bob", "", PASSWORD)
    page.post(f"/people/{bob.pk}/role/", {"role": "operator"})
    assert role_of(User.objects.get(pk=bob.pk)) is Role.OPERATOR
    refused = page.post(f"/people/{alice.pk}/role/", {"role": "viewer"})
    assert refused.status_code == 422
    assert "no admin left" in refused.text
    assert "no admin left" in page.post(f"/people/{alice.pk}/lock/", {"on": "1"}, follow=True).text
    assert User.objects.get(pk=alice.pk).is_active


def test_somebody_locked_out_is_out_and_may_be_let_in_again(page: Client):
    browser = browser_of(Role.VIEWER)
    pk = User.objects.get(username="a viewer").pk
    page.post(f"/people/{pk}/lock/", {"on": "1"})
    assert browser.get("/").status_code == 302
    assert "locked out" in page.get("/people/?state=locked").text
    page.post(f"/people/{pk}/lock/", {"on": "0"})
    assert User.objects.get(pk=pk).is_active
    page.post(f"/people/{pk}/remove/")
    assert not User.objects.filter(pk=pk).exists()


def test_roles_can_be_filtered(page: Client):
    for role in Role:
        browser_of(role)
    for role in Role:
        text = page.get(f"/people/?role={role}").text
        assert f"a {role}<" in text
        assert not any(f"a {other}<" in text for other in Role if other is not role)


def test_everybody_makes_tokens_of_their_own_role_at_most_and_sees_only_theirs(page: Client):
    browser = browser_of(Role.OPERATOR)
    refused = browser.post("/tokens/add/", {"label": "mine", "role": "admin"})
    assert refused.status_code == 422
    assert "cannot be more" in refused.text
    shown = browser.post("/tokens/add/", {"label": "mine", "role": "viewer"})
    assert re.search(r"rt_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}", shown.text)
    page.post("/tokens/add/", {"label": "of-alice", "role": "admin"})
    assert "of-alice" not in browser.get("/tokens/").text
    assert "mine" in page.get("/tokens/").text
    alices = ApiToken.objects.get(label="of-alice")
    assert browser.post(f"/tokens/{alices.pk}/revoke/").status_code == 404
    page.post(f"/tokens/{ApiToken.objects.get(label='mine').pk}/revoke/")
    assert "revoked" in browser.get("/tokens/").text


def test_ones_own_password_is_changed_with_the_present_one_and_one_stays_signed_in(page: Client):
    wrong = page.post("/tokens/password/", {"current": "no", "password": ANOTHER, "again": ANOTHER})
    assert wrong.status_code == 422
    assert "not your present password" in wrong.text
    differs = page.post("/tokens/password/", {"current": PASSWORD, "password": ANOTHER, "again": "other"})
    assert "differ" in differs.text
    done = page.post("/tokens/password/", {"current": PASSWORD, "password": ANOTHER, "again": ANOTHER}, follow=True)
    assert "Your password is changed" in done.text
    assert Client().login(username="alice", password=ANOTHER)
    assert ANOTHER not in str(list(AuditEvent.objects.values_list("after", flat=True)))


def test_settings_are_turned_together_or_not_at_all(page: Client):
    sent = {"keep_prompts": "on", "keep_prompts_days": "0", "status_title": "Here"}
    wrong = page.post("/settings/", sent)
    assert wrong.status_code == 422
    assert "Write a number from 1 to 365." in wrong.text
    assert 'value="Here"' in wrong.text
    assert switches.value("keep_prompts") is False
    page.post("/settings/", {**sent, "keep_prompts_days": "3"})
    found = switches.values()
    assert (found["keep_prompts"], found["keep_prompts_days"], found["status_title"]) == (True, 3, "Here")


def test_every_choice_has_its_field_with_its_meaning(page: Client):
    text = page.get("/settings/").text
    for choice in switches.CHOICES.values():
        assert choice.label in text
        assert choice.meaning.replace("'", "&#x27;") in text


@pytest.mark.parametrize(("role", "people", "saves"), [(Role.VIEWER, 403, 403), (Role.OPERATOR, 403, 403)])
def test_lesser_roles_read_settings_and_never_people(role: Role, people: int, saves: int):
    browser = browser_of(role)
    assert browser.get("/people/").status_code == people
    assert browser.get("/settings/").status_code == 200
    assert browser.post("/settings/", {"keep_prompts_days": "3"}).status_code == saves
