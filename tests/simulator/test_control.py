"""The control plane takes orders, and says what is wrong with a wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.simulator.serve import Running, running
from tests.simulator.asking import KINDS, MODELS, Client, key


def test_rules_are_put_added_listed_and_cleared(sim: Running) -> None:
    sim.faults({"kind": "groq", "fault": "slow", "seconds": 2})
    sim.control("POST", "/_sim/faults", {"fault": "stall", "from": 10, "until": 20.5})
    first, second = sim.control("GET", "/_sim/faults")["rules"]
    assert (first["fault"], first["seconds"], first["hits"]) == ("slow", 2, 0)
    assert (second["from"], second["until"], second["model"]) == (10, 20.5, "*")
    assert [rule["fault"] for rule in sim.control("DELETE", f"/_sim/faults?id={first['id']}")["rules"]] == ["stall"]
    assert sim.control("DELETE", "/_sim/faults") == {"rules": []}


def test_a_rule_ends_after_its_times(sim: Running, client: Client) -> None:
    sim.faults({"kind": "groq", "fault": "overloaded", "times": 2})
    assert [client.chat("groq").status_code for _ in range(4)] == [503, 503, 200, 200]
    assert sim.control("GET", "/_sim/faults")["rules"][0]["hits"] == 2


def test_a_rule_lasts_from_until(client: Client) -> None:
    with running(speed=1e-6, limits=False) as sim, Client(sim.url) as asking:
        sim.settings(latency=0)
        sim.faults({"kind": "groq", "fault": "overloaded", "from": 100, "until": 200})
        statuses = []
        for _ in range(4):
            statuses.append(asking.chat("groq").status_code)
            sim.advance(75)
        assert statuses == [200, 200, 503, 200]


def test_rules_may_name_a_model_a_key_or_an_account(sim: Running, client: Client) -> None:
    sim.faults({"kind": "groq", "model": MODELS["groq"], "account": "spare", "fault": "credits_gone"})
    assert client.chat("groq").status_code == 200
    assert client.chat("groq", secret=key("groq", "spare")).status_code == 402
    assert client.chat("groq", secret=key("groq", "spare"), model="llama-3.1-8b-instant").status_code == 200
    sim.faults({"key": "in-2", "fault": "key_revoked"})
    assert [client.chat(kind, secret=key(kind, number=2)).status_code for kind in KINDS] == [401] * 5


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({}, "fault must be one of"),
        ({"fault": "flood"}, "fault must be one of"),
        ({"fault": "slow", "secs": 1}, "no such field in a rule: secs"),
        ({"fault": "slow", "id": 1}, "no such field in a rule: id"),
        ({"fault": "slow", "seconds": "long"}, "seconds must be a number"),
        ({"fault": "slow", "seconds": -1}, "seconds must be a number"),
        ({"fault": "slow", "times": 1.5}, "times must be a whole number"),
        ({"fault": "slow", "times": True}, "times must be a number"),
        ({"fault": "slow", "probability": 1.1}, "probability must be at most 1"),
        ({"fault": "slow", "kind": "azure"}, "kind must be one of"),
        ({"fault": "rate_limit", "hint": "shout"}, "hint must be one of"),
        ({"fault": "cut", "way": "nicely"}, "way must be one of"),
        ({"fault": "html", "status": 99}, "status must be from 200"),
        ({"fault": "slow", "model": 7}, "model must be text"),
        (7, "a rule is an object"),
    ],
)
def test_a_wrong_rule_is_refused_by_name_and_changes_nothing(sim: Running, rule: Any, word: str) -> None:
    sim.faults({"fault": "slow"})
    with pytest.raises(ValueError, match=word):
        sim.faults({"fault": "stall"}, rule)
    assert [rule["fault"] for rule in sim.control("GET", "/_sim/faults")["rules"]] == ["slow"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/_sim/clock", {"advance": "soon"}),
        ("POST", "/_sim/clock", {"advance": -1}),
        ("POST", "/_sim/clock", {}),
        ("POST", "/_sim/settings", {"speed": 0}),
        ("POST", "/_sim/settings", {"speed": "fast"}),
        ("POST", "/_sim/settings", {"colour": "red"}),
        ("POST", "/_sim/settings", {"limits": "no"}),
        ("POST", "/_sim/settings", {"plans": {"groq": "platinum"}}),
        ("POST", "/_sim/settings", {"plans": {"azure": "free"}}),
        ("POST", "/_sim/reset", {"seed": "x"}),
        ("POST", "/_sim/catalogue", {"kind": "azure"}),
        ("POST", "/_sim/catalogue", {"kind": "groq", "remove": ["nobody"]}),
        ("POST", "/_sim/catalogue", {"kind": "groq", "put": [{"name": "no id"}]}),
        ("POST", "/_sim/catalogue", {"kind": "groq", "put": [{"id": "x", "colour": "red"}]}),
        ("PUT", "/_sim/faults", 7),
        ("GET", "/_sim/ledger?since=x", None),
        ("GET", "/_sim/nothing", None),
        ("PATCH", "/_sim/faults", None),
    ],
)
def test_wrong_orders_are_refused_with_a_reason(sim: Running, method: str, path: str, body: Any) -> None:
    with pytest.raises(ValueError) as refused:
        sim.control(method, path, body)
    assert str(refused.value)


def test_broken_json_is_refused(client: Client) -> None:
    assert client.put("/_sim/faults", content=b"{").status_code == 400


def test_settings_change_together_or_not_at_all(sim: Running) -> None:
    before = sim.settings()
    with pytest.raises(ValueError):
        sim.settings(speed=5, plans={"groq": "platinum"})
    assert sim.settings() == before
    assert sim.settings(plans={"groq/spare": "developer"})["plans"] == {"groq/spare": "developer"}


def test_plans_hold_for_a_kind_or_one_account() -> None:
    with running(speed=1e-6) as sim, Client(sim.url) as client:
        sim.settings(latency=0, plans={"groq/spare": "developer", "openai": "tier2"})
        assert client.chat("groq").headers["x-ratelimit-limit-requests"] == "1000"
        spare = client.chat("groq", secret=key("groq", "spare"))
        assert spare.headers["x-ratelimit-limit-requests"] == "500000"
        assert client.chat("openai").headers["x-ratelimit-limit-tokens"] == "450000"
        sim.settings(limits=False)
        assert "x-ratelimit-limit-requests" not in client.chat("groq").headers


def test_the_catalogue_changes_while_it_runs(sim: Running, client: Client) -> None:
    model = MODELS["openrouter"]
    sim.catalogue(
        "openrouter", put=[{"id": model, "price_in": 0.5, "context": 1_000}, {"id": "new/model", "seconds": 0.2}]
    )
    listed = {entry["id"]: entry for entry in client.fetch("openrouter", "/models").json()["data"]}
    assert (listed[model]["pricing"]["prompt"], listed[model]["context_length"]) == ("0.0000005", 1_000)
    assert client.chat("openrouter", model="new/model").status_code == 200
    sim.catalogue("openrouter", remove=[model])
    assert client.chat("openrouter").status_code == 404
    sim.catalogue("openrouter", put=[{"id": model}])
    assert client.chat("openrouter").status_code == 200
    sim.reset()
    assert client.chat("openrouter", model="new/model").status_code == 400


def test_a_generic_server_with_nothing_loaded_lists_null(sim: Running, client: Client) -> None:
    names = [entry["id"] for entry in client.fetch("generic", "/models").json()["data"]]
    sim.catalogue("generic", remove=names)
    assert client.fetch("generic", "/models").json()["data"] is None


def test_the_ledger_of_a_reset_is_empty(sim: Running, client: Client) -> None:
    client.chat("groq")
    assert len(sim.ledger()) == 1
    sim.reset()
    assert sim.ledger() == []
    client.chat("groq")
    assert [entry["number"] for entry in sim.ledger()] == [1]
