"""The Playground: a question to one pool or model, or to two beside each other, and why who answered did."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from dashboard.forms.playground import Question
from dashboard.inquest import Inquest
from dashboard.play import AUDIO, CHAT, Answer, Asked, audio_body, chat_body, messages, read
from dashboard.queries import mode
from dashboard.queries.requests import one
from rotation import client_keys, playing
from rotation.models import Deployment, Pool
from rotation.models.catalog import OUT

PATIENCE = 20  # looks for a call's row, a second apart: the ledger writes within one or two
ROWS = 8  # candidates beside an answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def playground(request: HttpRequest) -> HttpResponse:
    """With scripts the browser asks `/v1` itself and shows the answer as it comes; without, this page asks for it."""
    sent = request.method == "POST"
    form = Question(request.POST, request.FILES) if sent else Question(initial=wished(request))
    key, plain = key_of(request)
    answers: list[Answer] = []
    if sent and form.is_valid() and key.live():
        answers = both(form, plain)
        form = Question(initial=kept(form, answers))
    context = {
        "form": form,
        "answers": answers,
        "key": plain if key.live() else "",
        "targets": targets(),
        "simulated": mode.simulated(),
    }
    return render(request, "dashboard/playground.html", context, status=422 if form.is_bound and form.errors else 200)


def key_of(request: HttpRequest) -> tuple[Any, str]:
    assert isinstance(request.user, User)
    return client_keys.for_playground(request.user.pk, request.user.get_username(), timezone.now().date())


def wished(request: HttpRequest) -> dict[str, str]:
    """What a link asks for: `?a=fast&message=Hello`."""
    names = ("a", "b", "message", "system")
    return {name: text[:2000] for name in names if (text := request.GET.get(name, "").replace("\0", ""))}


def kept(form: Question, answers: list[Answer]) -> dict[str, Any]:
    """For the next turn: who is asked and how; the message goes, the conversation stays."""
    names = ("a", "b", "system", "max_tokens", "temperature")
    stays = {name: form.cleaned_data[name] for name in names}
    return {**stays, **{f"history_{side}": answer.history for side, answer in zip("ab", answers, strict=False)}}


def both(form: Question, key: str) -> list[Answer]:
    """Both sides are asked at the same time."""
    asked, read_ = form.asked(), form.cleaned_data
    sides = [(read_["a"], read_["history_a"]), (read_["b"], read_["history_b"])]
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = [pool.submit(put, target, history, asked, key) for target, history in sides if target]
        return [side.result() for side in running]


def put(target: str, history: str, asked: Asked, key: str) -> Answer:
    if asked.audio is not None:
        body, kind = audio_body(target, asked.audio)
        return read(target, playing.put(AUDIO, body, key=key, content_type=kind), [])
    body = chat_body(target, asked, history)
    return read(target, playing.put(CHAT, body, key=key), messages(asked, history))


def targets() -> list[str]:
    """Pools, then what has a place in one; anything else may be typed."""
    placed = Deployment.objects.filter(placements__isnull=False, provider__enabled=True).exclude(status__in=OUT)
    models = sorted({d.name for d in placed.select_related("provider").distinct()})
    return [*Pool.objects.values_list("name", flat=True), *models]


@require_safe
def decision(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Beside an answer: why this model. Asks again by itself until the ledger has written the call down."""
    logged = one(uuid)
    looks = request.GET.get("n", "0")
    n = int(looks) if looks.isdecimal() and len(looks) < 4 else 0
    shown = Inquest(logged) if logged else None
    candidates = shown.candidates[:ROWS] if shown else []
    context = {"shown": shown, "candidates": candidates, "uuid": uuid, "n": n + 1, "over": n >= PATIENCE}
    return render(request, "dashboard/_decision.html", context)
