"""The way a verification's questions go: through the gateway's own door, pinned to one model, like anybody's call.

So they meet the same quotas, cooldowns and breakers as traffic, and leave the same rows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

import httpx2
import orjson
from django.conf import settings

from rotation import client_keys
from rotation.discovery.verify.questions import Question

PATH = "/v1/chat/completions"
CAP = 4 * 2**20  # bytes of an answer: beyond it the rest is left unread
SLACK = 10.0  # seconds beyond the deadline the gateway is given to say so


@dataclass(frozen=True, slots=True)
class Heard:
    """What the door said. `status` is 0 when it said nothing, and `trouble` why. Header names are lower case.

    `first_s` and `total_s` are seconds from sending to the first byte of the answer and to its end.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    first_s: float | None = None
    total_s: float = 0.0
    trouble: str = ""


class Door(Protocol):
    """Where questions are put."""

    async def ask(self, model: str, question: Question) -> Heard:
        """`model` is `provider/model`. Never raises for what the other side does."""


class Gateway:
    """The running gateway. Use it as an async context; `key` is the jobs' own client key."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url.rstrip("/") + PATH, key
        self._client: httpx2.AsyncClient | None = None

    @classmethod
    def here(cls) -> Gateway:
        """The one this installation knows. Reads the database."""
        return cls(settings.ROTATION_GATEWAY_URL, client_keys.for_jobs()[1])

    async def __aenter__(self) -> Self:
        self._client = httpx2.AsyncClient(trust_env=False, follow_redirects=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def ask(self, model: str, question: Question) -> Heard:
        started = time.monotonic()
        try:
            async with asyncio.timeout(question.seconds + SLACK):
                return await self._heard(model, question, started)
        except (TimeoutError, httpx2.TimeoutException):
            return Heard(0, total_s=time.monotonic() - started, trouble="timeout")
        except httpx2.HTTPError as error:
            return Heard(0, total_s=time.monotonic() - started, trouble=type(error).__name__)

    async def _heard(self, model: str, question: Question, started: float) -> Heard:
        assert self._client is not None
        body, headers = sent(model, question)
        headers["authorization"] = f"Bearer {self._key}"
        parts, size, first = [], 0, None
        patience = httpx2.Timeout(question.seconds + SLACK, connect=5.0)
        async with self._client.stream("POST", self._url, content=body, headers=headers, timeout=patience) as answer:
            async for part in answer.aiter_bytes():
                first = first if first is not None else time.monotonic() - started
                parts.append(part)
                size += len(part)
                if size > CAP:
                    break
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Heard(answer.status_code, told, b"".join(parts)[:CAP], first, time.monotonic() - started)


def sent(model: str, question: Question) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a question; the key is not among them."""
    headers = {"content-type": "application/json", "x-rotation-pin": model}
    headers["x-deadline-ms"] = str(int(question.seconds * 1000))
    return orjson.dumps({"model": model, **question.payload}), headers
