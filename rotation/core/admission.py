"""Whom a pool wants: its wishes (`admits`) held against what a listing says of a model, or what was proved of it.

The wishes are one table. A pool without wishes wants nobody new. What is not known of a model does not meet a wish.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CHAT = "chat"
MEMBERS = 20  # living members a pool takes in up to, unless it wishes otherwise
FEATURES = ("tools", "parallel_tools", "json_schema", "images")


@dataclass(frozen=True, slots=True)
class Applicant:
    """A model as it asks to be let in. Prices USD per million tokens, None: not known.

    `claims` are the provider's words on its features; `proved` what it was seen to be able to do, None before anything
    was tried; `seconds` the median of its answers.
    """

    provider: str
    family: str
    kind: str = CHAT
    tags: frozenset[str] = frozenset()
    free: bool = False
    context: int | None = None
    price_in: float | None = None
    price_out: float | None = None
    claims: Mapping[str, bool | None] = field(default_factory=dict)
    proved: frozenset[str] | None = None
    seconds: float | None = None


def _free(wish: Any, one: Applicant) -> str:
    return "it is not free" if wish and not one.free else ""


def _capabilities(wish: Any, one: Applicant) -> str:
    if one.proved is not None:
        lacking = [name for name in wish if name not in one.proved]
        return f"not proved: {_names(lacking)}" if lacking else ""
    lacking = [name for name in wish if one.claims.get(name) is False]
    return f"it has no {_names(lacking)}, its provider says" if lacking else ""


def _context(wish: Any, one: Applicant) -> str:
    if not wish or (one.context or 0) >= wish:
        return ""
    return f"its context is {one.context or 'not known'}, less than {wish}"


def _families(wish: Any, one: Applicant) -> str:
    return "" if not wish or one.family in wish else f"its family is {one.family or 'not known'}"


def _tags(wish: Any, one: Applicant) -> str:
    return "" if not wish or one.tags.intersection(wish) else f"it has none of the tags {_names(wish)}"


def _providers(wish: Any, one: Applicant) -> str:
    return "" if not wish or one.provider in wish else f"its provider is {one.provider}"


def _price(side: str, words: str) -> Callable[[Any, Applicant], str]:
    def judge(wish: Any, one: Applicant) -> str:
        price = 0.0 if one.free else getattr(one, side)
        # A price of nothing that nobody calls free mostly belongs to what cannot be called at all.
        if price is None or (price == 0 and not one.free):
            return f"what it costs to {words} is not known"
        return f"to {words} costs {price:g} USD per million tokens, more than {wish:g}" if price > wish else ""

    return judge


def _seconds(wish: Any, one: Applicant) -> str:
    if one.proved is None or (one.seconds is not None and one.seconds <= wish):
        return ""
    return "how quick it is was not measured" if one.seconds is None else f"it takes {one.seconds:.1f} s, over {wish:g}"


#: Wish -> why a model does not meet it, "" when it does. (`members`, the pool's size, is no wish about a model.)
WISHES: Mapping[str, Callable[[Any, Applicant], str]] = {
    "free": _free,
    "capabilities": _capabilities,
    "context": _context,
    "families": _families,
    "tags": _tags,
    "providers": _providers,
    "max_price_in": _price("price_in", "read"),
    "max_price_out": _price("price_out", "write"),
    "max_seconds": _seconds,
}


def objections(admits: Mapping[str, Any], one: Applicant) -> list[str]:
    """Why a pool with these wishes does not want it, in the order of the table; [] when it does."""
    if not admits:
        return ["the pool wants no new models"]
    kinds = {CHAT} if not admits.get("tags") else {CHAT, *admits["tags"]}
    found = [f"it is for {one.kind}, not for chats"] if one.kind not in kinds else []
    return found + [why for name, judge in WISHES.items() if name in admits and (why := judge(admits[name], one))]


def room(admits: Mapping[str, Any]) -> int:
    """How many living members the pool takes in up to."""
    return int(admits.get("members") or MEMBERS)


def _names(words: Any) -> str:
    return ", ".join(str(word).replace("_", " ") for word in words)
