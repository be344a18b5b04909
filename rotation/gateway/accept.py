"""From a client's bytes to a `Call`, for every door alike; what is turned down leaves a page in the journal too."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rotation.gateway import wishes
from rotation.gateway.call import Asked, Call, read
from rotation.gateway.clients import Client
from rotation.gateway.complete import complete
from rotation.gateway.entry import uuid7
from rotation.gateway.envelope import Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.grounds import needs_record
from rotation.gateway.reply import Reply

NONE: Mapping[str, str] = {}


async def chat(gate: Gate, client: Client, body: bytes, told: Mapping[str, str] = NONE) -> Reply:
    """A chat completion. `told` are the headers of `wishes`. Raises `Refusal`, which names the request."""
    at, started = time.time(), gate.now()
    request = uuid7(at)
    asked: Asked | None = None
    try:
        asked = read(body)
        wished = wishes.read(told)
        ends = started + (wished.seconds or wishes.TOTAL)
        call = Call(request, at, started, ends, client, asked.model, asked.models, asked.payload, asked.needs,
                    asked.stream, asked.wants_usage, wishes=wished)  # fmt: skip
        return await complete(gate, call)
    except Refusal as refusal:
        if "x-request-id" in refusal.headers:  # it was accepted, and its page is written
            raise
        gate.write(_page(request, at, client, asked, refusal, (gate.now() - started) * 1000))
        headers = {"x-request-id": request, **refusal.headers}
        raise Refusal(
            refusal.status, refusal.message, refusal.code, refusal.param, refusal.type, headers, refusal.more
        ) from None


def _page(
    request: str, at: float, client: Client, asked: Asked | None, refusal: Refusal, took: float
) -> dict[str, object]:
    """The journal line of a call that never set out."""
    return {
        "t": "call", "id": request, "at": at, "client": client.id, "op": "chat", "asked": asked.model if asked else "",
        "pool": "", "stream": asked.stream if asked else False, "status": refusal.status, "outcome": "refused",
        "failure": "bad_request", "provider": None, "deployment": None, "key": None, "model": "", "queue_ms": took,
        "first_ms": None, "total_ms": took, "lost_ms": 0.0, "tokens_in": 0, "tokens_out": 0, "estimated": False,
        "cost": None, "simulated": False, "error": refusal.message, "trace": [], "attempts": [],
        "needs": needs_record(asked.needs if asked else None), "policy": {},
    }  # fmt: skip
