"""Lists page by page, by key: a page begins after the last row of the one before, whatever was added meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Schema
from pydantic import Field

from rotation.control.fields import unstorable

Shown = TypeVar("Shown")
LONGEST = 1000


class Paging(Schema):
    """How long a page is, and where it begins."""

    limit: int = Field(50, ge=1, le=200, description="At most so many.")
    after: str | None = Field(None, max_length=LONGEST, description="From the `next` of the page before.")


class Listing(Schema, Generic[Shown]):
    """One page. `next` is the address of the next one, null on the last."""

    items: list[Shown]
    next: str | None = Field(examples=["/api/v1/models?limit=50&after=WyJhIiwxXQ"])


def page(
    request: HttpRequest,
    rows: QuerySet[Any],
    keys: Sequence[str],
    at: Paging,
    *,
    shown: Callable[[list[Any]], list[Any]] = list,
) -> dict[str, Any]:
    """A page of rows ordered by columns that are never null, the last of them unique ("-at", "-id").

    `shown` makes of the rows what is answered. Raises ValidationError on `after`.
    """
    rows = rows.order_by(*keys)
    if at.after:
        rows = rows.filter(_beyond(keys, _values(rows.model, keys, at.after)))
    found = list(rows[: at.limit + 1])
    more = len(found) > at.limit
    kept = found[: at.limit]
    return {"items": shown(kept), "next": _link(request, keys, kept[-1]) if more else None}


def _beyond(keys: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after these values: (a, b) > (x, y), spelled out for mixed directions."""
    found, same = Q(), Q()
    for key, value in zip(keys, values, strict=True):
        name = key.removeprefix("-")
        found |= same & Q(**{f"{name}__{'lt' if key.startswith('-') else 'gt'}": value})
        same &= Q(**{name: value})
    return found


def _link(request: HttpRequest, keys: Sequence[str], last: Any) -> str:
    query = request.GET.copy()
    query["after"] = cursor([getattr(last, key.removeprefix("-")) for key in keys])
    return f"{request.path}?{query.urlencode()}"


def cursor(values: Sequence[Any]) -> str:
    text = json.dumps([value if isinstance(value, int | None) else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _values(model: Any, keys: Sequence[str], text: str) -> list[Any]:
    wrong = ValidationError({"after": "This is no `next` of this list."})
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise wrong from None
    if not isinstance(found, list) or len(found) != len(keys) or unstorable(found):
        raise wrong
    try:
        return [_value(model, key, value) for key, value in zip(keys, found, strict=True)]
    except (ValidationError, ValueError, TypeError, OverflowError):
        raise wrong from None


def _value(model: Any, key: str, value: Any) -> Any:
    if value is None or not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError
    return model._meta.get_field(key.removeprefix("-")).to_python(value)
