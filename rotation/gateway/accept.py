"""From a client's bytes to a `Call`, for every door alike; what is turned down leaves a page in the journal too."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from rotation import prompts
from rotation.gateway import audio_form, completion, embedding, wishes
from rotation.gateway.audio import Listening
from rotation.gateway.call import Asked, Call, read
from rotation.gateway.clients import Client
from rotation.gateway.complete import complete
from rotation.gateway.completion import COMPLETION
from rotation.gateway.embedding import EMBEDDING
from rotation.gateway.entry import uuid7
from rotation.gateway.envelope import Refusal
from rotation.gateway.forms import Form, read_form
from rotation.gateway.gate import Gate
from rotation.gateway.grounds import needs_record
from rotation.gateway.reply import Reply
from rotation.gateway.task import CHAT, Task

NONE: Mapping[str, str] = {}
#: How the body of each operation is read, and as what it is done.
PLAIN: Mapping[str, tuple[Callable[[bytes], Asked], Task]] = {
    CHAT.operation: (read, CHAT),
    COMPLETION.operation: (completion.read, COMPLETION),
    EMBEDDING.operation: (embedding.read, EMBEDDING),
}
TRANSCRIPTION, TRANSLATION = "transcription", "translation"


async def chat(gate: Gate, client: Client, body: bytes, told: Mapping[str, str] = NONE) -> Reply:
    """A chat completion. `told` are the headers of `wishes`. Raises `Refusal`, which names the request."""
    return await plain(gate, client, CHAT.operation, body, told)


async def plain(gate: Gate, client: Client, operation: str, body: bytes, told: Mapping[str, str] = NONE) -> Reply:
    """An operation that takes JSON. Raises `Refusal`."""
    reading, task = PLAIN[operation]
    with _turned_down(gate, client, operation, told) as page:
        page.asked = asked = reading(body)
        gate.allowances.enter(client)
        call = _call(gate, client, page, asked, told, task)
        if gate.snapshot.keeps_prompts and not client.internal:
            call = replace(call, prompt=prompts.packed(operation, body_of(asked)))
        return await complete(gate, call)


async def uploaded(gate: Gate, client: Client, operation: str, content_type: str, chunks: AsyncIterator[bytes]) -> Form:
    """The form of a call for audio, once it is all there. Whoever asked for it closes it. Raises `Refusal`."""
    with _turned_down(gate, client, operation):
        gate.allowances.look(client)
        return await read_form(content_type, chunks, Path(settings.ROTATION_HOME) / "uploads")


async def audio(gate: Gate, client: Client, operation: str, form: Form, told: Mapping[str, str] = NONE) -> Reply:
    """A transcription or a translation; the form is closed after it, whatever happens. Raises `Refusal`."""
    try:
        with _turned_down(gate, client, operation, told) as page:
            page.asked, wanted = await audio_form.read(form, translate=operation == TRANSLATION)
            gate.allowances.enter(client)
            return await complete(gate, _call(gate, client, page, page.asked, told, Listening(form, wanted)))
    finally:
        form.close()


@dataclass(slots=True)
class _Page:
    """A call that has come in and is not accepted yet. `at` is wall-clock, `started` engine time."""

    request: str
    at: float
    started: float
    operation: str
    reference: str = ""
    asked: Asked | None = None


@contextmanager
def _turned_down(gate: Gate, client: Client, operation: str, told: Mapping[str, str] = NONE) -> Iterator[_Page]:
    """A refusal before the call was accepted leaves a page, and names it."""
    at = time.time()
    page = _Page(uuid7(at), at, gate.now(), operation, wishes.reference(told))
    try:
        yield page
    except Refusal as refusal:
        if "x-request-id" in refusal.headers:  # it was accepted, and its page is written
            raise
        took = (gate.now() - page.started) * 1000
        gate.write({**_line(page, client, refusal, took), "simulated": gate.snapshot.simulated})
        headers = {"x-request-id": page.request, **wishes.echo(page.reference), **refusal.headers}
        raise Refusal(
            refusal.status, refusal.message, refusal.code, refusal.param, refusal.type, headers, refusal.more
        ) from None


def body_of(asked: Asked) -> Mapping[str, Any]:
    """What was asked, with its chain of models back in it."""
    return {**asked.payload, "models": list(asked.models)} if asked.models else asked.payload


def _call(gate: Gate, client: Client, page: _Page, asked: Asked, told: Mapping[str, str], task: Task) -> Call:
    wished = wishes.read(told)
    ends = page.started + (wished.seconds or wishes.TOTAL)
    return Call(page.request, page.at, page.started, ends, client, asked.model, asked.models, asked.payload,
                asked.needs, asked.stream, asked.wants_usage, task, wished)  # fmt: skip


def _line(page: _Page, client: Client, refusal: Refusal, took: float) -> dict[str, object]:
    """The journal line of a call that never set out."""
    asked = page.asked
    return {
        "t": "call", "id": page.request, "at": page.at, "client": client.id, "op": page.operation,
        "internal": client.internal, "asked": asked.model if asked else "",
        "pool": "", "stream": asked.stream if asked else False, "status": refusal.status, "outcome": "refused",
        "failure": None if refusal.status == 429 else "bad_request",
        "provider": None, "deployment": None, "key": None, "model": "", "queue_ms": took,
        "first_ms": None, "total_ms": took, "lost_ms": 0.0, "tokens_in": 0, "tokens_out": 0, "estimated": False,
        "cost": None, "error": refusal.message, "trace": [], "attempts": [],
        "needs": needs_record(asked.needs if asked else None),
        "policy": {"client_request_id": page.reference} if page.reference else {},
    }  # fmt: skip
