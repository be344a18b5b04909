"""A call's stored JSON as values. Whatever stands in it is read; what has another shape counts as not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from rotation.core.targets import Needs
from rotation.core.transcription import Audio
from rotation.gateway.audio import Listening
from rotation.gateway.call import Call
from rotation.gateway.clients import Client
from rotation.gateway.completion import COMPLETION
from rotation.gateway.embedding import EMBEDDING
from rotation.gateway.task import CHAT, Task
from rotation.gateway.wishes import TOTAL, Wishes
from rotation.models import Attempt, Request
from rotation.why.facts import Left, Measured, Policy, Row, Try
from rotation.why.words import row_words

IN_LINE = frozenset({"answered", "tried", "ready"})  # the others were passed over
OTHERS: Mapping[str, Task] = {task.operation: task for task in (COMPLETION, EMBEDDING)}
COUNTS = ("prompt_tokens", "images")


def policy_of(request: Request) -> Policy:
    kept = request.policy if isinstance(request.policy, dict) else {}
    version, strategy = kept.get("version"), kept.get("strategy")
    return Policy(
        pool=request.pool,
        version=version if type(version) is int else None,
        strategy=strategy if isinstance(strategy, str) else "",
        order=_ids(kept["order"]) if isinstance(kept.get("order"), list) else None,
        keyless=_ids(kept.get("keyless")),
        models=_names(kept.get("models")),
        pin=_names(kept.get("pin")),
        exclude=_names(kept.get("exclude")),
        why=_text(kept.get("why")),
    )


def call_of(request: Request, policy: Policy, client: Client, now: float) -> tuple[Call, str]:
    """The call once more, without its text, and what of it had to be guessed. `now` is epoch seconds."""
    needs, guessed = needs_of(request)
    wishes = Wishes(pin=policy.pin, exclude=policy.exclude)
    call = Call(
        str(request.id), request.at.timestamp(), now, now + TOTAL, client, request.asked, policy.models, {}, needs,
        needs.stream, False, _task(request), wishes,
    )  # fmt: skip
    return call, guessed


def _task(request: Request) -> Task:
    """What it was: audio by its size and length, anything else goes where a chat goes."""
    kept = request.needs if isinstance(request.needs, dict) else {}
    size, seconds, form = (kept.get(f"audio_{name}") for name in ("size", "seconds", "format"))
    if type(size) is not int or not isinstance(seconds, (int, float)) or not isinstance(form, str):
        return OTHERS.get(request.operation, CHAT)
    upload: Any = None  # nobody is sent anything, so nobody looks into it
    return Listening(upload, Audio(size, float(seconds), form, kept.get("audio_translate") is True))


def needs_of(request: Request) -> tuple[Needs, str]:
    """What the call needed, and what of it had to be guessed, in words; nothing when all was kept."""
    kept = request.needs if isinstance(request.needs, dict) else {}
    known: dict[str, Any] = {}
    for field in fields(Needs):
        value = kept.get(field.name)
        right = type(value) is (int if field.default is None else type(field.default))
        if right or (value is None and field.default is None):
            known[field.name] = value
    if known.keys() & set(COUNTS):
        return Needs(**known), ""
    guessed = Needs(prompt_tokens=request.tokens_in, stream=request.stream)
    return guessed, f"What this call needed was not kept: it is taken for plain text of {request.tokens_in:,} tokens."


def rows_of(request: Request, measured: Mapping[int, Measured], tokens: int | None) -> tuple[Row, ...]:
    """The decision trace in order, with what was measured of those that stood in line."""
    rows: list[Row] = []
    place = 0
    for kept in (one for one in _list(request.trace) if isinstance(one, dict)):
        state = _text(kept.get("state"))
        place += state in IN_LINE
        deployment = kept.get("deployment") if type(kept.get("deployment")) is int else None
        row = Row(
            place=place if state in IN_LINE else None,
            deployment=deployment,
            target=_text(kept.get("target")),
            state=state,
            why=_text(kept.get("why")),
            words="",
            until=_moment(kept.get("until")),
            score=_number(kept.get("score")),
            quota=tuple(left for one in _list(kept.get("quota")) if (left := _left(one)) is not None),
            measured=measured.get(deployment) if deployment is not None and state in IN_LINE else None,
        )
        rows.append(replace(row, words=row_words(row, tokens)))
    return tuple(rows)


def deployments_of(request: Request) -> set[int]:
    """The deployments its trace speaks of."""
    rows = (one for one in _list(request.trace) if isinstance(one, dict))
    return {one["deployment"] for one in rows if type(one.get("deployment")) is int}


def tries_of(attempts: Sequence[Attempt]) -> tuple[Try, ...]:
    return tuple(
        Try(
            n=a.n, deployment=a.deployment_id, model=a.model, outcome=a.outcome, status=a.status, message=a.message,
            start_ms=a.start_ms, connect_ms=a.connect_ms, first_ms=a.first_ms, total_ms=a.total_ms,
        )
        for a in attempts
    )  # fmt: skip


def _left(kept: object) -> Left | None:
    if not isinstance(kept, dict):
        return None
    window, limit, left = (_number(kept.get(name)) for name in ("window", "limit", "left"))
    if window is None or limit is None or left is None:
        return None
    return Left(_text(kept.get("axis")), window, limit, left)


def _moment(epoch: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(number, UTC) if (number := _number(epoch)) is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: object) -> tuple[str, ...]:
    return tuple(one for one in _list(value) if isinstance(one, str))


def _ids(value: object) -> tuple[int, ...]:
    return tuple(one for one in _list(value) if type(one) is int)
