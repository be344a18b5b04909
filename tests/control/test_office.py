"""Clients, tokens, people, switches, health and keys: the rules beside the fields."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from rotation import api_tokens, client_keys, switches
from rotation.control import clients, deployments, health, keys, limits, people, tokens
from rotation.control import switches as turning
from rotation.models import AuditEvent, BreakerState, KeptPrompt, Key, LearnedLimit, LifeStep, Role
from rotation.roles import give, role_of
from tests.models import rows

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def person(name: str, role: Role) -> User:
    user = User.objects.create_user(name)
    give(user, role)
    return user


def test_a_rotated_client_key_works_beside_the_new_one_until_its_grace_ends(olga):
    key, plain = clients.issue(olga, label="laptop", daily_budget="1.5", requests_per_minute=60)
    new, second = clients.rotate(olga, key, grace=timedelta(hours=2))
    assert client_keys.find(plain) == key
    assert client_keys.find(second) == new
    assert (new.replaces, new.daily_budget, new.requests_per_minute, new.label) == (key, key.daily_budget, 60, "laptop")
    key.refresh_from_db()
    assert timedelta(hours=1) < key.expires_at - timezone.now() <= timedelta(hours=2)
    _, third = clients.rotate(olga, new, grace=timedelta(0))
    assert client_keys.find(second) is None
    assert client_keys.find(third)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "x", "pools": ["nowhere"]}, "pools"),
        ({"label": "x", "daily_budget": "-1"}, "daily_budget"),
        ({"label": "x", "daily_budget": "NaN"}, "daily_budget"),
        ({"label": "x", "requests_per_minute": 0}, "requests_per_minute"),
        ({"label": "x", "expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
        ({"label": "x", "internal": True}, "internal"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_client_key_that_makes_no_sense_is_not_issued(olga, fields, field):
    with pytest.raises(ValidationError) as refused:
        clients.issue(olga, **fields)
    assert field in refused.value.message_dict
    assert not AuditEvent.objects.exists()


def test_rotations_own_key_is_nobodys_to_change(olga):
    own, _ = client_keys.for_jobs()
    for act in (clients.revoke, clients.rotate, clients.change):
        with pytest.raises(ValidationError, match="Rotation's own"):
            act(olga, own)


def test_a_token_is_never_more_than_its_owner(olga):
    bob = person("bob", Role.OPERATOR)
    with pytest.raises(ValidationError, match="cannot be more"):
        tokens.issue(olga, bob, label="ci", role="admin")
    token, plain = tokens.issue(olga, bob, label="ci", role="operator")
    assert api_tokens.role_of_token(api_tokens.find(plain)) is Role.OPERATOR
    give(bob, Role.VIEWER)
    assert api_tokens.role_of_token(api_tokens.find(plain)) is Role.VIEWER
    people.lock(olga, bob)
    assert api_tokens.find(plain) is None
    people.unlock(olga, bob)
    tokens.revoke(olga, token)
    assert api_tokens.find(plain) is None


def test_the_last_use_of_a_token_is_written_once_a_minute(olga, django_assert_num_queries):
    token, _ = tokens.issue(olga, person("bob", Role.VIEWER), label="ci")
    now = timezone.now()
    api_tokens.used(token, now)
    token.refresh_from_db()
    with django_assert_num_queries(0):
        api_tokens.used(token, now + timedelta(seconds=59))
    with django_assert_num_queries(1):
        api_tokens.used(token, now + timedelta(seconds=60))


def test_the_last_admin_stays(olga):
    ada = person("ada", Role.ADMIN)
    for act in (people.lock, people.remove, lambda by, user: people.give_role(by, user, "viewer")):
        with pytest.raises(ValidationError, match="no admin left"):
            act(olga, ada)
        ada.refresh_from_db()
        assert (role_of(ada), ada.is_active) == (Role.ADMIN, True)
    person("bea", Role.ADMIN)
    people.give_role(olga, ada, "viewer")
    assert role_of(ada) is Role.VIEWER


def test_a_link_lets_a_password_be_chosen_once(olga):
    bob = people.add(olga, username="bob", role="operator")
    assert not bob.has_usable_password()
    path = people.link(olga, bob)
    name, token = path.strip("/").split("/")[1:]
    assert people.by_link(name, token) == bob
    people.set_password(olga, bob, PASSWORD)
    assert people.by_link(name, token) is None
    for wrong in (("", ""), ("!!", token), (name, "x"), ("9" * 400, token)):
        assert people.by_link(*wrong) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "bob", "role": "king"},
        {"username": "", "role": "viewer"},
        {"username": "bob", "role": "viewer", "password": "short"},
        {"username": "a\0b", "role": "viewer"},
    ],
    ids=str,
)
def test_an_account_that_makes_no_sense_is_not_added(olga, fields):
    with pytest.raises(ValidationError):
        people.add(olga, **fields)
    assert not User.objects.exists()


def test_prompts_go_when_they_are_no_longer_kept(olga):
    turning.set_value(olga, "keep_prompts", True)
    KeptPrompt.objects.create(request_id="0199c7b4-0000-7000-8000-00000000dead", at=timezone.now(), sealed="x")
    turning.set_value(olga, "keep_prompts", False)
    assert not KeptPrompt.objects.exists()
    assert AuditEvent.objects.first().after == {"value": False, "prompts_erased": 1}
    assert switches.value("keep_prompts") is False


@pytest.mark.parametrize(
    ("name", "value"),
    [("keep_prompts", "yes"), ("keep_prompts_days", 0), ("keep_prompts_days", True), ("status_title", "x" * 201),
     ("status_title", "a\0"), ("nobody", 1)],
)  # fmt: skip
def test_a_switch_takes_only_what_it_can_hold(olga, name, value):
    with pytest.raises(ValidationError) as refused:
        turning.set_value(olga, name, value)
    assert list(refused.value.message_dict) == [name]


@pytest.mark.parametrize("scope", ["deployment:0", "deployment:999999", "key:1", "provider:x", "", "deployment:1/x"])
def test_a_breaker_is_set_only_where_there_is_one(olga, scope):
    with pytest.raises(ValidationError):
        health.set_breaker(olga, scope, "forced_open")
    with pytest.raises(ValidationError):
        health.set_breaker(olga, f"deployment:{rows.deployment().pk}", "half_open")
    assert not BreakerState.objects.exists()


def test_several_keys_come_in_at_once_or_none(olga):
    account = rows.account()
    text = "sk-one-0123456789abcdef,\n sk-two-0123456789abcdef;sk-one-0123456789abcdef"
    assert [key.last4 for key in keys.add(olga, account, text, label="x")] == ["cdef", "cdef"]
    with pytest.raises(ValidationError, match="already holds"):
        keys.add(olga, account, "sk-three-0123456789abcdef sk-two-0123456789abcdef")
    assert Key.objects.count() == 2
    for nothing in ("", " \n,", []):
        with pytest.raises(ValidationError, match="wants a key"):
            keys.add(olga, account, nothing)


def test_an_operators_limits_replace_each_other_and_reach_the_gateway(olga):
    from rotation.gateway import loading

    deployment = deployments.add(
        olga, rows.provider(), model_id="m", tags=["code"], limits=[{"axis": "requests", "limit": 60, "window_s": 60}]
    )
    version = loading.version()
    limits.set_limits(olga, deployment, [{"axis": "tokens", "limit": 6000, "window_s": 60}])
    assert LearnedLimit.objects.get().axis == "tokens"
    assert (LearnedLimit.objects.get().scope, LearnedLimit.objects.get().source) == (
        f"deployment:{deployment.pk}", "operator",
    )  # fmt: skip
    assert loading.version() > version
    with pytest.raises(ValidationError, match="above 0"):
        limits.set_limits(olga, deployment, [{"axis": "tokens", "limit": -1, "window_s": 60}])
    with pytest.raises(ValidationError, match="Write each limit"):
        limits.set_limits(olga, deployment, [{"axis": "calls", "limit": 1, "window_s": 60}])


def test_a_price_an_operator_sets_is_marked_as_theirs_and_a_status_is_a_step(olga):
    deployment = deployments.change(olga, rows.deployment(), price_in="0.5")
    assert deployment.price_source == "operator"
    deployments.retire(olga, deployment)
    assert deployment.status == "archived"
    assert LifeStep.objects.get().step == "archived"
    assert json.dumps(AuditEvent.objects.first().after)
