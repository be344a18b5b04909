"""Who answers in the place of a model that is gone, where the operator wants that: never silently, never for vectors.

Which model may do so says `core/likeness`; here it meets what is on offer and has keys.
"""

from __future__ import annotations

from dataclasses import replace

from rotation.core.failures import TABLE, FailureKind
from rotation.core.likeness import successor
from rotation.core.rotation import GiveUp, Rotation
from rotation.core.selection import select
from rotation.gateway.call import Call
from rotation.gateway.entry import Entry
from rotation.gateway.gate import Gate
from rotation.gateway.names import Gone, gone
from rotation.gateway.snapshot import Route, Snapshot

SWITCH = "answer_from_successor"
WORDS = TABLE[FailureKind.MODEL_GONE].words


def route_of(snapshot: Snapshot, call: Call) -> Route:
    """Where the call may go; its successor's place where its model is gone. Raises `Refusal`."""
    try:
        return call.task.route(snapshot, call)
    except Gone:
        found = heir(snapshot, call, call.asked)
        if found is None:
            raise
        return found


def heir(snapshot: Snapshot, call: Call, name: str, without: frozenset[int] = frozenset()) -> Route | None:
    """The way to the successor of what `name` means; None when there is none or none is wanted.

    `without`: deployments that are known to be gone, beside those the snapshot knows of.
    """
    if snapshot.switches.get(SWITCH) is not True or not call.task.replaceable or call.client.internal:
        return None
    base, strategy = snapshot.split(name)
    away = snapshot.gone | without
    living = [d for i in sorted(snapshot.here - away) if (d := snapshot.deployments.get(i)) is not None]
    for was in (snapshot.deployments[i] for i in snapshot.names.get(base, ())):
        if (found := successor(was, living)) is not None:
            ids = tuple(i for i in snapshot.names[found.model] if i not in away)
            why = f"'{name}' is gone, '{found.model}' answers in its place"
            route = Route("", ids, why=why, successor=(name, found.model))
            return replace(route, strategy=strategy) if strategy else route
    return None


def discovered(gate: Gate, entry: Entry, end: GiveUp) -> frozenset[int]:
    """The deployments of a model asked by name, when by now all of them turned out to be gone; else none."""
    route, candidates = entry.route, entry.candidates
    if route.pool or route.successor or not candidates:
        return frozenset()
    told = {target.deployment.id for target, failure in end.failures if failure.kind is FailureKind.MODEL_GONE}
    away = told | {c.target.deployment.id for c in candidates if c.standing.why == WORDS} | gate.snapshot.gone
    ids = frozenset(c.target.deployment.id for c in candidates)
    return ids if ids <= away else frozenset()


def go_on(gate: Gate, entry: Entry, gone_ids: frozenset[int]) -> Rotation | None:
    """The rest of this call's way, through the successor; None when there is none."""
    call = entry.call
    route = heir(gate.snapshot, call, call.asked, gone_ids)
    if route is None:
        return None
    found = select(gate.targets(route, stream=call.stream), call.needs, route.policy, call.task.standing(gate))
    entry.goes_on(route, found)
    return Rotation(found, route.policy, now=gate.now(), deadline=call.deadline, rand=gate.rand)


def told_gone(gate: Gate, entry: Entry, gone_ids: frozenset[int]) -> Gone:
    """404 for a model that turned out to be gone just now."""
    snapshot = gate.snapshot
    living = snapshot.living if not gone_ids else tuple(
        name for name in snapshot.living if not gone_ids.issuperset(snapshot.names.get(name, (0,)))
    )  # fmt: skip
    return gone(entry.call.asked, living)
