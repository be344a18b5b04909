"""What a list can be narrowed by: choices, texts, flags, periods. Read from the address, kept in it, never trusted.

A filter works on rows of the database through `field` (an ORM path, or several for a text) or `where` (value -> Q), and
on rows in memory through `keep` (row, value) -> bool.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from dashboard.span import RANGES

FIRST, LAST = 1970, 9990  # years; the calendar's own ends cannot be moved to another time zone
LONGEST = 200  # characters of a text filter that are looked at
Choices = Sequence[tuple[str, str]] | Callable[[], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter(ABC):
    """`key` is its name in the address."""

    key: str
    label: str
    where: Callable[[Any], Q] | None = None
    keep: Callable[[Any, Any], bool] | None = None

    @abstractmethod
    def read(self, query: Mapping[str, str]) -> Any:
        """What the address says; None when nothing, or nothing that could be meant."""

    def condition(self, value: Any) -> Q:
        return self.where(value) if self.where else Q()

    def written(self, value: Any) -> dict[str, str]:
        """The same as parameters of an address."""
        return {self.key: str(value)}

    def words(self, value: Any) -> str:
        return f"{self.label}: {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Filter):
    """One of a few. `choices` may be a function, called once for each page."""

    choices: Choices
    field: str = ""
    every: str = ""  # what "no choice" is called; else "All <label>"

    @property
    def options(self) -> Sequence[tuple[str, str]]:
        return self.choices() if callable(self.choices) else self.choices

    @property
    def nothing(self) -> str:
        return self.every or f"{self.label}: all"

    def read(self, query: Mapping[str, str]) -> str | None:
        value = query.get(self.key, "")
        return value if value in {key for key, _ in self.options} else None

    def condition(self, value: Any) -> Q:
        return Q(**{self.field: value}) if self.field else Filter.condition(self, value)

    def words(self, value: Any) -> str:
        return f"{self.label}: {dict(self.options).get(value, value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Filter):
    """Letters that occur in any of `fields`, in upper or lower case."""

    fields: Sequence[str] = ()
    placeholder: str = ""

    def read(self, query: Mapping[str, str]) -> str | None:
        return query.get(self.key, "").replace("\0", "").strip()[:LONGEST] or None

    def condition(self, value: Any) -> Q:
        found = Filter.condition(self, value)
        for field in self.fields:
            found |= Q(**{f"{field}__icontains": value})
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Filter):
    """Ticked or not."""

    def read(self, query: Mapping[str, str]) -> bool | None:
        return True if query.get(self.key) in {"1", "on", "true"} else None

    def written(self, value: Any) -> dict[str, str]:
        return {self.key: "1"}

    def words(self, value: Any) -> str:
        return self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Period(Filter):
    """The last hour, day, week or month by `field`, or from one moment to another (in the reader's zone)."""

    field: str = ""

    @property
    def options(self) -> Sequence[tuple[str, str]]:
        return [(each.name, each.words) for each in RANGES.values()]

    @property
    def nothing(self) -> str:
        return f"{self.label}: any"

    @property
    def ends(self) -> tuple[str, str]:
        return f"{self.key}_from", f"{self.key}_to"

    def read(self, query: Mapping[str, str]) -> tuple[str, str, str] | None:
        """(name of a range, from, to): a range, or one or both of the ends."""
        name = query.get(self.key, "")
        if name in RANGES:
            return name, "", ""
        ends = [query.get(end, "") for end in self.ends]
        start, end = (text if moment_of(text) else "" for text in ends)
        return ("", start, end) if start or end else None

    def condition(self, value: Any) -> Q:
        start, end = self.bounds(value, timezone.now())
        found = Q(**{f"{self.field}__gte": start}) if start else Q()
        return found & Q(**{f"{self.field}__lt": end}) if end else found

    def bounds(self, value: tuple[str, str, str], now: datetime) -> tuple[datetime | None, datetime | None]:
        """From (inclusive) and to (exclusive)."""
        name, start, end = value
        return (now - RANGES[name].length, None) if name else (moment_of(start), moment_of(end))

    def written(self, value: Any) -> dict[str, str]:
        return {key: text for key, text in zip((self.key, *self.ends), value, strict=True) if text}

    def words(self, value: Any) -> str:
        name, start, end = value
        said = RANGES[name].words if name else " ".join(filter(None, (start and f"from {start}", end and f"to {end}")))
        return f"{self.label}: {said.replace('T', ' ')}"


def moment_of(text: str) -> datetime | None:
    """A moment of a `datetime-local` field, or of ISO 8601; None for anything else."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None or not FIRST <= found.year <= LAST:
        return None
    return timezone.make_aware(found) if timezone.is_naive(found) else found
