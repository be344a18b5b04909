"""From what a call asks for to where it may go: the names it gives, the pictures it holds, the wishes in its headers.

Who of them is healthy is not known here; in which order they are tried neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rotation.gateway import alternatives
from rotation.gateway.call import Call
from rotation.gateway.envelope import Refusal, invalid
from rotation.gateway.names import near_names
from rotation.gateway.snapshot import POOL_PREFIX, Route, Snapshot, chained
from rotation.gateway.wishes import EXCLUDE, PIN, Wishes

AUTO = "auto"
VISION = "vision"


def meant(snapshot: Snapshot, call: Call) -> Route:
    """Where this call may go. Raises `Refusal`: 400, 403 or 404, naming the model or the header."""
    route = alternatives.route_of(snapshot, call)
    if call.needs.images and not call.wishes.pin:
        route = _seeing(snapshot, call, route)
    return _narrowed(snapshot, call, route) if call.wishes.pin or call.wishes.exclude else route


def _seeing(snapshot: Snapshot, call: Call, route: Route) -> Route:
    """Pictures and `auto` mean the pool `vision`, where there is one that the client may use and that has keys."""
    name, strategy = snapshot.split(call.asked)
    pool = snapshot.pools.get(VISION)
    allowed = not call.client.pools or VISION in call.client.pools
    if name.removeprefix(POOL_PREFIX) != AUTO or route.pool != AUTO or pool is None or not allowed:
        return route
    if not any(snapshot.targets.get(p.deployment) for p in pool.placements):
        return route
    found = snapshot.route(f"{VISION}:{strategy}" if strategy else VISION, (), call.client)
    found = replace(found, why=f"the messages hold images, so '{AUTO}' means '{VISION}'")
    return chained((found, *route.members[1:])) if route.members else found


def _narrowed(snapshot: Snapshot, call: Call, route: Route) -> Route:
    """The route without whom the client excludes, and with no one but whom it pins."""
    if not route.deployments:
        return route
    wishes = call.wishes
    pinned = [i for i in route.deployments if not wishes.pin or _is_one_of(snapshot, i, wishes.pin)]
    if not pinned:
        raise _nobody_pinned(snapshot, call, wishes)
    kept = frozenset(i for i in pinned if not _is_one_of(snapshot, i, wishes.exclude))
    if not kept:
        left = f"The header '{EXCLUDE}' leaves none of the models that '{call.asked}' stands for."
        raise invalid(left, param=EXCLUDE, code="nothing_left")
    return _only(route, kept)


def _only(route: Route, kept: frozenset[int]) -> Route:
    return replace(
        route,
        deployments=tuple(i for i in route.deployments if i in kept),
        members=tuple(_only(member, kept) for member in route.members),
    )


def _is_one_of(snapshot: Snapshot, deployment: int, names: Iterable[str]) -> bool:
    """Whether one of the names is its provider's, its model's, or both."""
    offer = snapshot.deployments.get(deployment)
    if offer is None:
        return False
    provider = snapshot.providers[offer.provider].name
    return not {provider, offer.model, f"{provider}/{offer.model}"}.isdisjoint(names)


def _nobody_pinned(snapshot: Snapshot, call: Call, wishes: Wishes) -> Refusal:
    """404 for names that are not known here, 400 for known ones that the call's model does not reach.

    A client limited to pools is not told which names are known.
    """
    names, here = ", ".join(wishes.pin), f"the models that '{call.asked}' stands for"
    if call.client.pools or _known(snapshot, wishes.pin):
        hint = "" if call.client.pools else " Ask for it as 'model'."
        return invalid(f"'{names}' in '{PIN}' is not among {here}.{hint}", param=PIN, code="pin_not_in_model")
    near = near_names(wishes.pin[0], (*(p.name for p in snapshot.providers.values()), *snapshot.living))
    hint = f" Near it: {', '.join(near)}." if near else ""
    return Refusal(404, f"'{names}' in '{PIN}' is not known here.{hint}", "pin_not_found", PIN)


def _known(snapshot: Snapshot, names: Sequence[str]) -> bool:
    providers = {provider.name for provider in snapshot.providers.values()}
    return any(name in providers or name in snapshot.names for name in names)
