"""`/v1` through django-ninja: every operation declared, answered by the same rooms as the express lane's.

The second door (`gateway/door.py` is the first): it translates between Django and `accept`, nothing more.
A contract test holds both doors' answers equal.
"""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import NinjaAPI
from ninja.security import HttpBearer
from pydantic import BaseModel

from rotation.api import uploads
from rotation.api.exchange import answered, entered, made, plain
from rotation.api.schemas import (
    ChatCompletion,
    ChatRequest,
    Completion,
    CompletionRequest,
    Embeddings,
    EmbeddingsRequest,
    ErrorEnvelope,
    Model,
    ModelList,
    TranscriptionForm,
    TranslationForm,
)
from rotation.gateway import life, models, paths, wishes
from rotation.gateway.door import rendered
from rotation.gateway.envelope import JSON, Refusal, internal_error
from rotation.gateway.reply import Whole

log = logging.getLogger("rotation.gateway")


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
    wishes.REFERENCE: "your own id of this call: given back as `x-client-request-id`",
    wishes.EXCLUDE: "providers, models or `provider/model`, separated by commas: they are not asked",
}


def declared(body: type[BaseModel]) -> dict[str, Any]:
    """What the OpenAPI page says of a body we read ourselves, and of the headers."""
    return {
        "requestBody": {"required": True, "content": {JSON: {"schema": body.model_json_schema()}}},
        "parameters": [
            {"in": "header", "name": name, "description": words, "schema": {"type": "string"}}
            for name, words in WISHES.items()
        ],
    }


@api.post("/chat/completions", response={200: ChatCompletion, **ERRORS}, openapi_extra=declared(ChatRequest))
async def chat_completions(request: HttpRequest) -> HttpResponseBase:
    """A chat completion, whole or streamed, from the fastest target that works now."""
    return await answered(request)


@api.post("/completions", response={200: Completion, **ERRORS}, openapi_extra=declared(CompletionRequest))
async def completions(request: HttpRequest) -> HttpResponseBase:
    """The older completion of a prompt, whole or streamed."""
    return await answered(request)


@api.post("/embeddings", response={200: Embeddings, **ERRORS}, openapi_extra=declared(EmbeddingsRequest))
async def embeddings(request: HttpRequest) -> HttpResponseBase:
    """Vectors of the model that is named, and of no other."""
    return await answered(request)


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
@api.api_operation(NOT_POST, "/completions", include_in_schema=False)
@api.api_operation(NOT_POST, "/embeddings", include_in_schema=False)
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


@api.exception_handler(Exception)
def our_own_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    """500 in the same envelope as everything else; what went wrong is in the log only."""
    log.error("an error of our own", exc_info=error)
    return plain(rendered(internal_error()))
