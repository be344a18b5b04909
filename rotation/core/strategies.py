"""In which order the deployments of a pool are tried: one row per strategy.

Pure: expected seconds, prices, the turn and chance are arguments. Health has no say here; selection and rotation pass
over whom they must, in the order given. A pinned deployment keeps its place, the others are ordered around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

ORDERED = "ordered"
FASTEST = "fastest"
CHEAPEST = "cheapest"
ROUND_ROBIN = "round_robin"
WEIGHTED = "weighted"

#: Below this many seconds nobody is quicker than another: a weight has a bound.
QUICKEST = 0.001


@dataclass(frozen=True, slots=True)
class Choice:
    """One deployment as a strategy sees it. `seconds` is to be expected, `price` USD per token, None not known."""

    deployment: int
    seconds: float = 1.0
    price: float | None = None
    pinned: bool = False


Strategy = Callable[[Sequence[Choice], int, Callable[[], float]], list[Choice]]


def mixed_price(price_in: float | None, price_out: float | None, *, free: bool) -> float | None:
    """USD per token at as many tokens in as out; 0 for what is free, None when a price is not known."""
    if free:
        return 0.0
    return None if price_in is None or price_out is None else (price_in + price_out) / 2


def ordered(choices: Sequence[Choice], turn: int, rand: Callable[[], float]) -> list[Choice]:
    """As the pool has them."""
    return list(choices)


def fastest(choices: Sequence[Choice], turn: int, rand: Callable[[], float]) -> list[Choice]:
    """Who is expected to be quickest goes first; among equals the pool's order."""
    return sorted(choices, key=lambda c: round(c.seconds, 6))  # equals that logarithms made differ


def cheapest(choices: Sequence[Choice], turn: int, rand: Callable[[], float]) -> list[Choice]:
    """Free ones first, what nobody knows the price of last; among equals the pool's order."""
    return sorted(choices, key=lambda c: math.inf if c.price is None else c.price)


def round_robin(choices: Sequence[Choice], turn: int, rand: Callable[[], float]) -> list[Choice]:
    """Everybody goes first once in a round; those behind follow in the pool's order."""
    start = turn % len(choices) if choices else 0
    return [*choices[start:], *choices[:start]]


def weighted(choices: Sequence[Choice], turn: int, rand: Callable[[], float]) -> list[Choice]:
    """By chance, the quicker the likelier: first with a probability in proportion to 1 / expected seconds.

    A draw without replacement (Efraimidis and Spirakis): the smallest of -ln(u) / weight is first.
    """
    drawn = [(-math.log(1.0 - rand()) * max(c.seconds, QUICKEST), i) for i, c in enumerate(choices)]
    return [choices[i] for _, i in sorted(drawn)]


STRATEGIES: Mapping[str, Strategy] = {
    ORDERED: ordered,
    FASTEST: fastest,
    CHEAPEST: cheapest,
    ROUND_ROBIN: round_robin,
    WEIGHTED: weighted,
}

#: What a strategy orders by: seconds to be expected, or USD per token; the others have no number for it.
SCORES: Mapping[str, Callable[[Choice], float | None]] = {
    FASTEST: lambda choice: choice.seconds,
    CHEAPEST: lambda choice: choice.price,
    WEIGHTED: lambda choice: choice.seconds,
}

#: How the trace of a call tells why somebody's turn came.
WORDS: Mapping[str, str] = {
    ORDERED: "next in order",
    FASTEST: "next by the time to be expected",
    CHEAPEST: "next by price",
    ROUND_ROBIN: "next in turn",
    WEIGHTED: "drawn next, the quicker the likelier",
}


def in_order(strategy: str, choices: Sequence[Choice], *, turn: int, rand: Callable[[], float]) -> tuple[int, ...]:
    """The deployments in the order they are to be tried; each once, the pinned ones where they stood.

    Raises KeyError for a strategy that is not in the table.
    """
    loose = iter(STRATEGIES[strategy]([c for c in choices if not c.pinned], turn, rand))
    return tuple(c.deployment if c.pinned else next(loose).deployment for c in choices)
