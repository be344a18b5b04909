"""`/v1` through django-ninja: every operation declared, answered by the same rooms as the express lane's.

The second door (`gateway/door.py` is the first): it translates between Django and `accept`, nothing more.
A contract test holds both doors' answers equal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import NinjaAPI
from ninja.security import HttpBearer

from rotation.api import uploads
from rotation.api.schemas import (
    ChatCompletion,
    ChatRequest,
    ErrorEnvelope,
    Model,
    ModelList,
    TranscriptionForm,
    TranslationForm,
)
from rotation.gateway import accept, life, models, paths, wishes
from rotation.gateway.clients import Client, identify
from rotation.gateway.door import rendered
from rotation.gateway.envelope import JSON, Refusal
from rotation.gateway.gate import Gate
from rotation.gateway.reply import Reply, Whole


class ClientKey(HttpBearer):
    """Declares the bearer key; the check itself needs the gate and happens in `entered`."""

    def __call__(self, request: HttpRequest) -> bool:
        return True

    def authenticate(self, request: HttpRequest, token: str) -> bool:
        return True


api = NinjaAPI(
    title="Rotation",
    version="1",
    description="One OpenAI-compatible address that keeps answering.",
    urls_namespace="v1",
    docs_url="/docs",
    openapi_url="/openapi.json",
    auth=ClientKey(),
)

ERRORS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 405, 413, 429, 502, 503, 504}): ErrorEnvelope}
NOT_POST = [method for method in paths.METHODS if method != "POST"]
WISHES = {
    wishes.DEADLINE: "milliseconds the answer may take",
    wishes.PIN: "providers or `provider/model`, separated by commas: nobody else is asked",
    wishes.EXCLUDE: "providers, models or `provider/model`, separated by commas: they are not asked",
}
CHAT_BODY = {
    "requestBody": {"required": True, "content": {JSON: {"schema": ChatRequest.model_json_schema()}}},
    "parameters": [
        {"in": "header", "name": name, "description": words, "schema": {"type": "string"}}
        for name, words in WISHES.items()
    ],
}


@api.post("/chat/completions", response={200: ChatCompletion, **ERRORS}, openapi_extra=CHAT_BODY)
async def chat_completions(request: HttpRequest) -> HttpResponseBase:
    """A chat completion, whole or streamed, from the fastest target that works now."""
    opened = await life.borrow()
    try:
        client = entered(request, opened.gate)
        reply = await accept.chat(opened.gate, client, body(request), wished(request))
    except BaseException:
        await opened.close()
        raise
    return await delivered(reply, opened)


@api.post("/audio/transcriptions", openapi_extra=uploads.declared(TranscriptionForm))
async def transcriptions(request: HttpRequest) -> HttpResponseBase:
    """Audio as text, in the language that is spoken."""
    async with life.lent() as gate:
        return made(await uploads.heard(request, gate, entered(request, gate)))


@api.post("/audio/translations", openapi_extra=uploads.declared(TranslationForm))
async def translations(request: HttpRequest) -> HttpResponseBase:
    """Audio as English text."""
    async with life.lent() as gate:
        return made(await uploads.heard(request, gate, entered(request, gate)))


@api.get("/models", response={200: ModelList, **ERRORS})
async def list_models(request: HttpRequest) -> HttpResponseBase:
    """The names this client may ask for: pools first."""
    async with life.lent() as gate:
        return plain(Whole(200, {"content-type": JSON}, models.listing(gate.snapshot, entered(request, gate))))


@api.get("/models/{path:name}", response={200: Model, **ERRORS})
async def one_model(request: HttpRequest, name: str) -> HttpResponseBase:
    """One of them."""
    async with life.lent() as gate:
        return plain(Whole(200, {"content-type": JSON}, models.one(gate.snapshot, entered(request, gate), name)))


@api.api_operation(NOT_POST, "/chat/completions", include_in_schema=False)
@api.api_operation(NOT_POST, "/audio/transcriptions", include_in_schema=False)
@api.api_operation(NOT_POST, "/audio/translations", include_in_schema=False)
@api.api_operation([m for m in paths.METHODS if m != "GET"], "/models", include_in_schema=False)
async def wrong_method(request: HttpRequest) -> HttpResponseBase:
    """405 in the same envelope as everything else."""
    return await turned_down(request)


@api.api_operation([m for m in paths.METHODS if m != "GET"], "/models/{path:name}", include_in_schema=False)
@api.api_operation(paths.METHODS, "/{path:name}", include_in_schema=False)
async def unknown_path(request: HttpRequest, name: str) -> HttpResponseBase:
    """404, and 405 for what is under a path that is here."""
    return await turned_down(request)


async def turned_down(request: HttpRequest) -> HttpResponseBase:
    async with life.lent() as gate:
        entered(request, gate)
    paths.check(request.method or "", request.path)
    raise AssertionError("a path that is served came to the catch-all")


@api.exception_handler(Refusal)
def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return plain(rendered(refusal))


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
