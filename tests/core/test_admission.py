"""Whom a pool wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rotation.core.admission import MEMBERS, WISHES, Applicant, objections, room

SUN = Applicant(
    provider="openrouter", family="acme", free=True, context=32_000, price_in=0.0, price_out=0.0,
    claims={"tools": True, "images": None, "json_schema": False}, proved=None,
)  # fmt: skip
MEETS: dict[str, Any] = {
    "free": True, "capabilities": ["tools"], "context": 32_000, "families": ["acme"], "tags": [], "providers": [],
    "max_price_in": 0.1, "max_price_out": 0.1, "max_seconds": 2.0,
}  # fmt: skip


def test_every_wish_can_be_met_at_once() -> None:
    assert MEETS.keys() == WISHES.keys()
    assert objections(MEETS, SUN) == []


def test_the_wishes_an_operator_may_write_are_those_that_are_judged() -> None:
    from rotation.control import admits

    assert admits.WISHES.keys() == {*WISHES, "members"}


@pytest.mark.parametrize(
    ("wish", "one", "why"),
    [
        ({"free": True}, replace(SUN, free=False), "it is not free"),
        ({"context": 64_000}, SUN, "its context is 32000, less than 64000"),
        ({"context": 1}, replace(SUN, context=None), "its context is not known, less than 1"),
        ({"capabilities": ["json_schema"]}, SUN, "it has no json schema, its provider says"),
        ({"families": ["qwen"]}, SUN, "its family is acme"),
        ({"providers": ["groq"]}, SUN, "its provider is openrouter"),
        ({"tags": ["specialised"]}, SUN, "it has none of the tags specialised"),
        ({"max_price_in": 0.1}, replace(SUN, free=False, price_in=None), "what it costs to read is not known"),
        ({"max_price_in": 0.1}, replace(SUN, free=False, price_in=0.0), "what it costs to read is not known"),
        ({"max_price_out": 0.1}, replace(SUN, free=False, price_out=2.0), ("to write costs 2 USD per million tokens, "
         "more than 0.1")),
        ({"context": 1}, replace(SUN, kind="embedding"), "it is for embedding, not for chats"),
        ({}, SUN, "the pool wants no new models"),
    ],
)  # fmt: skip
def test_a_wish_that_is_not_met_is_said_in_words(wish: dict[str, Any], one: Applicant, why: str) -> None:
    assert objections(wish, one) == [why]


def test_a_feature_nobody_spoke_of_gets_a_candidate_tried_but_only_proof_opens_the_pool() -> None:
    wish = {"capabilities": ["tools", "images"]}
    assert objections(wish, SUN) == []
    assert objections(wish, replace(SUN, proved=frozenset({"tools"}))) == ["not proved: images"]
    assert objections(wish, replace(SUN, proved=frozenset({"tools", "images"}), claims={"tools": False})) == []


def test_how_quick_it_must_be_is_asked_of_the_proof() -> None:
    wish = {"max_seconds": 2.0}
    assert objections(wish, replace(SUN, proved=frozenset(), seconds=None)) == ["how quick it is was not measured"]
    assert objections(wish, replace(SUN, proved=frozenset(), seconds=3.0)) == ["it takes 3.0 s, over 2"]
    assert objections(wish, replace(SUN, proved=frozenset(), seconds=2.0)) == []


def test_a_pool_for_another_kind_says_so_by_a_tag() -> None:
    ear = replace(SUN, kind="transcription", tags=frozenset({"transcription"}))
    assert objections({"tags": ["transcription"]}, ear) == []


def test_a_pool_has_room_for_twenty_unless_it_wishes_otherwise() -> None:
    assert (room({}), room({"members": 3})) == (MEMBERS, 3)
