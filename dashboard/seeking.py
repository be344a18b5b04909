"""The request log's filters: read from a link, written into one, and offered as fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.utils.http import urlencode

from dashboard.queries.search import Sought, models_named, moment
from rotation.models import CallOutcome, ClientKey, Deployment, Pool

LONGEST = 200
FIELDS = ("outcome", "pool", "model", "client", "rotated", "since", "until")


@dataclass(frozen=True, slots=True)
class Words:
    """What was asked for, as it stands in the link. What makes no sense is left out, so that no link breaks."""

    given: Mapping[str, str]

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Words:
        told = {name: query.get(name, "").strip()[:LONGEST].replace("\0", "") for name in FIELDS}
        given = {name: text for name, text in told.items() if text}
        if given.get("outcome") not in CallOutcome.values:
            given.pop("outcome", None)
        if not given.get("client", "").isdecimal():
            given.pop("client", None)
        for name in ("since", "until"):
            if moment(given.get(name, "")) is None:
                given.pop(name, None)
        return cls(given)

    def sought(self, *, simulated: bool) -> Sought:
        """One query when a model is named, none otherwise."""
        given = self.given
        return Sought(
            simulated=simulated,
            outcome=CallOutcome(given["outcome"]) if "outcome" in given else None,
            pool=given.get("pool"),
            deployments=models_named(given["model"]) if "model" in given else None,
            client=min(int(given["client"]), 2**31 - 1) if "client" in given else None,
            rotated="rotated" in given,
            since=moment(given.get("since", "")),
            until=moment(given.get("until", "")),
        )

    def link(self, **changed: str) -> str:
        """The query of a link to the same search, with some words changed or (empty) left out."""
        words = {**self.given, **changed}
        return urlencode({name: text for name, text in words.items() if text})


class Offered:
    """What the fields offer to choose from."""

    outcomes = CallOutcome.choices

    @cached_property
    def pools(self) -> Sequence[str]:
        return list(Pool.objects.values_list("name", flat=True))

    @cached_property
    def clients(self) -> Sequence[ClientKey]:
        return list(ClientKey.objects.order_by("internal", "label", "pk")[:LONGEST])

    @cached_property
    def models(self) -> Sequence[str]:
        """Those with a place in a pool; any other may be typed."""
        placed = Deployment.objects.filter(placements__isnull=False).select_related("provider").distinct()
        return sorted(deployment.name for deployment in placed)


def request_id(text: str) -> UUID | None:
    """A call's id as somebody pastes it; None for what is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
