"""How every change is checked: fields put on a row, all of them looked at before anything is saved."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

STALE = "Somebody else has changed this meanwhile; load it again and look at what is new."


class ChangedMeanwhile(ValidationError):
    """What was to be changed is no longer as whoever asked for the change saw it."""

    def __init__(self, field: str = "version") -> None:
        super().__init__({field: STALE})


def again(row: models.Model) -> None:
    """The row as it stands now, once it (or what it belongs to) is locked: a save puts back every column, and nobody
    else's change with them. Raises ChangedMeanwhile when it is gone."""
    try:
        row.refresh_from_db()
    except type(row).DoesNotExist:  # type: ignore[attr-defined]  # every table has one
        raise ChangedMeanwhile from None


def put(row: models.Model, fields: Mapping[str, Any], allowed: Collection[str]) -> None:
    """Set the fields on the row (not saved) and check all of it. Raises ValidationError, a message list by field."""
    wrong = {name: problem for name, value in fields.items() if (problem := _unusable(name, value, allowed))}
    if wrong:
        raise ValidationError(wrong)
    for name, value in fields.items():
        setattr(row, name, value)
    row.full_clean()


def _unusable(name: str, value: Any, allowed: Collection[str]) -> str:
    """Why a value cannot be looked at any further; "" when it can."""
    if name not in allowed:
        return f"There is no such field; there are: {', '.join(sorted(allowed))}."
    if isinstance(value, float) and not math.isfinite(value):
        return "Write a number."
    return unstorable(value) if isinstance(value, str | list | tuple | dict) else ""


def unstorable(value: Any) -> str:
    """Why Postgres could not keep a text (or texts in lists and objects); "" when it could."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
        text.encode()
    except (ValueError, RecursionError):
        return "This holds NaN, Infinity or half a character, which cannot be stored."
    return "This holds a NUL character, which cannot be stored." if "\\u0000" in text else ""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 key`, `3 keys`; "" for none."""
    return "" if not number else f"1 {one}" if number == 1 else f"{number} {many or one + 's'}"
