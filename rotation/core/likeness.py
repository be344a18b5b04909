"""Which living models are like one that is gone or misspelt, and which could stand in for it. Pure and quick.

`nearest` is for people: names worth a look. `successor` is for a call that is answered by another model, so it says
nothing when it is not sure.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Protocol, TypeVar

from rotation.core.anatomy import Anatomy, anatomy

COMPARED = 24  # names looked at closely: those that share most of their pairs of letters
ALIKE = 0.62  # of letters in order, from which on a name is like another
FEATURES = ("tools", "parallel_tools", "json_schema", "images", "reasoning")
DEARER = 1.25  # times the price: what a successor may cost at most


class Offered(Protocol):
    """A model on offer, as the engine knows it. Prices USD per token; None: not known."""

    @property
    def model(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def context(self) -> int | None: ...
    @property
    def free(self) -> bool: ...
    @property
    def price_in(self) -> float | None: ...
    @property
    def price_out(self) -> float | None: ...


Offer = TypeVar("Offer", bound=Offered)


def nearest(asked: str, living: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` of the living ids that are most like the one asked for, the likeliest first; [] when none is.

    The same for the same input, in whatever order the ids come. Of ids that are the same model (with and without a
    provider before it) the shortest stands for all.
    """
    wanted = anatomy(asked)
    pairs = _pairs(asked)
    close = heapq.nsmallest(COMPARED, ((-_shared(pairs, name), name) for name in {*living} - {asked}))
    found: dict[tuple[str, str], tuple[float, int, str]] = {}
    for _, name in close:
        one = anatomy(name)
        likeness = _likeness(wanted, one)
        if likeness is not None:
            rank = (-likeness, len(name), name)
            same = (one.name, one.variant)
            found[same] = min(found.get(same, rank), rank)
    return [name for _, _, name in sorted(found.values())[:count]]


@lru_cache(maxsize=8192)  # the living ids are the same from one question to the next
def _pairs(model: str) -> frozenset[str]:
    """The pairs of letters of an id's name."""
    name = anatomy(model).name
    return frozenset(name[i : i + 2] for i in range(len(name) - 1)) or frozenset({name})


def _shared(pairs: frozenset[str], name: str) -> float:
    """Dice's share of common pairs of letters, of the last part of an id."""
    theirs = _pairs(name)
    return len(pairs & theirs) * 2 / (len(pairs) + len(theirs))


def _likeness(one: Anatomy, other: Anatomy) -> float | None:
    """The more the liker; None when they have nothing to do with each other."""
    letters = SequenceMatcher(None, one.stem, other.stem, autojunk=False).ratio()
    same_line = one.line == other.line
    if letters < ALIKE and not same_line:
        return None
    roles = len(one.roles & other.roles) / len(one.roles | other.roles) if one.roles | other.roles else 1.0
    return (
        4.0 * letters
        + 2.5 * same_line
        + 0.5 * (one.maker == other.maker)
        + (1.5 if one.version == other.version else -min(_apart(one.version, other.version), 2.0) / 2)
        + _alike_in_size(one.size, other.size)
        + 1.5 * roles
        + 1.0 * (one.variant == other.variant)
    )


def _apart(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Versions as numbers: 3.1 and 3.3 are 0.2 apart. What is newer is a little nearer than what is older."""
    if not one or not other:
        return 1.0
    steps = [float(".".join(map(str, version[:2]))) for version in (one, other)]
    return abs(steps[1] - steps[0]) + (0.05 if other < one else 0.0)


def _alike_in_size(one: float | None, other: float | None) -> float:
    if not one or not other:
        return 0.75 if one == other else 0.3
    return 1.5 * (1 - min(abs(math.log2(one / other)), 3.0) / 3)


def successor(gone: Offer, living: Sequence[Offer]) -> Offer | None:
    """The one that may answer in the place of a model that is gone; None when that is not certain enough.

    Of the same line and kind, not older, not smaller, with no less context and no feature missing, free when the other
    was, else not much dearer. The same model at another provider is the first choice, then the nearest version.
    """
    was = anatomy(gone.model)
    able = [(one, anatomy(one.model)) for one in living if one.model != gone.model or one is not gone]
    fit = [(one, parts) for one, parts in able if _same_kind(was, parts) and _no_less(gone, one)]
    if not fit:
        return None

    def distance(pair: tuple[Offer, Anatomy]) -> tuple[object, ...]:
        one, parts = pair
        return (parts.name != was.name, _apart(was.version, parts.version), _growth(was, parts), one.model)

    return min(fit, key=distance)[0]


def _growth(was: Anatomy, now: Anatomy) -> float:
    return abs(math.log2(now.size / was.size)) if was.size and now.size else 0.0


def _same_kind(was: Anatomy, now: Anatomy) -> bool:
    if was.name == now.name:
        return True
    if not was.version or was.line != now.line or was.roles != now.roles or now.version < was.version:
        return False
    if (was.size is None) != (now.size is None):
        return False
    return was.size is None or (now.size is not None and now.size >= was.size * 0.95)


def _no_less(gone: Offered, one: Offered) -> bool:
    if one.type != gone.type or (gone.context and (one.context or 0) < gone.context):
        return False
    if any(getattr(gone, name, None) is True and getattr(one, name, None) is not True for name in FEATURES):
        return False
    return one.free if gone.free else _no_dearer(gone, one)


def _no_dearer(gone: Offered, one: Offered) -> bool:
    for side in ("price_in", "price_out"):
        before, now = getattr(gone, side), getattr(one, side)
        if before is not None and not one.free and (now is None or now > before * DEARER):
            return False
    return True
