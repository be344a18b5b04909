"""A target stands in every circle of blame that can bench it, and in no other."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from rotation.core.targets import (
    Account,
    Deployment,
    Key,
    Provider,
    Target,
    account_free_scope,
    account_model_scope,
    account_scope,
    deployment_scope,
    key_model_scope,
    key_scope,
    provider_scope,
    scopes_of,
)

GROQ = Provider(1, "groq", "groq", "http://127.0.0.1/openai/v1")
ACCOUNT, OTHER_ACCOUNT = Account(10, GROQ.id), Account(11, GROQ.id)
KEY, SECOND_KEY, OTHER_KEY = Key(100, ACCOUNT.id), Key(101, ACCOUNT.id), Key(102, OTHER_ACCOUNT.id)
FREE, PAID = Deployment(1000, GROQ.id, "llama:free", free=True), Deployment(1001, GROQ.id, "llama")


def target(deployment: Deployment = PAID, key: Key = KEY, account: Account = ACCOUNT) -> Target:
    return Target(deployment, key, account, GROQ)


def test_a_target_stands_in_six_circles_of_blame():
    assert target().scopes == {
        "provider:1",
        "account:10",
        "key:100",
        "deployment:1001",
        "account:10/deployment:1001",
        "key:100/deployment:1001",
    }


def test_a_free_one_stands_also_in_that_of_its_accounts_free_models():
    assert target(FREE).scopes - target(PAID).scopes >= {"account:10/free"}
    assert account_free_scope(target(PAID)) not in target(PAID).scopes


@pytest.mark.parametrize(
    "scope", [provider_scope, account_scope, key_scope, deployment_scope, account_model_scope, key_model_scope]
)
def test_every_scope_that_can_be_named_is_one_the_target_stands_in(scope):
    assert scope(target()) in target().scopes
    assert scope(target(FREE)) in scopes_of(target(FREE))


def test_no_two_scopes_have_one_name():
    assert len(scopes_of(target(FREE))) == len(set(scopes_of(target(FREE)))) == 7


def test_keys_of_one_account_share_its_limits_and_not_their_credentials():
    first, second = target(key=KEY), target(key=SECOND_KEY)
    assert first.scopes & second.scopes == {"provider:1", "account:10", "deployment:1001", "account:10/deployment:1001"}


def test_another_account_shares_only_the_provider_and_the_deployment():
    other = target(key=OTHER_KEY, account=OTHER_ACCOUNT)
    assert target().scopes & other.scopes == {"provider:1", "deployment:1001"}


def test_another_model_of_the_same_key_shares_all_but_the_model():
    assert target(PAID).scopes & target(FREE).scopes == {"provider:1", "account:10", "key:100"}


def test_a_target_has_the_name_a_client_may_ask_for_and_the_id_of_its_pair():
    assert target().name == "groq/llama"
    assert target().id == (1001, 100)


def test_a_target_is_a_value() -> None:
    assert target() == target()
    assert hash(target()) == hash(target())
    with pytest.raises(FrozenInstanceError):
        target().key = OTHER_KEY  # type: ignore[misc]  # the assignment is the test
