"""A list as a file: CSV that no spreadsheet runs, or JSON; sent while it is read, so its length costs no memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from rotation.spreadsheet import harmless

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
Batch = Sequence[Sequence[Any]]  # rows of cells
Batches = Callable[[], Iterator[Batch]]


def export(
    request: HttpRequest, kind: str, name: str, columns: Sequence[str], batches: Batches
) -> StreamingHttpResponse:
    """`kind` is one of TYPES; `name` that of the file. JSON is a list of objects with `columns` as their keys."""
    write = {"csv": _as_csv, "json": _as_json}[kind]
    headers = {
        "Content-Disposition": f'attachment; filename="rotation-{name}.{kind}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    pieces = write(columns, batches())
    content: Any = _apart(pieces) if isinstance(request, ASGIRequest) else pieces
    return StreamingHttpResponse(content, content_type=TYPES[kind], headers=headers)


async def _apart(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Under ASGI each piece is made in the thread that may ask the database."""
    while (piece := await sync_to_async(_following)(pieces)) is not None:
        yield piece


def _following(pieces: Iterator[str]) -> str | None:
    return next(pieces, None)


def _as_csv(columns: Sequence[str], batches: Iterator[Batch]) -> Iterator[str]:
    yield _lines([columns])
    for batch in batches:
        yield _lines([[written(cell) for cell in row] for row in batch])


def _lines(rows: Batch) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def written(value: Any) -> str:
    """A cell of a CSV file: moments in ISO 8601, lists with commas, nothing a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "isoformat"):
        return str(timezone.localtime(value).isoformat() if hasattr(value, "hour") else value.isoformat())
    if isinstance(value, list | tuple):
        return harmless(", ".join(map(str, value)))
    if isinstance(value, dict):
        return harmless(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False))
    return harmless(value) if isinstance(value, str) else str(value)


def _as_json(columns: Sequence[str], batches: Iterator[Batch]) -> Iterator[str]:
    before = "[\n"
    for batch in batches:
        for row in batch:
            yield before + json.dumps(dict(zip(columns, row, strict=True)), cls=DjangoJSONEncoder, ensure_ascii=False)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"
