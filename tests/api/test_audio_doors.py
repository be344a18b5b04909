"""Audio through both doors: the same answers, and the same refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.core.asgi import get_asgi_application

from rotation.asgi_words import App
from rotation.gateway import life
from rotation.gateway.door import Door
from rotation.simulator.serve import Running, running
from tests.api.test_both_doors import DJANGOS, OURS, VARIES, steady
from tests.cast import ALICE, BOB, FixedLife, nothing_else
from tests.gateway.uploading import FORM, form, kept_files, listening

HEARD, TRANSLATED = "/v1/audio/transcriptions", "/v1/audio/translations"

Answer = tuple[int, dict[str, str], bytes]


def ask(body: bytes = form(model="auto"), *, path: str = HEARD, method: str = "POST", key: str = ALICE,
        kind: str = FORM) -> httpx2.Request:  # fmt: skip
    headers = {"host": "localhost", "content-type": kind} | ({"authorization": f"Bearer {key}"} if key else {})
    return httpx2.Request(method, f"http://localhost{path}", content=body, headers=headers)


ASKS: dict[str, httpx2.Request] = {
    "a transcription": ask(),
    "a translation": ask(form(model="transcription"), path=TRANSLATED),
    **{f"as {name}": ask(form(model="auto", response_format=name)) for name in ("text", "srt", "verbose_json", "vtt")},
    "a model by name": ask(form(model="whisper-1")),
    "a large file": ask(form(bytes(2_000_000), model="auto")),
    "a file too large for all": ask(form(bytes(27_000_000), model="auto")),
    "no such model": ask(form(model="gpt-17")),
    "no model": ask(form()),
    "a wrong format": ask(form(model="auto", response_format="yaml")),
    "no file": ask(b"--simple-boundary--\r\n"),
    "a form cut off": ask(form(model="auto")[:-9]),
    "no form": ask(b"{}", kind="application/json"),
    "no content type": ask(b"", kind=""),
    "no key": ask(key=""),
    "not Bob's pool": ask(key=BOB),
    "a wrong method": ask(b"", method="GET"),
    "another wrong method": ask(path=TRANSLATED, method="DELETE"),
    "too much": ask(form(bytes(30_000_000), model="auto")),
}
MOST = 29_000_000
STATUS = {
    "a file too large for all": 400, "no such model": 404, "no model": 400, "a wrong format": 400, "no file": 400,
    "a form cut off": 400, "no form": 400, "no content type": 400, "no key": 401, "not Bob's pool": 403,
    "a wrong method": 405, "another wrong method": 405, "too much": 413,
}  # fmt: skip


@pytest.fixture(scope="module")
def sim() -> Iterator[Running]:
    with running(seed=3, speed=500.0) as simulator:
        yield simulator


async def through(app: App, request: httpx2.Request) -> Answer:
    async with httpx2.ASGITransport(app=app) as transport:
        reply = await transport.handle_async_request(request)
        body = await reply.aread()
    headers = {k: v for k, v in reply.headers.items() if k.startswith(OURS) and k not in (*VARIES, *DJANGOS)}
    return reply.status_code, headers, body


@pytest.mark.parametrize("name", ASKS)
def test_both_doors_hear_the_same(sim: Running, tmp_path: Path, name: str, settings: Any) -> None:
    settings.ROTATION_MAX_AUDIO = MOST

    async def story() -> list[Answer]:
        own = FixedLife(listening(sim.url), tmp_path)
        await own.start()
        life.announce(own)
        found = []
        for door in (Door(nothing_else, own), get_asgi_application()):
            sim.reset()
            found.append(await through(door, ASKS[name]))
            assert own.gate is not None
            own.gate.health.uploads._used.clear()  # the second finds the turns as the first did
            own.gate.health.limits.quotas.clear()
        await own.stop()
        return found

    express, ninja = asyncio.run(story())
    assert ninja[0] == express[0] == STATUS.get(name, 200)
    assert ninja[1] == express[1]
    assert as_said(ninja[2]) == as_said(express[2])
    assert kept_files() == []


def as_said(body: bytes) -> Any:
    return steady(body) if body.startswith(b"{") else body


def test_the_operations_are_declared() -> None:
    from rotation.api.v1 import api

    paths = api.get_openapi_schema()["paths"]
    fields = {
        path: set(paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"])
        for path in (HEARD, TRANSLATED)
    }
    assert fields[TRANSLATED] == {"file", "model", "prompt", "response_format", "temperature"}
    assert fields[HEARD] == fields[TRANSLATED] | {"language", "timestamp_granularities[]"}
