"""What all operations share: HEAD, OPTIONS, 405, ETags, conditions, pages."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.api.keyset import cursor
from rotation.models import Pool
from tests.models import rows

pytestmark = pytest.mark.django_db


def test_what_is_held_already_is_not_sent_again(ask: Any):
    place = f"/v1/pools/{ask.json('post', '/v1/pools', {'name': 'night'})['id']}"
    tag = ask("get", place)["etag"]
    again = ask("get", place, if_none_match=tag)
    assert (again.status_code, again.content, again["etag"]) == (304, b"", tag)
    assert ask("get", place, if_none_match=f'"other", {tag}').status_code == 304
    ask.json("patch", place, {"label": "Night"})
    assert ask("get", place, if_none_match=tag).status_code == 200


def test_a_change_of_what_was_changed_meanwhile_is_refused(ask: Any):
    place = f"/v1/pools/{ask.json('post', '/v1/pools', {'name': 'night'})['id']}"
    tag = ask("get", place)["etag"]
    assert ask("patch", place, {"label": "One"}, if_match=tag).status_code == 200
    for method, body in (("patch", {"label": "Two"}), ("delete", None)):
        late = ask(method, place, body, if_match=tag)
        assert (late.status_code, late["content-type"]) == (412, "application/problem+json")
    assert Pool.objects.get().label == "One"
    assert ask("patch", place, {"label": "Three"}, if_match="*").status_code == 200
    assert ask("delete", place, if_match=ask("get", place)["etag"]).status_code == 204
    assert ask("delete", place, if_match="*").status_code == 412


def test_a_condition_needs_a_role_too(ask: Any, db: None):
    from rotation.models import Role
    from tests.api.asking import Asking

    place = f"/v1/pools/{ask.json('post', '/v1/pools', {'name': 'night'})['id']}"
    viewer = Asking(Role.VIEWER, "vera")
    assert viewer("patch", place, {"label": "x"}, if_match=ask("get", place)["etag"]).status_code == 403


def test_head_options_and_methods_that_are_not_there(ask: Any):
    head = ask("head", "/v1/pools")
    assert (head.status_code, head.content, bool(head["etag"])) == (200, b"", True)
    options = ask("options", "/v1/pools")
    assert (options.status_code, options["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    wrong = ask("delete", "/v1/pools")
    assert (wrong.status_code, wrong["allow"]) == (405, "GET, HEAD, OPTIONS, POST")


def pages(ask: Any, place: str) -> list[list[dict[str, Any]]]:
    found, following = [], place
    while following:
        answer = ask.json("get", following)
        found.append(answer["items"])
        following = answer["next"]
    return found


def test_pages_follow_each_other_to_the_end(ask: Any):
    for n in range(7):
        rows.pool(name=f"pool-{n}")
    found = pages(ask, "/v1/pools?limit=3")
    assert [len(page) for page in found] == [3, 3, 1]
    assert [one["name"] for page in found for one in page] == [f"pool-{n}" for n in range(7)]


def test_nothing_comes_twice_when_something_is_added_meanwhile(ask: Any):
    names = [f"m{n}" for n in range(6)]
    provider = rows.provider()
    for name in names:
        rows.deployment(provider=provider, model_id=name)
    first = ask.json("get", "/v1/models?limit=3")
    rows.deployment(provider=provider, model_id="a-before-all")
    rows.deployment(provider=provider, model_id="m3-between")
    rest = [one["model_id"] for page in pages(ask, first["next"]) for one in page]
    assert [one["model_id"] for one in first["items"]] == names[:3]
    assert rest == ["m3", "m3-between", "m4", "m5"]


def test_the_newest_first_with_many_of_one_moment(ask: Any):
    at = rows.request().at
    for _ in range(5):
        rows.request(at=at)
    found = [one["id"] for page in pages(ask, "/v1/requests?limit=2") for one in page]
    assert len(found) == len(set(found)) == 6


@pytest.mark.parametrize(
    "after", ["x", "%00", "W10", cursor(["a"]), cursor(["a", "b"]), cursor([None, 1]), cursor([True, 1])]
)
def test_a_place_nobody_was_sent_to_is_refused(ask: Any, after: str):
    answer = ask("get", f"/v1/pools?after={after}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/after")


def test_operation_ids_are_stable_and_everything_is_described():
    from rotation.api.management import api

    schema = api.get_openapi_schema()
    operations = [one for methods in schema["paths"].values() for one in methods.values()]
    ids = [one["operationId"] for one in operations]
    assert len(ids) == len(set(ids))
    assert all("_" in name and "." not in name for name in set(ids) - {"why"})
    assert [one["operationId"] for one in operations if not one.get("description") or not one.get("tags")] == []


def test_no_two_shapes_share_a_name():
    """One would silently stand for the other in the documentation."""
    import json
    import pkgutil
    from importlib import import_module

    from ninja.responses import NinjaJSONEncoder
    from pydantic import BaseModel

    from rotation.api import nouns
    from rotation.api.management import api

    schema = api.get_openapi_schema()
    told = json.dumps(schema, cls=NinjaJSONEncoder)  # shapes of parameters are laid out, not referred to
    described = {name for name in schema["components"]["schemas"] if f'"#/components/schemas/{name}"' in told}
    places: dict[str, set[str]] = {}
    for module in pkgutil.iter_modules(nouns.__path__):
        for shape in vars(import_module(f"rotation.api.nouns.{module.name}")).values():
            if isinstance(shape, type) and issubclass(shape, BaseModel) and shape.__name__ in described:
                places.setdefault(shape.__name__, set()).add(shape.__module__)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
