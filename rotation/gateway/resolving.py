"""Where a provider's name leads, judged before anything is connected to.

A base URL is judged by its words when it is entered; what a name resolves to can be anything, and another thing an hour
later. Only addresses a provider may live at are handed on, so that a name cannot lead a call, and the key in it, to the
metadata service of a cloud, to this machine or into its network. Asked once a minute per name, never for a connection
that is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import ip_address
from socket import AF_INET, AddressFamily
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from rotation.addresses import Reach, may_reach, verdict
from rotation.core.targets import Provider

ANYBODY = frozenset({Reach.PUBLIC})


class Forbidden(OSError):
    """A name leads to no address that its provider may live at."""


class Judged(AbstractResolver):
    """A resolver that forgets what must not be reached. Names nobody told of lead to public addresses only."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner  # the system's own is made on the loop that asks
        self._reach: dict[str, frozenset[Reach]] = {}

    def adopt(self, providers: Iterable[Provider]) -> None:
        """How far each provider's name may lead; as far as any of them may, where several share one."""
        found: dict[str, frozenset[Reach]] = {}
        for provider in providers:
            host = (urlsplit(provider.base_url).hostname or "").rstrip(".")
            reach = may_reach(provider.kind, provider.options, simulated=provider.simulated)
            found[host] = found.get(host, frozenset()) | reach
        self._reach.update(found)  # calls that run may still be on their way to one that was taken out

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        """Raises OSError; `Forbidden` where the name is known and leads nowhere it may."""
        if self._inner is None:
            self._inner = ThreadedResolver()
        found = await self._inner.resolve(host, port, family)
        reach = self._reach.get(host.lower().rstrip("."), ANYBODY)
        kept = [one for one in found if _fit(one["host"], reach)]
        if not kept:
            raise Forbidden(f"{host} leads to no address this provider may live at")
        return kept

    async def close(self) -> None:
        if self._inner is not None:
            await self._inner.close()


def _fit(address: str, reach: Collection[Reach]) -> bool:
    try:
        return verdict(ip_address(address.split("%", 1)[0])) in reach
    except ValueError:
        return False
