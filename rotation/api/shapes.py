"""What several nouns of the management API share: strict bodies, rows by id, short texts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from rotation.api.problems import Missing

Row = TypeVar("Row", bound=Model)
BIGGEST = 2**63 - 1

Id = Annotated[int, Field(ge=1, le=BIGGEST)]
Label = Annotated[str, StringConstraints(max_length=120)]
Text = Annotated[str, StringConstraints(max_length=2000)]
Word = Annotated[str, StringConstraints(max_length=60)]
Words = Annotated[list[Word], Field(max_length=100)]
Slug = Annotated[str, StringConstraints(max_length=60, pattern=r"^[-a-zA-Z0-9_]+$")]
Moment = AwareDatetime  # as it leaves


def in_utc(moment: datetime) -> datetime:
    """Postgres takes no odd offsets. Raises ValueError at both ends of time."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This moment is out of range") from None


#: As it comes in, with its offset from UTC.
Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
#: Dollars are exact: they leave as texts.
Usd = Annotated[Decimal, PlainSerializer(lambda value: format(value.normalize(), "f"), return_type=str)]
Price = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6, allow_inf_nan=False)]
Budget = Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=10, allow_inf_nan=False)]


class Strict(BaseModel):
    """A body: a field that does not exist is named, not passed over."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class Done(Schema):
    """What was done, in a sentence."""

    words: str


class GoesWith(Schema):
    """What is removed together with a thing, in words."""

    with_it: list[str] = Field(examples=[["1 account", "3 keys"]])


def one(rows: QuerySet[Row], pk: Any, what: str) -> Row:
    """The row of that id. Raises Missing."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Missing(f"There is no {what} {pk}.")
    return found


def named(rows: QuerySet[Row], pk: Any, field: str) -> Row:
    """The row a body names by its id. Raises ValidationError on that field."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise ValidationError({field: f"There is no {field} {pk}."})
    return found
