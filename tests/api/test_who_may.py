"""Who may do what: every operation, every role, by cookie and by token; tokens that are wrong, old or too many."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from rotation.api import tries
from rotation.control import people, tokens
from rotation.control.by import By
from rotation.models import ApiToken, AuditEvent, Door, Role
from rotation.roles import RANK, give, wanted
from tests.api.asking import Asking
from tests.api.furnished import people as everybody
from tests.api.furnished import token_of

pytestmark = pytest.mark.django_db


def operations() -> list[tuple[str, str]]:
    """(method, path) of everything that is declared."""
    from rotation.api.management import api

    return [(method, path) for path, methods in api.get_openapi_schema()["paths"].items() for method in methods]


def filled(path: str, there: dict[str, Any]) -> str:
    return re.sub(r"{(\w+)}", lambda found: str(there[found[1]]), path)


def test_every_operation_lets_in_exactly_the_roles_of_the_table(there: dict[str, Any]):
    """With bodies that are wrong, so that nothing is changed: who gets past the door is told 404 or 422, not 403."""
    roles = {role: token_of(user, role) for role, user in everybody().items()}
    client, wrong = Client(), []
    for method, path in operations():
        place = filled(
            path, {**there, **dict.fromkeys(there, 2**40), "name": "nobody", "request_id": there["request_id"]}
        )
        needs = wanted(resolve(place).view_name, method.upper())
        assert needs is not None, path
        for role, token in roles.items():
            headers = {"authorization": f"Bearer {token}"}
            answer = client.generic(method.upper(), place, b'{"nobody": 1}', "application/json", headers=headers)
            if (answer.status_code == 403) is (RANK[role] >= RANK[needs]) or answer.status_code in {401, 500}:
                wrong.append((method, path, role, answer.status_code))
            if answer.status_code == 403:
                assert f"the role {needs}" in answer.json()["detail"]
    assert wrong == []


def test_without_an_account_nothing_is_answered(there: dict[str, Any]):
    client = Client()
    for method, path in operations():
        answer = client.generic(method.upper(), filled(path, there), b"{}", "application/json")
        assert (answer.status_code, answer["content-type"]) == (401, "application/problem+json"), path
    assert not AuditEvent.objects.filter(door=Door.API).exclude(actor="test").exists()


@pytest.mark.parametrize("change", ["revoked", "expired", "locked", "mistyped", "another scheme"])
def test_a_token_that_does_not_count_opens_nothing(ask: Any, change: str):
    row, token = ApiToken.objects.get(), ask.token
    match change:
        case "revoked":
            tokens.revoke(By("x", Door.PAGE), row)
        case "expired":
            ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        case "locked":
            User.objects.update(is_active=False)
        case "mistyped":
            token = f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}"
    scheme = "Basic" if change == "another scheme" else "Bearer"
    answer = Client().get("/api/v1/me", headers={"authorization": f"{scheme} {token}"})
    assert answer.status_code == 401
    assert "not valid" in answer.json()["detail"]


def test_a_wrong_token_is_not_saved_by_a_good_cookie(alice: Client, no_world: None):
    assert alice.get("/api/v1/me").json()["username"] == "alice"
    assert alice.get("/api/v1/me", headers={"authorization": "Bearer rt_nobody"}).status_code == 401


def test_a_token_falls_with_its_owner(ask: Any):
    assert ask("get", "/v1/people").status_code == 200
    give(ask.user, Role.OPERATOR)
    answer = ask("get", "/v1/people")
    assert (answer.status_code, "the role admin" in answer.json()["detail"]) == (403, True)


def test_no_token_makes_a_stronger_one(no_world: None, db: None):
    strong = Asking(Role.ADMIN)
    weak = strong.json("post", "/v1/tokens", {"label": "weak", "role": "operator"})["token"]
    answer = strong("post", "/v1/tokens", {"label": "strong", "role": "admin"}, token=weak)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/role")


def test_guessing_tokens_is_slowed_down(ask: Any):
    def statuses(count: int) -> list[int]:
        return [ask("get", "/v1/me", token="rt_wrong").status_code for _ in range(count)]

    assert statuses(tries.FREE_TRIES + 1) == [401] * (tries.FREE_TRIES + 1)
    answer = ask("get", "/v1/me", token="rt_wrong")
    assert (answer.status_code, int(answer["retry-after"]) >= 1) == (429, True)
    assert ask("get", "/v1/me").status_code == 429


def test_waits_grow_and_are_forgotten():
    tries._seen.clear()
    waits = []
    for _ in range(30):
        tries.failed("1.2.3.4", 0.0)
        waits.append(tries.wait("1.2.3.4", 0.0))
    assert waits[:12] == [0] * 10 + [1, 2]
    assert max(waits) == tries.LONGEST
    tries.failed("1.2.3.4", 2 * tries.FORGOTTEN)
    assert tries.wait("1.2.3.4", 2 * tries.FORGOTTEN) == 0
    tries._seen.clear()


def test_a_cookie_changes_only_with_its_csrf_token(no_world: None, db: None):
    browser = Client(enforce_csrf_checks=True)
    user = User.objects.create_user("olga")
    give(user, Role.ADMIN)
    browser.force_login(user)
    body = json.dumps({"name": "night"})
    assert browser.post("/api/v1/pools", body, "application/json").status_code == 403
    browser.get("/")
    csrf = browser.cookies["csrftoken"].value
    answer = browser.post("/api/v1/pools", body, "application/json", headers={"x-csrftoken": csrf})
    assert answer.status_code == 201
    assert AuditEvent.objects.get(object_type="pool").actor == "olga"


def test_what_a_token_changes_is_signed_with_its_label(ask: Any):
    ask.json("post", "/v1/pools", {"name": "night"})
    event = AuditEvent.objects.get(object_type="pool")
    assert (event.actor, event.door) == ("token admin token", Door.API)


def test_tokens_are_seen_by_their_owners_and_by_admins(no_world: None, db: None):
    bob, root = Asking(Role.VIEWER, "bob"), Asking(Role.ADMIN)
    assert [one["owner"] for one in bob.json("get", "/v1/tokens")["items"]] == ["bob"]
    assert {one["owner"] for one in root.json("get", "/v1/tokens")["items"]} == {"bob", "root"}
    theirs = ApiToken.objects.get(owner=root.user)
    assert bob("get", f"/v1/tokens/{theirs.pk}").status_code == 404
    assert bob("delete", f"/v1/tokens/{theirs.pk}").status_code == 204
    assert ApiToken.objects.get(pk=theirs.pk).enabled


def test_a_locked_account_is_out_with_its_session(alice: Client, no_world: None):
    give(User.objects.create_user("ada"), Role.ADMIN)
    people.lock(By("ada", Door.PAGE), User.objects.get(username="alice"))
    assert alice.get("/api/v1/me").status_code == 401


def test_a_generator_reads_the_schema_with_a_token(ask: Any):
    assert ask("get", "/openapi.json").json()["openapi"].startswith("3.")
    assert ask("get", "/openapi.json", token="rt_wrong").status_code == 401
