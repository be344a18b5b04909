"""`/v1/models`: the names a client may ask for, in OpenAI's shape: pools, then every deployment that may be called."""

from __future__ import annotations

from typing import Any

import orjson

from rotation.gateway.clients import Client
from rotation.gateway.snapshot import Snapshot


def listing(snapshot: Snapshot, client: Client) -> bytes:
    """`{object: "list", data: [...]}`."""
    return orjson.dumps({"object": "list", "data": list(_offers(snapshot, client).values())})


def one(snapshot: Snapshot, client: Client, name: str) -> bytes:
    """One entry of the list. Raises `Refusal` (404, with near names, or 403)."""
    offer = _offers(snapshot, client).get(name)
    if offer is None:
        route = snapshot.route(name, (), client)  # a bare model id, or the refusal that says what is wrong
        offer = _offer(name, "rotation" if route.pool else _owner(snapshot, route.deployments[0]))
    return orjson.dumps(offer)


def _offers(snapshot: Snapshot, client: Client) -> dict[str, dict[str, Any]]:
    pools = [name for name in snapshot.pools if not client.pools or name in client.pools]
    offers = {name: _offer(name, "rotation") for name in pools}
    if client.pools:
        return offers
    for deployment in snapshot.deployments.values():
        if deployment.id in snapshot.here:
            provider = snapshot.providers[deployment.provider]
            name = f"{provider.name}/{deployment.model}"
            offers[name] = {**_offer(name, provider.name), "context_length": deployment.context}
    return offers


def _owner(snapshot: Snapshot, deployment: int) -> str:
    return snapshot.providers[snapshot.deployments[deployment].provider].name


def _offer(name: str, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}
