"""From a client's bytes to a `Call`, for every door alike; what is turned down leaves a page in the journal too."""

from __future__ import annotations

import time

from rotation.gateway.call import Asked, Call, read
from rotation.gateway.clients import Client
from rotation.gateway.complete import complete
from rotation.gateway.entry import uuid7
from rotation.gateway.envelope import Refusal, invalid
from rotation.gateway.gate import Gate
from rotation.gateway.grounds import needs_record
from rotation.gateway.reply import Reply

TOTAL = 600.0  # seconds a call may take when its client names no deadline


async def chat(gate: Gate, client: Client, body: bytes, deadline: str | None = None) -> Reply:
    """A chat completion. `deadline` is the client's `x-deadline-ms`. Raises `Refusal`, which names the request."""
    at, started = time.time(), gate.now()
    request = uuid7(at)
    asked: Asked | None = None
    try:
        asked = read(body)
        ends = started + seconds_allowed(deadline)
        call = Call(request, at, started, ends, client, asked.model, asked.models, asked.payload, asked.needs,
                    asked.stream, asked.wants_usage)  # fmt: skip
        return await complete(gate, call)
    except Refusal as refusal:
        if "x-request-id" in refusal.headers:  # it was accepted, and its page is written
            raise
        gate.write(_page(request, at, client, asked, refusal, (gate.now() - started) * 1000))
        headers = {"x-request-id": request, **refusal.headers}
        raise Refusal(
            refusal.status, refusal.message, refusal.code, refusal.param, refusal.type, headers, refusal.more
        ) from None


def seconds_allowed(deadline: str | None) -> float:
    """The client's deadline in seconds, at most ten minutes."""
    if deadline is None:
        return TOTAL
    if not deadline.isascii() or not deadline.isdigit() or int(deadline[:12]) < 1:
        raise invalid(
            "The header 'x-deadline-ms' must be a whole number of milliseconds from 1.", param="x-deadline-ms"
        )
    return min(int(deadline[:12]) / 1000, TOTAL)


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
