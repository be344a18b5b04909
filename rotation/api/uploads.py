"""Uploads through the second door: the body Django has put on its own disk, handed on in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from rotation.api.exchange import wished
from rotation.api.schemas import TranscriptionForm, TranslationForm
from rotation.gateway import accept, paths
from rotation.gateway.clients import Client
from rotation.gateway.gate import Gate
from rotation.gateway.reply import Reply

PIECE = 64 * 1024
FORM = "multipart/form-data"
IN_PLACES = {
    "application/json": {"schema": {"type": "object"}},
    "text/plain": {"schema": {"type": "string", "description": "for text, srt and vtt"}},
}


def declared(form: type[TranscriptionForm | TranslationForm]) -> dict[str, Any]:
    """What the OpenAPI page says of an operation with this form."""
    return {
        "requestBody": {"required": True, "content": {FORM: {"schema": form.model_json_schema()}}},
        "responses": {200: {"description": "The text, in the format asked for.", "content": IN_PLACES}},
    }


async def heard(request: HttpRequest, gate: Gate, client: Client) -> Reply:
    """The audio in a request as text. Raises `Refusal`."""
    operation = paths.AUDIO[request.path]
    form = await accept.uploaded(gate, client, operation, request.META.get("CONTENT_TYPE", ""), pieces(request))
    return await accept.audio(gate, client, operation, form, wished(request))


async def pieces(request: HttpRequest) -> AsyncIterator[bytes]:
    """The body, counted. Raises `Refusal` (413)."""
    most = settings.ROTATION_MAX_AUDIO
    told = request.META.get("CONTENT_LENGTH") or "0"
    size = int(told) if told.isdigit() and int(told) > most else 0
    while size <= most and (piece := request.read(PIECE)):
        size += len(piece)
        if size <= most:
            yield piece
    if size > most:
        raise paths.too_large(most)
