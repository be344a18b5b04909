"""The express lane: plain ASGI in front of everything, for `/v1` and the health pages.

It checks the bearer key from memory before the body is read and the body's size while it is read, hands the bytes
to `accept`, and writes the reply. It decides nothing. What is not its own goes to the next application.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import orjson
from django.conf import settings

from rotation.asgi_words import App, Receive, Scope, Send
from rotation.gateway import accept, models, paths, wishes
from rotation.gateway.clients import Client, identify
from rotation.gateway.envelope import JSON, Refusal, error_event, internal_error
from rotation.gateway.gate import Gate
from rotation.gateway.life import Life
from rotation.gateway.reply import Reply, Streamed, Whole

log = logging.getLogger("rotation.gateway")

HEALTH = ("/healthz", "/readyz")
LAST_WORDS = 1.0  # seconds for the end of a stream when the server stops
READER_PATIENCE = 60.0  # seconds a client may leave a piece of a stream unread, while a provider's connection is held


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
        elif paths.is_call(scope["path"]):
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
            reply = rendered(internal_error())
        await _deliver(reply, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        gate = self.life.gate
        if gate is None:
            raise Refusal(
                503, "The gateway is starting; try again in a moment.", "starting", headers={"retry-after": "1"}
            )
        headers = scope["headers"]
        paths.check_headers(headers)
        client = identify(
            [v for k, v in headers if k == b"authorization"], gate.snapshot.clients, settings.ROTATION_PEPPER.encode()
        )
        paths.check(scope["method"], scope["path"])
        if scope["method"] == "GET":
            return self._models(scope["path"], client)
        if scope["path"] in paths.AUDIO:
            return await self._audio(gate, client, scope, receive)
        body = b"".join([chunk async for chunk in _chunks(headers, receive, settings.ROTATION_MAX_BODY)])
        operation = paths.PLAIN[scope["path"]]
        return await _unless_gone(accept.plain(gate, client, operation, body, wishes.told(headers)), receive)

    async def _audio(self, gate: Gate, client: Client, scope: Scope, receive: Receive) -> Reply:
        headers, operation = scope["headers"], paths.AUDIO[scope["path"]]
        form_type = next((v for k, v in headers if k == b"content-type"), b"").decode("latin-1")
        chunks = _chunks(headers, receive, settings.ROTATION_MAX_AUDIO)
        form = await accept.uploaded(gate, client, operation, form_type, chunks)
        return await _unless_gone(accept.audio(gate, client, operation, form, wishes.told(headers)), receive)

    def _models(self, path: str, client: Client) -> Whole:
        assert self.life.gate is not None
        snapshot = self.life.gate.snapshot
        if path == "/v1/models":
            return Whole(200, {"content-type": JSON}, models.listing(snapshot, client))
        return Whole(200, {"content-type": JSON}, models.one(snapshot, client, path.removeprefix(paths.ONE_MODEL)))

    def _health(self, path: str) -> Whole:
        if path == "/healthz":
            return Whole(200, {"content-type": JSON}, b'{"status":"ok"}')
        ready = self.life.gate is not None and not self.life.stopping
        body = {"status": "ok" if ready else "starting", "degraded": self.life.degraded}
        return Whole(200 if ready else 503, {"content-type": JSON}, orjson.dumps(body))


async def _chunks(headers: list[tuple[bytes, bytes]], receive: Receive, most: int) -> AsyncIterator[bytes]:
    """The body, counted while it comes. Raises `Refusal` (413) or `Gone`."""
    told = next((v for k, v in headers if k == b"content-length"), b"0")
    size = 0
    while size <= most and not (told.isdigit() and int(told) > most):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            break
        yield chunk
        if not message.get("more_body"):
            return
    raise paths.too_large(most)


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
    clock = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(READER_PATIENCE) as patience:
            await send(_start(reply))
            async for chunk in reply.chunks:
                patience.reschedule(clock() + READER_PATIENCE)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                patience.reschedule(None)  # what the provider may take is for the relay to say
            patience.reschedule(clock() + READER_PATIENCE)
            await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        log.debug("a client stopped reading in mid-stream")
    except asyncio.CancelledError:
        if not watcher.done():  # nobody hung up: the server stops, and has waited as long as it may
            await _broken_off(send)
    finally:
        watcher.cancel()
        await reply.chunks.aclose()


async def _broken_off(send: Send) -> None:
    """The end of a stream that outlived the gateway: no client takes half an answer for a whole one."""
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(LAST_WORDS):
            event = error_event("The stream broke off: the gateway is being restarted.", "gateway_stopping")
            await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


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
