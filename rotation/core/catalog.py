"""What changed in a provider's listing since it was last read.

Only differences are found here: nobody is verified, switched off or stored. A listing that looks broken is refused
as a whole, because a provider's bad minute must not empty a rotation. What a listing does not tell is no change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

#: From this many known models on, a listing without half of them is doubted.
DOUBT_FROM = 10


class ChangeKind(StrEnum):
    NEW = "new"
    VANISHED = "vanished"
    BACK = "back"
    PRICE = "price"
    FREE = "free"
    CONTEXT = "context"
    FEATURES = "features"
    EXPIRES = "expires"


class Offer(Protocol):
    """One model of a listing. Prices USD per token; None means not told, `expires` "" that no end is announced."""

    @property
    def model(self) -> str: ...
    @property
    def context(self) -> int | None: ...
    @property
    def max_output(self) -> int | None: ...
    @property
    def input_modalities(self) -> tuple[str, ...]: ...
    @property
    def tools(self) -> bool | None: ...
    @property
    def json_schema(self) -> bool | None: ...
    @property
    def reasoning(self) -> bool: ...
    @property
    def price_in(self) -> float | None: ...
    @property
    def price_out(self) -> float | None: ...
    @property
    def free(self) -> bool: ...
    @property
    def expires(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Known:
    """One model as we have it, in the shape of an offer; `gone` when it is known not to be offered any more.

    `listed` is false for what never stood in a listing: a listing without it is no reason for doubt.
    """

    model: str
    context: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    tools: bool | None = None
    json_schema: bool | None = None
    reasoning: bool = False
    price_in: float | None = None
    price_out: float | None = None
    free: bool = False
    expires: str | None = None
    gone: bool = False
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `before` and `after` hold only what differs, ready for JSON."""

    model: str
    kind: ChangeKind
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The listing is not believed, so nothing changed."""

    reason: str


def diff(known: Iterable[Known], listed: Iterable[Offer], *, confirmed: bool = False) -> list[Change] | Refused:
    """The changes, ordered by model and kind, or why the listing is not believed.

    `confirmed` lets a listing without half of the known models pass, for when it says the same a second time later;
    an empty one never passes. The first of several offers with one name counts; offers without a name do not.
    """
    ours = {one.model: one for one in known}
    theirs: dict[str, Offer] = {}
    for offer in listed:
        if offer.model.strip():
            theirs.setdefault(offer.model, offer)
    alive = {model for model, one in ours.items() if one.listed and not one.gone}
    doubt = _doubt(alive, theirs.keys(), confirmed=confirmed)
    if doubt:
        return Refused(doubt)
    changes = [Change(model, ChangeKind.NEW, None, _facts(theirs[model])) for model in theirs.keys() - ours.keys()]
    for model, one in ours.items():
        if model in theirs:
            changes += _between(one, theirs[model])
        elif not one.gone:
            changes.append(Change(model, ChangeKind.VANISHED, _facts(one), None))
    order = list(ChangeKind)
    return sorted(changes, key=lambda change: (change.model, order.index(change.kind)))


def _doubt(alive: set[str], offered: Iterable[str], *, confirmed: bool) -> str | None:
    still = len(alive.intersection(offered))
    if alive and not list(offered):
        return f"the listing is empty, but {len(alive)} models are known"
    if not confirmed and len(alive) >= DOUBT_FROM and still * 2 < len(alive):
        return f"only {still} of {len(alive)} known models are listed"
    return None


def _between(one: Known, offer: Offer) -> list[Change]:
    found: list[tuple[ChangeKind, dict[str, tuple[Any, Any]]]] = [
        (ChangeKind.PRICE, _told(one, offer, "price_in", "price_out")),
        (ChangeKind.FREE, _free(one, offer)),
        (ChangeKind.CONTEXT, _told(one, offer, "context", "max_output")),
        (ChangeKind.FEATURES, _told(one, offer, "tools", "json_schema") | _gained(one, offer)),
        (ChangeKind.EXPIRES, _end(one, offer)),
    ]
    changes = [
        Change(one.model, kind, {n: b for n, (b, _) in facts.items()}, {n: a for n, (_, a) in facts.items()})
        for kind, facts in found
        if facts
    ]
    return [Change(one.model, ChangeKind.BACK, None, _facts(offer)), *changes] if one.gone else changes


def _told(one: Known, offer: Offer, *names: str) -> dict[str, tuple[Any, Any]]:
    """Facts that the listing tells and tells differently."""
    pairs = {name: (getattr(one, name), getattr(offer, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[1] is not None and not _same(*pair)}


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, float) or isinstance(after, float):
        return before is not None and math.isclose(before, after, rel_tol=1e-6, abs_tol=1e-15)
    return bool(before == after)


def _free(one: Known, offer: Offer) -> dict[str, tuple[Any, Any]]:
    """Free is news at once; not free any more only when a price is told, for many listings have neither."""
    told = offer.free or offer.price_in is not None or offer.price_out is not None
    return {"free": (one.free, offer.free)} if told and one.free != offer.free else {}


def _end(one: Known, offer: Offer) -> dict[str, tuple[Any, Any]]:
    """An end that was announced, moved or taken back."""
    if offer.expires is None or (one.expires or "") == offer.expires:
        return {}
    return {"expires": (one.expires, offer.expires or None)}


def _gained(one: Known, offer: Offer) -> dict[str, tuple[Any, Any]]:
    """Listings that do not tell modalities or reasoning look like plain text ones, so only what is more is news."""
    gained: dict[str, tuple[Any, Any]] = {}
    before, after = sorted(one.input_modalities), sorted(offer.input_modalities)
    if after not in (before, ["text"]):
        gained["input_modalities"] = (before, after)
    if offer.reasoning and not one.reasoning:
        gained["reasoning"] = (False, True)
    return gained


def _facts(offer: Offer) -> dict[str, Any]:
    """What is told of a model, for the record."""
    names = ("context", "max_output", "tools", "json_schema", "price_in", "price_out", "expires")
    facts = {name: getattr(offer, name) for name in names if getattr(offer, name) is not None}
    facts = {name: value for name, value in facts.items() if value != ""}
    return facts | {
        "free": offer.free,
        "reasoning": offer.reasoning,
        "input_modalities": sorted(offer.input_modalities),
    }
