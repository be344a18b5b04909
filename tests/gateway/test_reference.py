"""A client's own id of a call is given back with every answer, and written down."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.gateway import accept, wishes
from rotation.gateway.wishes import ECHO, MAX_REFERENCE, REFERENCE
from tests.cast import Offer
from tests.gateway.asking import chat
from tests.gateway.scripted import ME, NOWHERE, ask, gate_for, message, pages, upstream, whole


@given(st.text(max_size=200))
def test_only_what_is_safe_in_a_header_is_given_back(text: str) -> None:
    found = wishes.read({REFERENCE: text}).reference
    assert found in ("", text.strip())
    assert found.isascii()
    assert found.isprintable()
    assert len(found) <= MAX_REFERENCE


@pytest.mark.parametrize(("given", "back"), [("order 66", "order 66"), ("a\tb", None), ("é", None), ("x" * 129, None)])
def test_an_answer_gives_it_back_beside_our_own_and_the_page_keeps_it(given: str, back: str | None) -> None:
    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(whole(message()))

    async def story() -> None:
        async with upstream(play) as url, gate_for(Offer("generic", "m", base_url=url)) as gate:
            reply = await accept.chat(gate, ME, orjson.dumps(chat()), {REFERENCE: given})
            assert reply.headers.get(ECHO) == back
            assert reply.headers["x-request-id"] == pages(gate)[0]["id"] != given
            assert pages(gate)[0]["policy"].get("client_request_id") == back

    asyncio.run(story())


def test_so_does_every_refusal() -> None:
    async def story() -> None:
        async with gate_for(Offer("generic", "m", base_url=NOWHERE)) as gate:
            for more in ({}, {"model": "nobody"}, {"temperature": "hot"}):
                _, _, refusal = await ask(gate, told={REFERENCE: "mine"}, **more)
                assert refusal is not None
                assert refusal.headers[ECHO] == "mine"
                assert pages(gate)[-1]["policy"]["client_request_id"] == "mine"

    asyncio.run(story())
