"""Where a call may go: pinned, without the excluded, and to those who can see when it holds pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rotation.core.targets import Needs, Placement, Pool
from rotation.gateway.choosing import meant
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.snapshot import Route, Snapshot
from rotation.gateway.wishes import Wishes
from tests.cast import Offer, snapshot_of
from tests.gateway.parts import Hands, call
from tests.gateway.scripted import ask, gate_for, message, pages, upstream, whole

OFFERS = [Offer("groq", "llama"), Offer("together", "llama"), Offer("openai", "gpt-4o"), Offer("groq", "org/x:free")]
BOB = Client(2, "bob", frozenset({"fast"}))
CAROL = Client(3, "carol", frozenset({"auto", "vision"}))
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}


@pytest.fixture
def snapshot() -> Snapshot:
    made = snapshot_of("http://127.0.0.1:9", OFFERS)
    seeing = Pool(9, "vision", (Placement(3, 1), Placement(1, 2)), strategy="cheapest")
    return replace(made, pools={**made.pools, "vision": seeing})


def route(snapshot: Snapshot, asked: str = "auto", client: Client | None = None, **wish: Any) -> Route:
    images = wish.pop("images", 0)
    models = wish.pop("models", ())
    made = call(Hands(), client=client, needs=Needs(images=images))
    return meant(snapshot, replace(made, asked=asked, models=models, wishes=Wishes(**wish)))


def refused(snapshot: Snapshot, **wish: Any) -> tuple[int, str, str | None]:
    with pytest.raises(Refusal) as caught:
        route(snapshot, **wish)
    return caught.value.status, caught.value.code, caught.value.param


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("sim-groq",), (1, 4)),
        (("sim-groq/llama",), (1,)),
        (("sim-groq/org/x:free",), (4,)),
        (("llama",), (1, 2)),
        (("sim-openai", "sim-together"), (2, 3)),
    ],
)
def test_a_pin_leaves_only_whom_it_names_and_an_exclusion_all_others(
    snapshot: Snapshot, names: tuple[str, ...], left: tuple[int, ...]
) -> None:
    assert route(snapshot, pin=names).deployments == left
    assert route(snapshot, exclude=names).deployments == tuple(i for i in (1, 2, 3, 4) if i not in left)


def test_both_together(snapshot: Snapshot) -> None:
    assert route(snapshot, pin=("sim-groq",), exclude=("llama",)).deployments == (4,)


def test_a_chain_is_narrowed_in_all_its_members(snapshot: Snapshot) -> None:
    found = route(snapshot, "llama:fastest", models=("gpt-4o",), exclude=("sim-groq",))
    assert (found.deployments, [m.deployments for m in found.members]) == ((2, 3), [(2,), (3,)])


def test_a_pin_that_nothing_answers_to_is_told_apart(snapshot: Snapshot) -> None:
    pin = "x-rotation-pin"
    assert refused(snapshot, pin=("nobody",)) == (404, "pin_not_found", pin)
    assert refused(snapshot, asked="llama", pin=("sim-openai",)) == (400, "pin_not_in_model", pin)
    assert refused(snapshot, asked="fast", client=BOB, pin=("nobody",)) == (400, "pin_not_in_model", pin)


def test_an_exclusion_of_all_names_its_header_and_one_of_strangers_changes_nothing(snapshot: Snapshot) -> None:
    assert refused(snapshot, asked="gpt-4o", exclude=("sim-openai",)) == (400, "nothing_left", "x-rotation-exclude")
    assert route(snapshot, exclude=("nobody",)).deployments == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("asked", "strategy"), [("auto", "cheapest"), ("pool/auto", "cheapest"), ("auto:fastest", "fastest")]
)
def test_pictures_and_auto_mean_the_pool_that_sees(snapshot: Snapshot, asked: str, strategy: str) -> None:
    found = route(snapshot, asked, images=1)
    assert (found.pool, found.deployments, found.strategy) == ("vision", (3, 1), strategy)
    assert "vision" in found.why


def test_without_pictures_or_by_another_name_the_pool_stays(snapshot: Snapshot) -> None:
    assert route(snapshot, images=0).pool == "auto"
    assert route(snapshot, "fast", images=1).pool == "fast"
    assert route(snapshot, "llama", images=1).pool == ""


def test_a_client_sees_only_if_it_may(snapshot: Snapshot) -> None:
    assert route(snapshot, client=CAROL, images=1).pool == "vision"
    assert route(snapshot, client=Client(4, "dan", frozenset({"auto"})), images=1).pool == "auto"
    assert refused(snapshot, client=BOB, images=1)[0] == 403


def test_a_pool_that_sees_but_has_no_key_is_no_help(snapshot: Snapshot) -> None:
    keyless = replace(snapshot, targets={**snapshot.targets, 1: (), 3: ()})
    assert route(keyless, images=1).pool == "auto"
    without = replace(snapshot, pools={name: p for name, p in snapshot.pools.items() if name != "vision"})
    assert route(without, images=1).pool == "auto"


def test_a_pinned_call_goes_where_it_is_pinned_whatever_it_holds(snapshot: Snapshot) -> None:
    assert route(snapshot, images=1, pin=("sim-together",)).deployments == (2,)


def asked(told: Mapping[str, str], **more: Any) -> tuple[int, Any, list[Any]]:
    """One call through a gateway of two providers, and its page."""

    async def story() -> tuple[int, Any, list[Any]]:
        async def answer(writer: asyncio.StreamWriter) -> None:
            writer.write(whole(message()))

        async with (
            upstream(answer) as url,
            gate_for(Offer("generic", "m", base_url=url), Offer("openai", "m", base_url=url)) as gate,
        ):
            seeing = Pool(9, "vision", (Placement(2, 1),))
            gate.adopt(replace(gate.snapshot, pools={**gate.snapshot.pools, "vision": seeing}))
            status, body, _ = await ask(gate, told=told, **more)
            return status, body, pages(gate)

    return asyncio.run(story())


def test_the_page_of_a_call_with_pictures_says_why_another_pool_was_chosen() -> None:
    status, _, [page] = asked({}, messages=[{"role": "user", "content": [IMAGE]}])
    assert (status, page["asked"], page["pool"], page["deployment"]) == (200, "auto", "vision", 2)
    assert "images" in page["trace"][0]["why"]


def test_a_pinned_call_is_answered_by_the_one_it_names() -> None:
    assert asked({"x-rotation-pin": "sim-openai"})[2][0]["deployment"] == 2
    assert asked({"x-rotation-exclude": "sim-openai"})[2][0]["deployment"] == 1


def test_a_pin_that_names_nobody_leaves_a_page() -> None:
    status, body, [page] = asked({"x-rotation-pin": "groqq"})
    assert (status, body["error"]["param"]) == (404, "x-rotation-pin")
    assert (page["outcome"], page["attempts"]) == ("refused", [])
