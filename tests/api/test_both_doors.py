"""Two doors to one room: whatever is asked, the express lane and django-ninja answer the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.core.asgi import get_asgi_application

from rotation.asgi_words import App
from rotation.gateway import accept, life
from rotation.gateway.door import Door
from rotation.simulator.serve import Running, running
from tests.cast import ALICE, BOB, FixedLife, Offer, nothing_else, snapshot_of
from tests.gateway.asking import chat

MODEL = "llama-3.1-8b-instant"
CHAT, MODELS = "/v1/chat/completions", "/v1/models"
VARIES = ("x-request-id", "server-timing", "date", "content-length")
OURS = ("x-", "retry-after", "content-type", "allow", "www-authenticate")
DJANGOS = ("x-frame-options", "x-content-type-options")

Ask = tuple[str, str, dict[str, Any]]


def with_key(key: str, **more: Any) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {key}", "host": "localhost"}, **more}


def asked_so(header: str, value: str) -> dict[str, Any]:
    return {"json": chat(), "headers": {**with_key(ALICE)["headers"], header: value}}


HEADERS = [
    ("x-deadline-ms", "60000"),
    ("x-deadline-ms", "0"),
    ("x-rotation-pin", "sim-groq"),
    ("x-rotation-pin", f"sim-groq/{MODEL}"),
    ("x-rotation-pin", "nobody"),
    ("x-rotation-pin", "x" * 201),
    ("x-rotation-exclude", "nobody, openai"),
    ("x-rotation-exclude", f"sim-groq,{MODEL}"),
    ("x-rotation-exclude", "a\tb"),
    ("x-request-id", "my own id: 7"),
    ("x-request-id", "x" * 129),
]

ASKS: dict[str, Ask] = {
    "a chat": ("POST", CHAT, with_key(ALICE, json=chat(model=MODEL))),
    "a stream": ("POST", CHAT, with_key(ALICE, json=chat(model=MODEL, stream=True))),
    "a completion of a model for chats": (
        "POST",
        "/v1/completions",
        with_key(ALICE, json={"model": MODEL, "prompt": "Once"}),
    ),
    "vectors of a model for chats": ("POST", "/v1/embeddings", with_key(ALICE, json={"model": MODEL, "input": "x"})),
    "vectors of a pool": ("POST", "/v1/embeddings", with_key(ALICE, json={"model": "auto", "input": "x"})),
    "vectors by a wrong method": ("GET", "/v1/embeddings", with_key(ALICE)),
    "the models": ("GET", MODELS, with_key(ALICE)),
    "a pool's entry": ("GET", f"{MODELS}/auto", with_key(ALICE)),
    "a model's entry": ("GET", f"{MODELS}/sim-groq/{MODEL}", with_key(ALICE)),
    "no such entry": ("GET", f"{MODELS}/nothing", with_key(ALICE)),
    "no such model": ("POST", CHAT, with_key(ALICE, json=chat("gpt-17"))),
    "broken JSON": ("POST", CHAT, with_key(ALICE, content=b"{")),
    "a wrong type": ("POST", CHAT, with_key(ALICE, json=chat(temperature="hot"))),
    "a bad deadline": (
        "POST",
        CHAT,
        {"json": chat(), "headers": {**with_key(ALICE)["headers"], "x-deadline-ms": "no"}},
    ),
    **{f"{header}: {value}": ("POST", CHAT, asked_so(header, value)) for header, value in HEADERS},
    "no key": ("POST", CHAT, {"json": chat(), "headers": {"host": "localhost"}}),
    "a wrong key": ("GET", MODELS, with_key("rk_nobody")),
    "not Bob's pool": ("POST", CHAT, with_key(BOB, json=chat("auto"))),
    "a wrong method": ("DELETE", CHAT, with_key(ALICE)),
    "another wrong method": ("POST", MODELS, with_key(ALICE)),
    "no such path": ("GET", "/v1/nothing", with_key(ALICE)),
    "an unknown host": ("GET", MODELS, {"headers": {"authorization": f"Bearer {ALICE}", "host": "evil.example"}}),
}


@pytest.fixture(scope="module")
def sim() -> Iterator[Running]:
    with running(seed=3, speed=500.0) as simulator:
        yield simulator


async def through(app: App, ask: Ask) -> tuple[int, dict[str, str], bytes]:
    method, path, more = ask
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        reply = await client.request(method, path, **more)
    headers = {k: v for k, v in reply.headers.items() if k.startswith(OURS) and k not in VARIES and k not in DJANGOS}
    return reply.status_code, headers, reply.content


def both(sim: Running, journal: Path, ask: Ask) -> list[tuple[int, dict[str, str], bytes]]:
    """The same question through each door of one loop, the simulator set back between them."""

    async def story() -> list[tuple[int, dict[str, str], bytes]]:
        own = FixedLife(snapshot_of(sim.url, [Offer("groq", MODEL)]), journal)
        await own.start()
        life.announce(own)
        doors: list[Callable[[], Awaitable[tuple[int, dict[str, str], bytes]]]] = [
            lambda: through(Door(nothing_else, own), ask),
            lambda: through(get_asgi_application(), ask),
        ]
        found = []
        for door in doors:
            sim.reset()
            found.append(await door())
        await own.stop()
        return found

    return asyncio.run(story())


@pytest.mark.parametrize("name", ASKS)
def test_both_doors_answer_the_same(sim: Running, tmp_path: Path, name: str) -> None:
    express, ninja = both(sim, tmp_path, ASKS[name])
    assert ninja[0] == express[0]
    assert ninja[1] == express[1]
    assert steady(ninja[2]) == steady(express[2])


def test_an_error_of_our_own_is_told_in_the_same_envelope_by_both_doors(
    sim: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: Any) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(accept, "complete", breaks)
    express, ninja = both(sim, tmp_path, ("POST", CHAT, with_key(ALICE, json=chat(model=MODEL))))
    assert express == ninja
    assert (express[0], json.loads(express[2])["error"]["code"]) == (500, "internal_error")
    assert b"secret" not in express[2]
    assert caplog.text.count("a secret of ours") == 2


def steady(body: bytes) -> Any:
    """A body without what a provider says anew each time: ids and times."""
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.strip()]
    return [without_chance(json.loads(line)) if line.startswith((b"{", b"[{")) else line for line in lines]


def without_chance(value: Any) -> Any:
    chance = {"id", "created", "x_groq", "queue_time", "prompt_time", "completion_time", "total_time"}
    if isinstance(value, dict):
        return {k: without_chance(v) for k, v in value.items() if k not in chance}
    return [without_chance(v) for v in value] if isinstance(value, list) else value
