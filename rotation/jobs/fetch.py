"""The worker's own way to a provider: one GET for a listing or a key check, which cost nothing. No calls go this way.

No redirects, no proxies or credentials from the environment, no cookies, an answer of at most 32 MiB within 30 s.
The address a name resolves to is judged before it is connected to, and connected to as judged.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address

import httpx2

from rotation.addresses import Reach, may_reach, verdict
from rotation.models import Provider
from rotation.providers.base import Outgoing

CAP = 32 * 1024 * 1024
TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
TOTAL = 30.0


class Cause(StrEnum):
    """What was wrong with the way there or back."""

    DNS = "dns"
    ADDRESS = "address"
    CONNECTION = "connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    TOO_LARGE = "too_large"


class FetchFailed(Exception):
    """No whole answer; the message is one line, without address or secret."""

    def __init__(self, words: str, cause: Cause = Cause.BROKEN) -> None:
        super().__init__(words)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Reply:
    """Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def allowed(provider: Provider) -> frozenset[Reach]:
    """Where a provider may live, by the rules its base URL was accepted under."""
    return may_reach(provider.kind, provider.options, simulated=provider.simulated)


def fetch(outgoing: Outgoing, reach: Collection[Reach], *, cap: int = CAP, total: float = TOTAL) -> Reply:
    """Sends it and reads the whole answer, whatever its status. Raises FetchFailed."""
    url = httpx2.URL(outgoing.url)
    until = time.monotonic() + total
    addresses = _resolved(url.host, url.port or (443 if url.scheme == "https" else 80), reach)
    with httpx2.Client(trust_env=False, follow_redirects=False, timeout=TIMEOUT) as client:
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return _ask(client, outgoing, url, address, cap, until)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                if last == 0:
                    raise _unconnected(error) from None
            except httpx2.TimeoutException:
                raise FetchFailed("no answer in time", Cause.TIMEOUT) from None
            except httpx2.HTTPError as error:
                raise FetchFailed(f"no answer ({type(error).__name__})") from None
    raise FetchFailed("its name leads to an address this provider may not live at", Cause.ADDRESS)


def _unconnected(error: BaseException) -> FetchFailed:
    """Why there is no connection: refused, silent, or no trust in the certificate."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            why = f": {seen.verify_message}" if isinstance(seen, ssl.SSLCertVerificationError) else ""
            return FetchFailed(f"no trusted connection (TLS){why}", Cause.TLS)
        seen = seen.__cause__ or seen.__context__
    slow = isinstance(error, httpx2.ConnectTimeout)
    return FetchFailed("no connection", Cause.TIMEOUT if slow else Cause.CONNECTION)


def _ask(client: httpx2.Client, outgoing: Outgoing, url: httpx2.URL, address: str, cap: int, until: float) -> Reply:
    headers = {**outgoing.headers, "host": url.netloc.decode("ascii")}
    there, name = url.copy_with(host=address), {"sni_hostname": url.host}
    with client.stream(
        outgoing.method, there, headers=headers, content=outgoing.body or None, extensions=name
    ) as response:
        body = _read(response, cap, until)
        return Reply(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)


def _read(response: httpx2.Response, cap: int, until: float) -> bytes:
    parts, size = [], 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > cap:
            raise FetchFailed(f"answered more than {cap // 2**20} MiB", Cause.TOO_LARGE)
        if time.monotonic() > until:
            raise FetchFailed("no whole answer in time", Cause.TIMEOUT)
    return b"".join(parts)


def _resolved(host: str, port: int, reach: Collection[Reach]) -> list[str]:
    """The addresses of the name that may be connected to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchFailed("its name could not be resolved", Cause.DNS) from None
    addresses = dict.fromkeys(str(entry[4][0]).split("%", 1)[0] for entry in found)
    return [address for address in addresses if verdict(ip_address(address)) in reach]
