"""Column shapes several tables share: money, prices, histograms, enum checks.

Functions that make fields, so that every table stores the same thing in the same shape. No tables here.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models


def usd(**options: Any) -> models.DecimalField[Any, Any]:
    """US dollars to ten places: one token of a cheap model costs 0.00000005."""
    return models.DecimalField(max_digits=20, decimal_places=10, **options)


def usd_sum() -> models.DecimalField[Any, Any]:
    return usd(default=Decimal(0), db_default=Decimal(0))


def price(help_text: str) -> models.DecimalField[Any, Any]:
    """US dollars per million tokens; null means not known, which is not free."""
    return models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True, help_text=help_text)


def count() -> models.IntegerField[Any, Any]:
    return models.IntegerField(default=0, db_default=0)


def big_count() -> models.BigIntegerField[Any, Any]:
    return models.BigIntegerField(default=0, db_default=0)


def words(help_text: str = "") -> ArrayField[Any, Any]:
    return ArrayField(models.CharField(max_length=60), default=list, blank=True, help_text=help_text)


def histogram() -> ArrayField[Any, Any]:
    """Counts per log bucket (`rotation.core.stats`); shorter arrays mean zeros at the end."""
    return ArrayField(models.IntegerField(), default=list, blank=True)


def one_of(column: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """The database's own word on an enum, for the doors that pass no form."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{column}__in": choices.values}),
        name=name,
        violation_error_message=f"{column} must be one of: {', '.join(choices.values)}.",
    )


def storable(value: Any) -> None:
    """Refuse JSON that Postgres cannot keep: NUL characters, lone surrogates, NaN. A validator for JSON columns."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        raise ValidationError("This JSON holds NaN, Infinity or half a character, which cannot be stored.") from None
    if "\\u0000" in text:
        raise ValidationError("This JSON holds a NUL character, which cannot be stored.")
