"""A provider's name leads only where that provider may live, whatever it resolves to."""

from __future__ import annotations

import asyncio
from socket import AF_INET, AF_INET6
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from rotation.core.failures import FailureKind
from rotation.core.targets import Provider
from rotation.gateway.resolving import Forbidden, Judged
from rotation.gateway.upstream import Upstream
from rotation.gateway.wires import WireError
from tests.cast import Offer
from tests.gateway.scripted import ask, gate_for, message, whole
from tests.gateway.test_upstream import Wire, server, to

PUBLIC, LOOPBACK, PRIVATE = "93.184.216.34", "127.0.0.1", "10.0.0.7"
DENIED = ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1%eth0", "100.100.100.200",
          "224.0.0.1", "64:ff9b::a9fe:a9fe"]  # fmt: skip


class Told(AbstractResolver):
    """Resolves every name to what the test says, and counts how often it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0

    async def resolve(self, host: str, port: int = 0, family: Any = AF_INET) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=address, port=port, proto=0, flags=0,
                          family=AF_INET6 if ":" in address else AF_INET)
            for address in self.addresses
        ]  # fmt: skip

    async def close(self) -> None:
        return


def provider(kind: str = "generic", *, simulated: bool = False, **options: Any) -> Provider:
    return Provider(1, "p", kind, "https://Models.example./v1", simulated=simulated, options=options)


def resolved(told: Told, *providers: Provider) -> list[str]:
    judged = Judged(told)
    judged.adopt(providers)
    return [one["host"] for one in asyncio.run(judged.resolve("models.example", 443))]


@pytest.mark.parametrize("address", DENIED)
@pytest.mark.parametrize(
    "who", [provider(local=True), provider(simulated=True), provider("openai")], ids=["local", "simulated", "openai"]
)
def test_no_provider_s_name_leads_to_a_metadata_service(who: Provider, address: str) -> None:
    with pytest.raises(Forbidden):
        resolved(Told(address), who)
    assert resolved(Told(address, PUBLIC), who) == [PUBLIC]


@pytest.mark.parametrize(
    ("who", "kept"),
    [
        ((), [PUBLIC]),
        ((provider("openai", local=True),), [PUBLIC]),
        ((provider(),), [PUBLIC, LOOPBACK]),
        ((provider(local=True),), [PUBLIC, LOOPBACK, PRIVATE]),
        ((provider("openai"), provider(local=True)), [PUBLIC, LOOPBACK, PRIVATE]),
    ],
    ids=["unknown", "public kind", "generic", "local", "shared"],
)
def test_how_far_a_name_may_lead_is_its_provider_s_affair(who: tuple[Provider, ...], kept: list[str]) -> None:
    assert resolved(Told(PUBLIC, LOOPBACK, PRIVATE), *who) == kept


def test_nothing_is_sent_to_a_name_that_leads_astray_and_the_reason_is_said() -> None:
    async def play(wire: Wire) -> None:
        await wire.request()

    async def story() -> None:
        async with server(play) as there:
            upstream = Upstream(Judged(Told(LOOPBACK)))
            with pytest.raises(WireError) as broken:
                await upstream.send(to(there.port, host="models.example"), connect=1.0)
            await upstream.close()
            assert broken.value.failure.kind is FailureKind.UNREACHABLE
            assert broken.value.failure.message == "its name leads to an address it may not live at"
            assert there.wires == []

    asyncio.run(story())


def test_a_kept_connection_asks_no_resolver() -> None:
    async def play(wire: Wire) -> None:
        while True:
            await wire.request()
            await wire.say(whole(message()).replace(b"connection: close\r\n", b""))

    async def story() -> None:
        told = Told(LOOPBACK)
        async with server(play) as there:
            url = f"http://models.example:{there.port}/v1"
            async with gate_for(Offer("generic", "m", base_url=url)) as gate:
                gate.upstream.resolver._inner = told
                for _ in range(20):
                    assert (await ask(gate))[0] == 200
                assert (told.asked, len(there.wires)) == (1, 1)

    asyncio.run(story())
