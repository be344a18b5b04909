"""Each noun's life over HTTP: made, read, changed, removed; and what no answer ever tells."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from rotation.models import AuditEvent, Cooldown, LearnedLimit, Pool
from tests.dashboard.calls import HOSTILE
from tests.models import rows

pytestmark = pytest.mark.django_db
SECRET = "sk-very-secret-0123456789abcdefg"
PROVIDER = {"kind": "generic", "name": "lab", "base_url": "http://127.0.0.1:9/v1"}


def pointers(answer: Any) -> list[str]:
    assert answer["content-type"] == "application/problem+json"
    return [error["pointer"] for error in answer.json()["errors"]]


#: noun: where, a body to make one, a change, and how the change shows.
LIVES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "provider": ("/v1/providers", PROVIDER, {"label": "The lab", "enabled": False}),
    "pool": ("/v1/pools", {"name": "night"}, {"strategy": "fastest", "admits": {"free": True}}),
    "person": ("/v1/people", {"username": "bob", "role": "operator"}, {"email": "bob@example.com"}),
    "client": ("/v1/clients", {"label": "laptop", "daily_budget": "2.50"}, {"label": "desk", "monthly_budget": "10"}),
    "account": ("/v1/accounts", {"label": "two"}, {"plan": "free", "verify_share": 0.5}),
    "model": (
        "/v1/models",
        {"model_id": "m", "tags": ["code"], "limits": [{"axis": "requests", "limit": 60, "window_s": 60}]},
        {"price_in": "0.05", "tools": True, "limits": []},
    ),
}


@pytest.mark.parametrize("noun", list(LIVES))
def test_a_thing_is_made_read_changed_and_removed(ask: Any, noun: str):
    place, body, change = LIVES[noun]
    if noun in {"account", "model"}:
        body = {**body, "provider": rows.provider().pk}
    made = ask.json("post", place, body)
    one = f"{place}/{made['id']}"
    read = ask.json("get", one)
    assert {name: read[name] for name in read} == {name: made[name] for name in read}
    changed = ask.json("patch", one, change)
    assert {name: changed[name] for name in change} == change
    assert changed == ask.json("get", one)
    assert made["id"] in [item["id"] for item in ask.json("get", place)["items"]]
    assert [ask("delete", one).status_code for _ in range(2)] == [204, 204]
    if noun != "client":  # a revoked key stays in the list
        assert ask("get", one).status_code == 404
    events = AuditEvent.objects.exclude(object_type="apitoken").filter(door="api")
    assert events.filter(object_id=str(made["id"])).count() >= 3


def test_a_field_that_does_not_exist_is_named_and_nothing_is_made(ask: Any):
    answer = ask("post", "/v1/pools", {"name": "night", "colour": "blue", "policy": {"patience": 1}})
    assert (answer.status_code, pointers(answer)) == (422, ["/colour"])
    nested = {"model_id": "m", "provider": 1, "limits": [{"axis": "requests", "limit": 1, "window_s": 1, "a/b": 1}]}
    assert pointers(ask("post", "/v1/models", nested)) == ["/limits/0/a~1b"]
    assert pointers(ask("get", "/v1/pools?colour=blue")) == ["colour"]
    assert not Pool.objects.exists()


def test_what_the_control_plane_refuses_points_at_the_field(ask: Any):
    assert pointers(ask("post", "/v1/providers", {**PROVIDER, "base_url": "http://169.254.169.254"})) == ["/base_url"]
    assert pointers(ask("post", "/v1/pools", {"name": "x", "policy": {"patience": "long"}})) == ["/policy"]
    assert pointers(ask("post", "/v1/accounts", {"provider": 999999})) == ["/provider"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b"\xff\xfe", 400),
        (b"", 422),
        (b'{"name": NaN}', 422),
        (b'{"name": "a\\u0000"}', 422),
    ],
    ids=["cut", "list", "bytes", "nothing", "nan", "nul"],
)
def test_a_body_that_cannot_be_read_is_a_problem(ask: Any, body: bytes, status: int):
    from django.test import Client

    headers = {"authorization": f"Bearer {ask.token}"}
    answer = Client().post("/api/v1/pools", body, "application/json", headers=headers)
    assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json")


def test_secrets_go_in_and_never_come_out(ask: Any):
    made = ask.json("post", "/v1/providers", {**PROVIDER, "secret": SECRET})
    account = ask.json("get", f"/v1/accounts?provider={made['id']}")["items"][0]["id"]
    keys = ask.json("post", "/v1/keys", {"account": account, "secrets": [f"{SECRET}2", f"{SECRET}3"]})
    ask.json("put", f"/v1/keys/{keys[0]['id']}/secret", {"secret": f"{SECRET}4"})
    seen = [ask("get", place).content for place in ("/v1/providers", "/v1/accounts", "/v1/keys", "/v1/audit?limit=200")]
    seen.append(ask("post", "/v1/keys", {"account": account, "secrets": [f"{SECRET}4"]}).content)
    assert SECRET.encode() not in b"".join(seen)
    assert keys[0]["masked"] == "…efg2"


@pytest.mark.parametrize(
    ("noun", "body", "field"), [("clients", {"label": "x"}, "key"), ("tokens", {"label": "x"}, "token")]
)
def test_what_is_issued_is_shown_once(ask: Any, noun: str, body: dict[str, str], field: str):
    made = ask("post", f"/v1/{noun}", body)
    assert made["cache-control"] == "no-store"
    plain = made.json()[field]
    for place in (f"/v1/{noun}", f"/v1/{noun}/{made.json()['id']}", "/v1/audit"):
        assert plain not in ask("get", place).text


def test_a_client_is_rotated_and_revoked(ask: Any):
    made = ask.json("post", "/v1/clients", {"label": "laptop"})
    new = ask.json("post", f"/v1/clients/{made['id']}/rotate", {"grace_s": 3600})
    assert (new["replaces_id"], new["label"]) == (made["id"], "laptop")
    assert ask.json("get", f"/v1/clients/{made['id']}")["expires_at"]
    ask("delete", f"/v1/clients/{new['id']}")
    assert not ask.json("get", f"/v1/clients/{new['id']}")["enabled"]


def test_places_are_given_moved_pinned_arranged_and_taken_away(ask: Any):
    pool = ask.json("post", "/v1/pools", {"name": "night"})["id"]
    models = [rows.deployment().pk for _ in range(3)]
    places = [ask.json("post", f"/v1/pools/{pool}/placements", {"model": model}) for model in models]

    def order() -> list[int]:
        return [one["model_id"] for one in ask.json("get", f"/v1/pools/{pool}/placements")["items"]]

    ask.json("post", f"/v1/placements/{places[2]['id']}/move", {"position": 1})
    assert order() == [models[2], models[0], models[1]]
    version = ask.json("get", f"/v1/pools/{pool}")["version"]
    ask.json("put", f"/v1/pools/{pool}/order", {"order": models, "version": version})
    assert order() == models
    stale = ask("put", f"/v1/pools/{pool}/order", {"order": models[::-1], "version": version})
    assert (stale.status_code, pointers(stale)) == (409, ["/version"])
    assert ask.json("patch", f"/v1/placements/{places[0]['id']}", {"pinned": True})["pinned"]
    assert ask("delete", f"/v1/placements/{places[0]['id']}").status_code == 204
    assert order() == models[1:]


def test_a_model_is_retired_and_comes_back(ask: Any):
    model = rows.deployment().pk
    assert ask.json("put", f"/v1/models/{model}/status", {"status": "archived"})["status"] == "archived"
    assert ask.json("put", f"/v1/models/{model}/status", {"status": "candidate"})["status"] == "candidate"


def test_people_get_roles_are_locked_and_choose_their_password(ask: Any):
    one = f"/v1/people/{ask.json('post', '/v1/people', {'username': 'bob'})['id']}"
    assert ask.json("put", f"{one}/role", {"role": "operator"})["role"] == "operator"
    assert ask.json("post", f"{one}/lock")["is_active"] is False
    assert ask.json("post", f"{one}/unlock")["is_active"] is True
    assert ask.json("post", f"{one}/link")["path"].startswith("/password/")
    assert pointers(ask("put", f"{one}/password", {"password": "short"})) == ["/password"]
    me = f"/v1/people/{ask.json('get', '/v1/me')['id']}"
    assert pointers(ask("put", f"{me}/role", {"role": "viewer"})) == ["/role"]


def test_switches_are_turned(ask: Any):
    assert ask.json("put", "/v1/switches/status_page", {"value": True})["value"] is True
    assert pointers(ask("put", "/v1/switches/status_page", {"value": "yes"})) == ["/status_page"]
    assert ask("get", "/v1/switches/nobody").status_code == 404
    assert {"keep_prompts", "status_page"} <= {one["name"] for one in ask.json("get", "/v1/switches")}


def test_health_is_read_and_overruled(ask: Any, there: dict[str, Any]):
    scope = f"deployment:{there['model_id']}"
    assert ask.json("put", "/v1/health/breakers", {"scope": scope, "state": "disabled"})["state"] == "disabled"
    assert [one["scope"] for one in ask.json("get", "/v1/health/breakers")["items"]] == [scope]
    assert ask("delete", f"/v1/health/cooldowns/{there['cooldown_id']}").status_code == 204
    assert ask("delete", f"/v1/health/limits/{there['limit_id']}").status_code == 204
    assert Cooldown.objects.get().until <= timezone.now()
    assert not LearnedLimit.objects.exists()
    assert ask.json("get", "/v1/health/trips")["items"][0]["reason"] == "<b>why</b>"


def test_jobs_are_listed_and_run(ask: Any):
    assert {"keys", "reorder"} <= {one["name"] for one in ask.json("get", "/v1/jobs")}
    assert ask("post", "/v1/jobs/keys/run").status_code == 202
    assert ask("post", "/v1/jobs/nobody/run").status_code == 404
    assert AuditEvent.objects.get(object_type="job").object_id == "keys"


def test_a_connection_is_tested_before_anything_is_stored(ask: Any):
    tested = ask.json("post", "/v1/connection-tests", {"base_url": "http://127.0.0.1:9/v1", "secret": SECRET})
    assert (tested["works"], tested["trouble"]) == (False, "connection")
    assert not AuditEvent.objects.filter(object_type="provider").exists()


def test_the_log_is_searched_and_one_request_told_whole(ask: Any, there: dict[str, Any]):
    rows.request(outcome="failed", attempts=3)
    assert len(ask.json("get", "/v1/requests")["items"]) == 2
    assert [one["attempts"] for one in ask.json("get", "/v1/requests?outcome=failed&rotated=true")["items"]] == [3]
    assert ask.json("get", "/v1/requests?model=nobody")["items"] == []
    whole = ask.json("get", f"/v1/requests/{there['request_id']}")
    assert [one["n"] for one in whole["tries"]] == [1]


def test_the_audit_is_searched_and_taken_away_as_a_file(ask: Any):
    ask.json("post", "/v1/pools", {"name": "night", "label": "=cmd()"})
    found = ask.json("get", "/v1/audit?object_type=pool&door=api")["items"]
    assert [(one["action"], one["after"]["name"]) for one in found] == [("add", "night")]
    assert ask.json("get", f"/v1/audit/{found[0]['id']}") == found[0]
    answer = ask("get", "/v1/audit/export?object_type=pool")
    lines = b"".join(answer).decode().splitlines()
    assert (answer["content-type"], len(lines)) == ("text/csv; charset=utf-8", 2)
    assert b"".join(ask("get", "/v1/audit/export?format=json&object_type=pool")).startswith(b'[{"at"')


def test_hostile_text_is_kept_or_refused_and_never_breaks_an_answer(ask: Any):
    for text in (HOSTILE[:110], "a\0b", "\ud800", "\u202egnp.exe", "x" * 10_000):
        answer = ask("post", "/v1/pools", {"name": f"p{abs(hash(text)) % 10**9}", "label": text})
        assert answer.status_code in {201, 400, 422}
        if answer.status_code == 201:
            assert ask.json("get", f"/v1/pools/{answer.json()['id']}")["label"] == text.strip() or text
        search = ask("get", "/v1/audit?q=%00%ed%a0%80")
        assert search.status_code == 200
