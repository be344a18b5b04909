"""The control plane under /_sim/: faults, defects, ledger, clock, settings, catalogue, reset. Plain JSON, no key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any
from urllib.parse import parse_qs

import orjson

from rotation.simulator import orders
from rotation.simulator.catalogue import Model
from rotation.simulator.defects import Defect
from rotation.simulator.kinds import KINDS
from rotation.simulator.plans import PLANS
from rotation.simulator.rules import BadRule, read_rules
from rotation.simulator.wire import Line, Scope
from rotation.simulator.world import World

Query = Mapping[str, str]
Action = Callable[[World, Query, Any], Any]
_JSON = (("content-type", "application/json"),)


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
        except (BadRule, orders.BadOrder, ValueError) as error:
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


def _list_defects(world: World, query: Query, body: Any) -> Any:
    return {"defects": world.hidden.told(), "known_defects": list(Defect)}


def _hide(world: World, query: Query, body: Any) -> Any:
    """{"kind", "model", "defect"}, a list of these, or {"share": 0.2} with a kind or without: the seed chooses."""
    for kind, model, defect, share in orders.defects_of(body, world.catalogues):
        if defect is not None:
            world.hidden.hide(kind, model, defect, world.clock.now)
        else:
            world.hidden.scatter(kind, world.catalogues[kind], share, seed=world.seed, now=world.clock.now)
    return _list_defects(world, query, None)


def _heal(world: World, query: Query, body: Any) -> Any:
    world.hidden.clear()
    return _list_defects(world, query, None)


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
    wanted = orders.object_of(body)
    world.reset(orders.whole(wanted, "seed"))
    return {"seed": world.seed}


def _clock(world: World, query: Query, body: Any) -> Any:
    clock = world.clock
    return {"now": clock.now, "elapsed": clock.elapsed, "speed": clock.speed, "start": clock.start}


def _advance(world: World, query: Query, body: Any) -> Any:
    wanted = orders.object_of(body)
    if set(wanted) != {"advance"}:
        raise orders.BadOrder('send {"advance": seconds}')
    world.clock.advance(orders.number(wanted, "advance", 0.0))
    return _clock(world, query, None)


def _settings(world: World, query: Query, body: Any) -> Any:
    clock = world.clock
    told = {"seed": world.seed, "speed": clock.speed, "latency": clock.latency, "own_calendar": clock.own_calendar}
    return {**told, "limits": world.limits, "plans": world.plans, "known_plans": PLANS}


def _change(world: World, query: Query, body: Any) -> Any:
    """All of it or nothing. `latency` multiplies every wait of an answer."""
    wanted, clock = orders.object_of(body), world.clock
    if unknown := set(wanted) - {"speed", "latency", "own_calendar", "limits", "plans"}:
        raise orders.BadOrder(f"no such setting: {', '.join(sorted(unknown))}")
    plans = orders.plans_of(wanted.get("plans"))
    latency, speed = orders.number(wanted, "latency", clock.latency), orders.number(wanted, "speed", clock.speed)
    limits, own = (
        orders.switch(wanted, "limits", world.limits),
        orders.switch(wanted, "own_calendar", clock.own_calendar),
    )
    if speed != clock.speed:
        clock.set_speed(speed)
    clock.latency, clock.own_calendar, world.limits = latency, own, limits
    world.plans.update(plans)
    return _settings(world, query, None)


def _catalogue(world: World, query: Query, body: Any) -> Any:
    """{"kind", "remove": [ids], "put": [{"id", ...}]}: a put model of a known id keeps what is not named."""
    wanted = orders.object_of(body)
    catalogue = world.catalogues.get(wanted.get("kind", ""))
    if catalogue is None:
        raise orders.BadOrder(f"kind must be one of {', '.join(world.catalogues)}")
    names = {field.name for field in fields(Model)}
    for given in wanted.get("put", ()):
        if not isinstance(given, dict) or not isinstance(given.get("id"), str) or set(given) - names:
            raise orders.BadOrder(f"a model is an object with an id and any of {', '.join(sorted(names))}")
        catalogue.put(replace(catalogue.get(given["id"]) or Model(given["id"]), **given))
    for model_id in wanted.get("remove", ()):
        if catalogue.get(model_id) is None:
            raise orders.BadOrder(f"no such model: {model_id}")
        catalogue.remove(model_id, world.clock.now)
    return {"kind": wanted["kind"], "models": len(catalogue)}


_ACTIONS: Mapping[tuple[str, str], Action] = {
    ("GET", "/_sim/faults"): _list_faults,
    ("PUT", "/_sim/faults"): _put_faults,
    ("POST", "/_sim/faults"): _post_faults,
    ("DELETE", "/_sim/faults"): _delete_faults,
    ("GET", "/_sim/defects"): _list_defects,
    ("POST", "/_sim/defects"): _hide,
    ("DELETE", "/_sim/defects"): _heal,
    ("GET", "/_sim/ledger"): _ledger,
    ("GET", "/_sim/open"): _open,
    ("POST", "/_sim/reset"): _reset,
    ("GET", "/_sim/clock"): _clock,
    ("POST", "/_sim/clock"): _advance,
    ("GET", "/_sim/settings"): _settings,
    ("POST", "/_sim/settings"): _change,
    ("POST", "/_sim/catalogue"): _catalogue,
}
