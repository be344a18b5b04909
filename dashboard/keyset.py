"""Pages of a list by place instead of by number: "the rows after this one", quick however far down, and no row twice.

Works on rows of the database (one query for a page, over an index of the sorted column) and on rows in memory.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from django.utils import timezone

from dashboard.forms import storable


@dataclass(frozen=True, slots=True)
class Order:
    """By an ORM path (or, in memory, by `key`), then by primary key; nulls come last in both directions."""

    path: str
    down: bool
    key: Callable[[Any], Any] | None = None


def encode(parts: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, default=str).encode()).decode().rstrip("=")


def decode(text: str | None) -> list[Any] | None:
    """The parts of a cursor; None for what is none."""
    try:
        parts = json.loads(base64.urlsafe_b64decode((text or "").encode() + b"==="))
    except (ValueError, RecursionError):
        return None
    return parts if isinstance(parts, list) else None


def stored_page(rows: QuerySet[Any, Any], order: Order, after: str | None, size: int) -> tuple[list[Any], str]:
    """(at most `size` rows, the cursor of the next page or "")."""
    by = F(order.path)
    rows = rows.order_by(
        by.desc(nulls_last=True) if order.down else by.asc(nulls_last=True), "-pk" if order.down else "pk"
    )
    place = _read(rows, order, after)
    if place is not None:
        rows = rows.filter(_beyond(order, *place))
    found = list(rows[: size + 1])
    return found[:size], _cursor(found[size - 1], order) if len(found) > size else ""


def _field(rows: QuerySet[Any, Any], path: str) -> Field[Any, Any]:
    """The kind of column a path names, through relations and annotations."""
    annotation = rows.query.annotations.get(path)
    found: Any = annotation.output_field if annotation is not None else None
    model: Any = rows.model
    for name in [] if found else path.split("__"):
        found = model._meta.get_field(name)
        model = found.related_model
    if not isinstance(found, Field):
        raise FieldError(f"a list cannot be sorted by {path}")
    return found


def _read(rows: QuerySet[Any, Any], order: Order, after: str | None) -> tuple[Any, Any] | None:
    parts = decode(after)
    if parts is None or len(parts) != 2 or parts[1] is None:
        return None
    if not all(storable(part) for part in parts if isinstance(part, str)):
        return None
    try:
        value = None if parts[0] is None else _field(rows, order.path).to_python(parts[0])
        if isinstance(value, datetime) and timezone.is_naive(value):
            return None
        return value, rows.model._meta.pk.to_python(parts[1])
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None


def _beyond(order: Order, value: Any, pk: Any) -> Q:
    on = "lt" if order.down else "gt"
    if value is None:
        return Q(**{f"{order.path}__isnull": True, f"pk__{on}": pk})
    same = Q(**{order.path: value, f"pk__{on}": pk})
    return Q(**{f"{order.path}__{on}": value}) | same | Q(**{f"{order.path}__isnull": True})


def _cursor(row: Model, order: Order) -> str:
    value: Any = row
    for name in order.path.split("__"):
        value = getattr(value, name, None)
    return encode([value.isoformat() if hasattr(value, "isoformat") else value, row.pk])


def memory_page(rows: Sequence[Any], order: Order | None, after: str | None, size: int) -> tuple[list[Any], str]:
    """The same of rows that are all here: the cursor is how many were seen."""
    if order and order.key:
        known = [row for row in rows if order.key(row) is not None]
        known.sort(key=order.key, reverse=order.down)
        rows = [*known, *(row for row in rows if order.key(row) is None)]
    parts = decode(after)
    start = parts[0] if parts and type(parts[0]) is int and parts[0] >= 0 else 0
    more = encode([start + size]) if len(rows) > start + size else ""
    return list(rows[start : start + size]), more
