"""The control plane under /_sim/: faults, ledger, clock, settings, catalogue, reset. Plain JSON, no key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any
from urllib.parse import parse_qs

import orjson

from rotation.simulator.catalogue import Model
from rotation.simulator.kinds import KINDS
from rotation.simulator.plans import PLANS
from rotation.simulator.rules import BadRule, read_rules
from rotation.simulator.wire import Line, Scope
from rotation.simulator.world import World

Query = Mapping[str, str]
Action = Callable[[World, Query, Any], Any]
_JSON = (("content-type", "application/json"),)


class BadOrder(ValueError):
    """What is wrong with an order given to the control plane."""


async def answer(world: World, line: Line, scope: Scope) -> None:
    """Does what a request under /_sim/ asks, and says so."""
    method, path = scope["method"], scope["path"]
    query = {name: values[-1] for name, values in parse_qs(scope.get("query_string", b"").decode("latin-1")).items()}
    body = await line.body(64 * 2**20)
    action = _ACTIONS.get((method, path))
    if action is None:
        status, told = (
            404,
            {"error": f"nothing at {method} {path}; there is {', '.join(f'{m} {p}' for m, p in _ACTIONS)}"},
        )
    else:
        try:
            status, told = 200, action(world, query, orjson.loads(body) if body else None)
        except (BadRule, BadOrder, ValueError) as error:
            status, told = 400, {"error": str(error) or "that is not JSON"}
    await _say(line, status, told)


async def nothing_here(line: Line, path: str) -> None:
    """The answer to a path outside every provider."""
    roots = ", ".join(kind.root for kind in KINDS.values())
    await _say(
        line, 404, {"error": f"nothing at {path}; simulated providers live under {roots}, the controls under /_sim/"}
    )


async def _say(line: Line, status: int, told: Any) -> None:
    body = orjson.dumps(told)
    await line.start(status, _JSON, len(body))
    await line.push(body, more=False)


def _list_faults(world: World, query: Query, body: Any) -> Any:
    return {"rules": [rule.told() for rule in world.faults.rules]}


def _put_faults(world: World, query: Query, body: Any) -> Any:
    rules = read_rules(body)
    world.faults.clear()
    world.faults.add(rules)
    return _list_faults(world, query, None)


def _post_faults(world: World, query: Query, body: Any) -> Any:
    world.faults.add(read_rules(body))
    return _list_faults(world, query, None)


def _delete_faults(world: World, query: Query, body: Any) -> Any:
    world.faults.clear(int(query["id"]) if "id" in query else None)
    return _list_faults(world, query, None)


def _ledger(world: World, query: Query, body: Any) -> Any:
    chosen = world.ledger.select(
        since=int(query.get("since", 0)),
        kind=query.get("kind", ""),
        model=query.get("model", ""),
        request_id=query.get("request_id", ""),
    )
    return {"entries": [entry.told() for entry in chosen], "open": world.ledger.open}


def _open(world: World, query: Query, body: Any) -> Any:
    return {"requests": world.ledger.open, "connections": len(world.connections)}


def _reset(world: World, query: Query, body: Any) -> Any:
    wanted = _object(body)
    world.reset(_whole(wanted, "seed"))
    return {"seed": world.seed}


def _clock(world: World, query: Query, body: Any) -> Any:
    clock = world.clock
    return {"now": clock.now, "elapsed": clock.elapsed, "speed": clock.speed, "start": clock.start}


def _advance(world: World, query: Query, body: Any) -> Any:
    wanted = _object(body)
    if set(wanted) != {"advance"}:
        raise BadOrder('send {"advance": seconds}')
    world.clock.advance(_number(wanted, "advance", 0.0))
    return _clock(world, query, None)


def _settings(world: World, query: Query, body: Any) -> Any:
    told = {"seed": world.seed, "speed": world.clock.speed, "latency": world.clock.latency, "limits": world.limits}
    return {**told, "plans": world.plans, "known_plans": PLANS}


def _change(world: World, query: Query, body: Any) -> Any:
    """All of it or nothing. `latency` multiplies every wait of an answer."""
    wanted = _object(body)
    if unknown := set(wanted) - {"speed", "latency", "limits", "plans"}:
        raise BadOrder(f"no such setting: {', '.join(sorted(unknown))}")
    plans = _plans(wanted.get("plans"))
    latency = _number(wanted, "latency", world.clock.latency)
    speed = _number(wanted, "speed", world.clock.speed)
    if not isinstance(wanted.get("limits", True), bool):
        raise BadOrder("limits must be true or false")
    if speed != world.clock.speed:
        world.clock.set_speed(speed)
    world.clock.latency = latency
    world.limits = wanted.get("limits", world.limits)
    world.plans.update(plans)
    return _settings(world, query, None)


def _number(wanted: Mapping[str, Any], name: str, present: float) -> float:
    value = wanted.get(name, present)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise BadOrder(f"{name} must be a number from 0 up")
    return float(value)


def _plans(given: Any) -> dict[str, str]:
    plans = _object(given)
    for who, plan in plans.items():
        known = PLANS.get(who.partition("/")[0])
        if known is None or plan not in known:
            raise BadOrder(f"plans: {who} has no plan {plan!r}; known are {PLANS}")
    return plans


def _catalogue(world: World, query: Query, body: Any) -> Any:
    """{"kind", "remove": [ids], "put": [{"id", ...}]}: a put model of a known id keeps what is not named."""
    wanted = _object(body)
    catalogue = world.catalogues.get(wanted.get("kind", ""))
    if catalogue is None:
        raise BadOrder(f"kind must be one of {', '.join(world.catalogues)}")
    names = {field.name for field in fields(Model)}
    for given in wanted.get("put", ()):
        if not isinstance(given, dict) or not isinstance(given.get("id"), str) or set(given) - names:
            raise BadOrder(f"a model is an object with an id and any of {', '.join(sorted(names))}")
        catalogue.put(replace(catalogue.get(given["id"]) or Model(given["id"]), **given))
    for model_id in wanted.get("remove", ()):
        if catalogue.get(model_id) is None:
            raise BadOrder(f"no such model: {model_id}")
        catalogue.remove(model_id, world.clock.now)
    return {"kind": wanted["kind"], "models": len(catalogue)}


def _object(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise BadOrder("send a JSON object")
    return body


def _whole(wanted: Mapping[str, Any], name: str) -> int | None:
    value = wanted.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadOrder(f"{name} must be a whole number")
    return value


_ACTIONS: Mapping[tuple[str, str], Action] = {
    ("GET", "/_sim/faults"): _list_faults,
    ("PUT", "/_sim/faults"): _put_faults,
    ("POST", "/_sim/faults"): _post_faults,
    ("DELETE", "/_sim/faults"): _delete_faults,
    ("GET", "/_sim/ledger"): _ledger,
    ("GET", "/_sim/open"): _open,
    ("POST", "/_sim/reset"): _reset,
    ("GET", "/_sim/clock"): _clock,
    ("POST", "/_sim/clock"): _advance,
    ("GET", "/_sim/settings"): _settings,
    ("POST", "/_sim/settings"): _change,
    ("POST", "/_sim/catalogue"): _catalogue,
}
