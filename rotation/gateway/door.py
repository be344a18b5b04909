"""The express lane: plain ASGI in front of everything, for `/v1` and the health pages.

It checks the bearer key from memory before the body is read and the body's size while it is read, hands the bytes
to `accept`, and writes the reply. It decides nothing. What is not its own goes to the next application.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import orjson
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from rotation.gateway import accept, models
from rotation.gateway.clients import Client, identify
from rotation.gateway.envelope import JSON, Refusal
from rotation.gateway.life import Life
from rotation.gateway.reply import Reply, Streamed, Whole

log = logging.getLogger("rotation.gateway")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_HEADERS = 100
HEADER_BYTES = 32 * 1024
ROUTES: Mapping[str, tuple[str, ...]] = {"/v1/chat/completions": ("POST",), "/v1/models": ("GET",)}
HEALTH = ("/healthz", "/readyz")


class Gone(Exception):
    """The client hung up before its body was read."""


class Door:
    """ASGI application. `life` holds the gate from start-up to shutdown."""

    def __init__(self, next_app: App, life: Life) -> None:
        self.next_app, self.life = next_app, life

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.life.lifespan(receive, send)
        elif scope["type"] != "http":
            await self.next_app(scope, receive, send)
        elif scope["path"] == "/v1" or scope["path"].startswith("/v1/"):
            await self._serve(scope, receive, send)
        elif scope["path"] in HEALTH:
            await _write(send, self._health(scope["path"]))
        else:
            await self.next_app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._answer(scope, receive)
        except Gone:
            return
        except asyncio.CancelledError:
            if self.life.stopping:
                raise
            return  # the client hung up, and the call has said so
        except Refusal as refusal:
            reply = rendered(refusal)
        except Exception:
            log.exception("an error of our own")
            reply = rendered(Refusal(500, "An internal error; it has been logged.", "internal_error"))
        await _deliver(reply, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        gate = self.life.gate
        if gate is None:
            raise Refusal(
                503, "The gateway is starting; try again in a moment.", "starting", headers={"retry-after": "1"}
            )
        headers = scope["headers"]
        _check_headers(headers)
        client = identify(
            [v for k, v in headers if k == b"authorization"], gate.snapshot.clients, settings.ROTATION_PEPPER.encode()
        )
        allowed = ("GET",) if scope["path"].startswith("/v1/models/") else ROUTES.get(scope["path"])
        if allowed is None:
            what = _shown(scope["path"])
            raise Refusal(404, f"There is no {what}. GET /v1/models and POST /v1/chat/completions are here.",
                          "unknown_url")  # fmt: skip
        if scope["method"] not in allowed:
            raise Refusal(405, f"Use {' or '.join(allowed)} for {_shown(scope['path'])}.", "method_not_allowed",
                          headers={"allow": ", ".join(allowed)})  # fmt: skip
        if scope["method"] == "GET":
            return self._models(scope["path"], client)
        body = await _body(headers, receive)
        deadline = next((v.decode("latin-1") for k, v in headers if k == b"x-deadline-ms"), None)
        return await _unless_gone(accept.chat(gate, client, body, deadline), receive)

    def _models(self, path: str, client: Client) -> Whole:
        assert self.life.gate is not None
        snapshot = self.life.gate.snapshot
        if path == "/v1/models":
            return Whole(200, {"content-type": JSON}, models.listing(snapshot, client))
        return Whole(
            200, {"content-type": JSON}, models.one(snapshot, client, unquote(path.removeprefix("/v1/models/")))
        )

    def _health(self, path: str) -> Whole:
        if path == "/healthz":
            return Whole(200, {"content-type": JSON}, b'{"status":"ok"}')
        ready = self.life.gate is not None and not self.life.stopping
        body = {"status": "ok" if ready else "starting", "degraded": self.life.degraded}
        return Whole(200 if ready else 503, {"content-type": JSON}, orjson.dumps(body))


def _check_headers(headers: list[tuple[bytes, bytes]]) -> None:
    if len(headers) > MOST_HEADERS or sum(len(k) + len(v) for k, v in headers) > HEADER_BYTES:
        raise Refusal(
            431, f"Send at most {MOST_HEADERS} headers of {HEADER_BYTES // 1024} KiB in all.", "headers_too_large"
        )
    hosts = [v for k, v in headers if k == b"host"]
    if len(hosts) != 1 or not _known_host(hosts[0]):
        raise Refusal(400, "This host name is not served here; add it to ALLOWED_HOSTS.", "unknown_host")


@lru_cache(maxsize=256)
def _known_host(host: bytes) -> bool:
    domain, _ = split_domain_port(host.decode("latin-1"))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _shown(path: str) -> str:
    """A path from outside, fit for a message."""
    return path[:100] if path.isprintable() else "such path"


async def _body(headers: list[tuple[bytes, bytes]], receive: Receive) -> bytes:
    """The body, counted while it comes. Raises `Refusal` (413) or `Gone`."""
    most: int = settings.ROTATION_MAX_BODY
    told = next((v for k, v in headers if k == b"content-length"), b"0")
    size, chunks = 0, []
    while size <= most and not (told.isdigit() and int(told) > most):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    raise Refusal(
        413, f"The body is larger than {most // 2**20} MiB.", "request_too_large", headers={"connection": "close"}
    )


async def _unless_gone(work: Awaitable[Reply], receive: Receive) -> Reply:
    """The work's outcome; cancelled when the client hangs up meanwhile."""
    task = asyncio.current_task()
    assert task is not None
    watcher = asyncio.ensure_future(_hang_up(receive, task))
    try:
        return await work
    finally:
        watcher.cancel()


async def _hang_up(receive: Receive, task: asyncio.Task[Any]) -> None:
    """Cancel the task when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    task.cancel()


async def _deliver(reply: Reply, receive: Receive, send: Send) -> None:
    if isinstance(reply, Whole):
        await _write(send, reply)
        return
    task = asyncio.current_task()
    assert task is not None
    watcher = asyncio.ensure_future(_hang_up(receive, task))
    try:
        await send(_start(reply))
        async for chunk in reply.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        log.debug("a client hung up in mid-stream")
    finally:
        watcher.cancel()
        await reply.chunks.aclose()


async def _write(send: Send, reply: Whole) -> None:
    await send(_start(reply, len(reply.body)))
    await send({"type": "http.response.body", "body": reply.body})


def _start(reply: Whole | Streamed, length: int | None = None) -> dict[str, Any]:
    headers = [(k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in reply.headers.items()]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def rendered(refusal: Refusal) -> Whole:
    """A refusal as an answer in OpenAI's envelope."""
    return Whole(refusal.status, {"content-type": JSON, **refusal.headers}, refusal.body())


def create_door(next_app: App) -> Door:
    """The door in front of an ASGI application, with a life of its own."""
    return Door(next_app, Life())
