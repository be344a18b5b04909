"""The management API: a call explained as JSON for who has signed in; every error a problem that says what to do."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pydantic import TypeAdapter
from pytest_django import DjangoAssertNumQueries

from rotation.api.nouns import requests
from rotation.gateway import paths
from rotation.models import Request
from rotation.why import explain, why_not
from rotation.why.facts import Explanation, WhyNot
from tests.dashboard.calls import HOSTILE
from tests.why.world import World

pytestmark = pytest.mark.django_db
NOBODY = UUID("0199c7b4-0000-7000-8000-00000000dead")


def why(uuid: Any) -> str:
    return f"/api/v1/requests/{uuid}/why"


def same(answer: Any, value: Any) -> bool:
    """But for the moment each was asked in."""
    here = answer.json()
    if "present" in here:
        here["present"]["at"] = value["present"]["at"]
    return json.dumps(here, sort_keys=True) == json.dumps(value, sort_keys=True)


def test_a_call_explained_is_what_the_engine_says(alice: Client, world: World):
    uuid = world.rotated()
    answer = alice.get(why(uuid))
    assert answer.status_code == 200
    assert answer["content-type"] == "application/json"
    assert same(answer, explain(uuid).as_json())
    assert answer.json()["present"]["first"]["target"] == "groq/maker/ada"


def test_why_not_is_what_the_engine_says(alice: Client, world: World):
    uuid = world.rotated()
    answer = alice.get(f"{why(uuid)}-not", {"model": "groq/maker/cyd"})
    assert same(answer, why_not(explain(uuid), "groq/maker/cyd").as_json())
    assert answer.json()["found"] == "spare"


def test_what_is_answered_is_what_is_declared(alice: Client, world: World):
    uuid = world.rotated()
    for kind, path in ((Explanation, why(uuid)), (WhyNot, f"{why(uuid)}-not?model=maker/ada")):
        adapter = TypeAdapter[Any](kind)
        told = adapter.validate_json(alice.get(path).content)
        assert isinstance(told, kind)
    shapes = alice.get("/api/openapi.json").json()["components"]["schemas"]
    assert {"Explanation", "WhyNot", "Present", "Row", "Problem"} <= shapes.keys()


def problem_of(answer: Any, status: int) -> str:
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer["content-type"] == "application/problem+json"
    assert body["type"] == "about:blank"
    assert body["title"]
    return str(body["detail"])


@pytest.mark.parametrize("path", [why(NOBODY), "/api/nothing", f"{why(NOBODY)}-not?model=x"])
def test_who_has_not_signed_in_is_told_where(client: Client, path: str):
    answer = client.get(path)
    assert "Sign in at /login/ first" in problem_of(answer, 401)
    assert answer["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/api/docs", "/api/openapi.json"])
def test_the_documentation_wants_a_login_too(client: Client, alice: Client, path: str):
    assert alice.get(path).status_code == 200
    assert Client().get(path)["location"] == f"/login/?next={path}"


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/v1/requests/not-a-uuid/why", f"{why(NOBODY)}/more"])
def test_what_is_not_here_is_a_problem_too(alice: Client, path: str):
    assert "/api/docs lists what there is" in problem_of(alice.get(path), 404)


def test_a_call_that_is_not_stored_is_told_so(alice: Client):
    assert "older than what is kept" in problem_of(alice.get(why(NOBODY)), 404)


def test_a_missing_or_endless_name_is_told_so(alice: Client, world: World):
    uuid = world.rotated()
    assert "model: Field required" in problem_of(alice.get(f"{why(uuid)}-not"), 422)
    assert "at most 200 characters" in problem_of(alice.get(f"{why(uuid)}-not", {"model": "x" * 201}), 422)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_what_can_only_be_read_says_so(alice: Client, method: str):
    answer = getattr(alice, method)(why(NOBODY))
    assert problem_of(answer, 405).startswith("Use GET, HEAD, OPTIONS for ")
    assert answer["allow"] == "GET, HEAD, OPTIONS"


def test_a_head_request_has_no_body(alice: Client, world: World):
    answer = alice.head(why(world.rotated()))
    assert (answer.status_code, answer.content) == (200, b"")


def test_nobody_posts_from_elsewhere(world: World):
    from django.contrib.auth.models import User

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_user("alice"))
    assert "X-CSRFToken" in problem_of(strict.post("/api/v1/tokens", {"label": "x"}), 403)
    assert strict.get(why(world.rotated())).status_code == 200


def test_an_error_of_our_own_tells_nothing_of_ours(alice: Client, monkeypatch: pytest.MonkeyPatch, caplog: Any):
    def broken(_: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(requests, "explain", broken)
    answer = alice.get(why(NOBODY))
    assert problem_of(answer, 500) == "An internal error; it has been logged."
    assert "42" not in answer.text
    assert "the secret is 42" in caplog.text


def test_hostile_text_stays_json(alice: Client, world: World):
    uuid = world.rotated(error=HOSTILE, trace=[world.row(world.ada, "tried", HOSTILE)])
    answer = alice.get(why(uuid))
    assert answer["x-content-type-options"] == "nosniff"
    assert answer.json()["rows"][0]["why"].startswith("\"><script>alert('x')</script>")
    assert alice.get(f"{why(uuid)}-not", {"model": HOSTILE[:150]}).json()["found"] == "unknown"


def test_it_reads_and_never_writes(alice: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries):
    uuid = world.rotated()
    with django_assert_max_num_queries(24) as asked:
        alice.get(why(uuid))
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)
    assert Request.objects.count() == 1


def test_the_gateway_hands_it_on_to_the_pages():
    assert not paths.is_call(why(NOBODY))
    assert not paths.is_call("/api/docs")
