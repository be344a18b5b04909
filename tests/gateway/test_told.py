"""What a client is told of a failed call: our own words, never a provider's text, which may hold anything."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rotation.core.failures import FailureKind
from rotation.core.selection import NEVER
from rotation.gateway.snapshot import Block
from tests.cast import Offer
from tests.gateway.scripted import NOWHERE, ask, gate_for, pages, upstream, whole

INSIDE = "cannot reach http://10.1.2.3:8000/internal"
FAULTS = [(500, None), (401, "invalid_api_key"), (404, "model_not_found"), (429, "insufficient_quota"), (403, None)]


@pytest.mark.parametrize(("status", "code"), FAULTS)
def test_a_providers_own_text_reaches_the_operator_and_not_the_client(status: int, code: str | None) -> None:
    async def refuse(writer: asyncio.StreamWriter) -> None:
        writer.write(whole({"error": {"message": INSIDE, "code": code}}, status))

    async def story() -> None:
        async with upstream(refuse) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            for _ in range(2):
                _, body, refusal = await ask(gate, "900")
                assert refusal is not None
                assert refusal.status >= 429
                assert "10.1.2.3" not in str(body)
                assert body["error"]["candidates"][0]["why"]
            assert "10.1.2.3" in str(pages(gate)[0])

    asyncio.run(story())


def test_why_a_target_is_out_of_service_is_the_operators_to_know() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            gate.adopt(
                replace(gate.snapshot, blocks=[Block("deployment:1", NEVER, FailureKind.MODEL_GONE, f"gone: {INSIDE}")])
            )
            _, body, _ = await ask(gate)
            assert body["error"]["candidates"] == [
                {"target": "sim-generic/m", "state": "benched", "why": "out of service", "until": None}
            ]
            assert "10.1.2.3" in str(pages(gate)[0]["trace"])

    asyncio.run(story())
