"""From a call's record to its rows: one `RequestRow` and its `AttemptRow`s, in column order, safe for Postgres.

The field names are the column names. What is added up from the rows stands in `sums.py`, how they are written
in `batch.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from rotation.ledger.clean import (
    INT2,
    Unfit,
    json_figures,
    json_list,
    json_object,
    moment,
    money,
    number,
    number_or_none,
    row_id,
    row_id_or_none,
    text,
    text_or_none,
    uuid,
    whole,
    whole_or_none,
)

WORD, NAME, SENTENCE = 40, 255, 2000  # longest texts: codes, names, messages
MOST_ATTEMPTS = 1000
LONGEST_PROMPT = 256 * 1024  # characters, sealed


class RequestRow(NamedTuple):
    at: datetime
    id: UUID
    client_key_id: int | None
    operation: str
    asked: str
    pool: str
    stream: bool
    status: int
    outcome: str
    failure_kind: str | None
    provider_id: int | None
    deployment_id: int | None
    key_id: int | None
    model: str
    attempts: int
    queue_ms: float
    first_ms: float | None
    total_ms: float
    lost_ms: float
    tokens_in: int
    tokens_out: int
    usage_estimated: bool
    cost: Decimal | None
    simulated: bool
    error: str
    trace: str
    needs: str = "{}"
    policy: str = "{}"
    internal: bool = False


class AttemptRow(NamedTuple):
    at: datetime
    id: UUID
    request_id: UUID
    n: int
    provider_id: int
    deployment_id: int
    account_id: int
    key_id: int
    model: str
    outcome: str
    status: int | None
    blame: str | None
    message: str
    retry_after_s: float | None
    start_ms: float
    connect_ms: float | None
    first_ms: float | None
    total_ms: float
    tokens_in: int
    tokens_out: int
    cost: Decimal | None
    simulated: bool
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`prompt` is the call's body as the gateway sealed it; "" unless the operator wants prompts kept."""

    request: RequestRow
    attempts: tuple[AttemptRow, ...]
    prompt: str = ""


def call_of(record: Mapping[str, Any]) -> Call:
    """The rows of a record of type "call". Raises Unfit when it has no usable id, time or shape."""
    request = _request(record)
    attempts = record.get("attempts") or []
    if not isinstance(attempts, list) or len(attempts) > MOST_ATTEMPTS:
        raise Unfit("attempts are not a list of a sane length")
    prompt = text(record.get("prompt"), LONGEST_PROMPT + 1)
    kept = prompt if len(prompt) <= LONGEST_PROMPT else ""  # cut short it could not be opened again
    return Call(request, tuple(_attempt(attempt, request) for attempt in attempts), kept)


def _request(record: Mapping[str, Any]) -> RequestRow:
    get = record.get
    attempts = get("attempts") or ()
    return RequestRow(
        at=moment(get("at")),
        id=uuid(get("id")),
        client_key_id=row_id_or_none(get("client")),
        operation=text(get("op"), WORD),
        asked=text(get("asked"), NAME),
        pool=text(get("pool"), NAME),
        stream=get("stream") is True,
        status=whole(get("status"), INT2),
        outcome=text(get("outcome"), WORD),
        failure_kind=text_or_none(get("failure"), WORD),
        provider_id=row_id_or_none(get("provider")),
        deployment_id=row_id_or_none(get("deployment")),
        key_id=row_id_or_none(get("key")),
        model=text(get("model"), NAME),
        attempts=len(attempts) if isinstance(attempts, list) else 0,
        queue_ms=number(get("queue_ms")),
        first_ms=number_or_none(get("first_ms")),
        total_ms=number(get("total_ms")),
        lost_ms=number(get("lost_ms")),
        tokens_in=whole(get("tokens_in")),
        tokens_out=whole(get("tokens_out")),
        usage_estimated=get("estimated") is True,
        cost=money(get("cost")),
        simulated=get("simulated") is True,
        error=text(get("error"), SENTENCE),
        trace=json_list(get("trace")),
        needs=json_figures(get("needs")),
        policy=json_object(get("policy")),
        internal=get("internal") is True,
    )


def _attempt(record: object, request: RequestRow) -> AttemptRow:
    if not isinstance(record, dict):
        raise Unfit("an attempt is not an object")
    get = record.get
    start = number(get("start_ms"), 1e9)
    return AttemptRow(
        at=request.at + timedelta(milliseconds=start),
        id=uuid(get("id")),
        request_id=request.id,
        n=whole(get("n"), INT2),
        provider_id=row_id(get("provider")),
        deployment_id=row_id(get("deployment")),
        account_id=row_id(get("account")),
        key_id=row_id(get("key")),
        model=text(get("model"), NAME),
        outcome=text(get("outcome"), WORD),
        status=whole_or_none(get("status"), INT2),
        blame=text_or_none(get("blame"), WORD),
        message=text(get("message"), SENTENCE),
        retry_after_s=number_or_none(get("retry_after"), 1e9),
        start_ms=start,
        connect_ms=number_or_none(get("connect_ms")),
        first_ms=number_or_none(get("first_ms")),
        total_ms=number(get("total_ms")),
        tokens_in=whole(get("tokens_in")),
        tokens_out=whole(get("tokens_out")),
        cost=money(get("cost")),
        simulated=request.simulated,
        internal=request.internal,
    )
