"""Between Django and `accept`: who asks, what was sent, and the reply as Django's. It decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from rotation.gateway import accept, life, paths, wishes
from rotation.gateway.clients import Client, identify
from rotation.gateway.gate import Gate
from rotation.gateway.reply import Reply, Whole


async def answered(request: HttpRequest) -> HttpResponseBase:
    """An operation that takes JSON."""
    opened = await life.borrow()
    try:
        client = entered(request, opened.gate)
        operation = paths.PLAIN[request.path]
        reply = await accept.plain(opened.gate, client, operation, body(request), wished(request))
    except BaseException:
        await opened.close()
        raise
    return await delivered(reply, opened)


def entered(request: HttpRequest, gate: Gate) -> Client:
    """Who calls, or the refusal."""
    credential = request.META.get("HTTP_AUTHORIZATION")
    given = [credential.encode("latin-1", "replace")] if credential is not None else []
    return identify(given, gate.snapshot.clients, settings.ROTATION_PEPPER.encode())


def body(request: HttpRequest) -> bytes:
    """The body, if it is not too large to be read."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if told.isdigit() and int(told) > settings.ROTATION_MAX_BODY:
        raise paths.too_large()
    return request.body


def wished(request: HttpRequest) -> dict[str, str]:
    """What the client asks in its headers."""
    return {name: request.headers[name] for name in wishes.HEADERS if name in request.headers}


def made(reply: Reply) -> HttpResponse:
    """A reply that cannot be a stream."""
    assert isinstance(reply, Whole)
    return plain(reply)


def plain(reply: Whole) -> HttpResponse:
    response = HttpResponse(reply.body, status=reply.status)
    for name, value in reply.headers.items():
        response[name] = value
    return response


async def delivered(reply: Reply, opened: life.Borrowed) -> HttpResponseBase:
    """The reply as Django's; a borrowed gate is given back when the last byte is out."""
    if isinstance(reply, Whole):
        await opened.close()
        return plain(reply)

    async def chunks() -> AsyncIterator[bytes]:
        try:
            async for chunk in reply.chunks:
                yield chunk
        finally:
            await reply.chunks.aclose()
            await opened.close()

    response = StreamingHttpResponse(chunks(), status=reply.status)
    for name, value in reply.headers.items():
        response[name] = value
    return response
