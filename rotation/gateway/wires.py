"""Broken wires as failures: one table from transport errors to what they mean."""

from __future__ import annotations

import errno

import aiohttp
import httpx2

from rotation.core.failures import Failure, FailureKind
from rotation.gateway.resolving import Forbidden


class WireError(Exception):
    """The wire broke; `failure` says how. `clean`: a kept-alive connection was closed before any byte of an answer."""

    def __init__(self, failure: Failure, *, clean: bool = False) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.clean = clean


# The innermost aiohttp or OS error, first match wins -> what it means. Never the error's text: it may hold an address.
WIRE: tuple[tuple[type[BaseException], FailureKind, str], ...] = (
    (aiohttp.ServerDisconnectedError, FailureKind.OVERLOADED, "closed the connection without an answer"),
    (aiohttp.ClientConnectorCertificateError, FailureKind.UNREACHABLE, "its certificate is not valid"),
    (aiohttp.ClientConnectorSSLError, FailureKind.UNREACHABLE, "TLS could not be set up"),
    (aiohttp.ClientConnectorDNSError, FailureKind.UNREACHABLE, "its name could not be resolved"),
    (aiohttp.ConnectionTimeoutError, FailureKind.UNREACHABLE, "no connection in time"),
    (aiohttp.ClientConnectorError, FailureKind.UNREACHABLE, "no connection"),
    (aiohttp.ServerTimeoutError, FailureKind.TIMED_OUT, "no answer in time"),
    (aiohttp.ClientResponseError, FailureKind.OVERLOADED, "answered something that is not HTTP"),
    (aiohttp.ClientPayloadError, FailureKind.OVERLOADED, "broke off in the middle of its answer"),
    (aiohttp.InvalidURL, FailureKind.UNREACHABLE, "its address is not a valid URL"),
    (aiohttp.NonHttpUrlClientError, FailureKind.UNREACHABLE, "its address is not a valid URL"),
    (httpx2.InvalidURL, FailureKind.UNREACHABLE, "its address is not a valid URL"),
    (aiohttp.ClientOSError, FailureKind.OVERLOADED, "reset the connection"),
    (aiohttp.ClientError, FailureKind.OVERLOADED, "the connection failed"),
    (OSError, FailureKind.OVERLOADED, "the connection failed"),
)


def wire_error(error: BaseException, *, reused: bool = False) -> WireError:
    """What a transport error means, judged by its innermost cause; `reused`: met on a kept-alive connection."""
    cause = error.__cause__ if isinstance(error, httpx2.HTTPError) and error.__cause__ else error
    if isinstance(cause, aiohttp.ClientConnectorError) and isinstance(cause.os_error, Forbidden):
        return WireError(Failure(FailureKind.UNREACHABLE, "its name leads to an address it may not live at"))
    for kind, failure, words in WIRE:
        if isinstance(cause, kind):
            return WireError(Failure(failure, words), clean=reused and _closed(cause))
    return WireError(Failure(FailureKind.OVERLOADED, "the connection failed"))


def _closed(cause: BaseException) -> bool:
    """The other side had gone, and it was not a new connection that failed."""
    if isinstance(cause, aiohttp.ServerDisconnectedError | ConnectionResetError | BrokenPipeError):
        return True
    gone = isinstance(cause, aiohttp.ClientOSError) and cause.errno in (errno.ECONNRESET, errno.EPIPE)
    return gone and not isinstance(cause, aiohttp.ClientConnectorError)
