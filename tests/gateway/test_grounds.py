"""What a call's page keeps of the grounds of its decision: needs, policy, quotas; never a word of the prompt."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import orjson

from rotation.core.selection import NEVER, Standing, State
from rotation.core.targets import Needs
from rotation.core.transcription import Audio
from rotation.gateway.audio import Listening
from rotation.gateway.entry import OK
from rotation.gateway.grounds import needs_record, quota_record, until_record
from rotation.gateway.limits import Limits
from rotation.gateway.order import Order
from rotation.gateway.pace import Pace
from rotation.gateway.snapshot import Learned, Route
from rotation.gateway.wishes import Wishes
from rotation.providers.base import Usage
from tests.gateway.parts import MORNING, Hands, Pages, entry, target

ONE, TWO = target(1), target(2)


def test_every_need_is_kept_by_its_name():
    kept = needs_record(Needs(1200, 400, tools=True, images=2))
    assert (kept["prompt_tokens"], kept["max_output"], kept["tools"], kept["images"]) == (1200, 400, True, 2)
    assert not any((kept["parallel_tools"], kept["json_schema"], kept["stream"]))
    assert needs_record(Needs()).keys() == {field.name for field in fields(Needs)}
    assert needs_record(None) == {}


def test_a_line_keeps_needs_and_policy_with_everybody_who_was_considered():
    clock, pages = Hands(), Pages()
    route = Route("code", (1, 9, 2), version=41, strategy="ordered")
    page = entry(clock, [ONE, TWO], pages=pages, route=route, needs=Needs(1642, 418, tools=True))
    page.call = replace(page.call, models=("fast", "gpt-4o"), payload={"messages": [{"content": "my secret plan"}]})
    page.close("failed", 503)
    assert pages[0]["needs"]["prompt_tokens"] == 1642
    assert pages[0]["policy"] == {
        "version": 41, "strategy": "ordered", "order": [1, 2, 9], "keyless": [9], "models": ["fast", "gpt-4o"],
    }  # fmt: skip
    assert b"secret plan" not in orjson.dumps(pages[0])


def test_a_call_by_name_with_every_key_there_says_no_more_than_needed():
    clock, pages = Hands(), Pages()
    entry(clock, [ONE], pages=pages).close("failed", 503)
    assert pages[0]["policy"] == {"version": 0, "strategy": "ordered", "order": [1]}


def test_what_was_left_of_a_limit_is_told_as_it_was_before_this_call_took_its_share():
    limits = Limits(lambda _: None)
    limits.adopt(
        [Learned("account:1", "requests", 20.0, 60.0), Learned("account:1/deployment:1", "tokens", 12_000, 60)], MORNING
    )
    limits.reserve(ONE, 6_600, MORNING)
    reserved = limits.reserve(ONE, 2_100, MORNING)
    assert isinstance(reserved, list)
    rows = {row["axis"]: row for row in quota_record(reserved, MORNING)}
    assert rows["tokens"] == {"axis": "tokens", "window": 60.0, "limit": 12_000.0, "left": 5_400.0}
    assert rows["requests"]["left"] == 19.0


def test_the_trace_keeps_quotas_of_what_was_tried_and_until_when_the_others_were_out():
    clock = Hands()
    cooling = (target(3), Standing(State.COOLING, MORNING + 9, "rate-limited"))
    gone = (target(4), Standing(State.BENCHED, NEVER, "gone"))
    page = entry(clock, [ONE, cooling, gone, TWO])
    note = page.begin(ONE)
    note.quota = [{"axis": "requests", "window": 60.0, "limit": 20.0, "left": 3.0}]
    page.end(note, OK, usage=Usage(1, 1))
    won, out, dead, spare = page.trace()
    assert won["quota"] == note.quota
    assert (out["until"], "until" in dead, "until" in spare, "quota" in spare) == (MORNING + 9, False, False, False)
    assert until_record(Standing(State.READY)) == {}


def test_what_a_strategy_went_by_stands_beside_each_candidate():
    page = entry(Hands(), [ONE, TWO])
    page.scores = {1: 0.8}
    assert [row.get("score") for row in page.trace()] == [0.8]  # the second one ready is left out
    page = entry(Hands(), [ONE, (TWO, Standing(State.UNFIT, NEVER, "too small"))])
    page.scores = {2: 1.5}
    assert [row.get("score") for row in page.trace()] == [None, 1.5]


def test_the_orders_scores_are_taken_once():
    offers = {1: target(1, seed_seconds=4.0).deployment, 2: target(2, seed_seconds=2.0).deployment}
    order = Order(Pace(), now=Hands(), rand=lambda: 0.5)
    assert order.of(Route("a", (1, 2), strategy="fastest"), offers, stream=False) == (2, 1)
    assert order.scores() == {1: 4.0, 2: 2.0}
    order.of(Route("a", (1, 2)), offers, stream=False)
    assert order.scores() == {}


def test_wishes_and_what_a_name_was_taken_for_are_kept():
    clock, pages = Hands(), Pages()
    page = entry(clock, [ONE], pages=pages, route=Route("vision", (1,), why="the messages hold images"))
    page.call = replace(page.call, wishes=Wishes(pin=("groq",), exclude=("gpt-4o",)))
    page.close("failed", 503)
    kept = pages[0]["policy"]
    assert (kept["pin"], kept["exclude"], kept["why"]) == (["groq"], ["gpt-4o"], "the messages hold images")


def test_audio_is_kept_by_size_and_length():
    form: Any = None  # what is kept of a call never looks into it
    record = needs_record(Needs(type="transcription"), Listening(form, Audio(1_000_000, 61.5, translate=True)))
    assert {name: value for name, value in record.items() if name.startswith("audio_")} == {
        "audio_size": 1_000_000, "audio_seconds": 61.5, "audio_format": "json", "audio_translate": True,
        "audio_measured": False,
    }  # fmt: skip
