"""Asking the same again: a kept prompt, sent as a call of its own, with its answer beside why who answered did."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard import play
from dashboard.play import Answer
from dashboard.queries.requests import one
from dashboard.views.playground import key_of
from rotation import playing
from rotation.gateway.paths import PLAIN
from rotation.prompts import Prompt, kept

PATHS = {operation: path for path, operation in PLAIN.items()}
SHOWN = 4_000  # characters of a prompt


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask_again(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """A GET shows what would be asked, or why nothing can be; a POST asks it, streamed or not as a whole answer."""
    logged = one(uuid)
    if logged is None:
        raise Http404
    prompt = kept(uuid)
    possible = prompt is not None and not prompt.too_long and prompt.operation in PATHS
    key, plain = key_of(request)
    answer = None
    if request.method == "POST" and prompt is not None and possible and key.live():
        answer = asked(prompt, plain)
    context = {
        "r": logged.request,
        "prompt": prompt,
        "possible": possible and key.live(),
        "said": said(prompt.body) if prompt else "",
        "answer": answer,
    }
    return render(request, "dashboard/ask_again.html", context)


def asked(prompt: Prompt, key: str) -> Answer:
    body = {name: value for name, value in prompt.body.items() if name not in {"stream", "stream_options"}}
    heard = playing.put(PATHS[prompt.operation], orjson.dumps(body), key=key)
    return play.read(str(body.get("model", "")), heard, [])


def said(body: Any) -> str:
    """The last thing a person said, for recognising it."""
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else {}
    content = last.get("content") if isinstance(last, dict) else ""
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or body.get("prompt") or body.get("input") or "")[:SHOWN]
