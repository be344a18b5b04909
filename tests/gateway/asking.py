"""What clients of the stories send, and what they expect to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from tests.cast import Serving

Open = Callable[..., Serving]


def chat(model: str = "auto", text: str = "Say hello.", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def ask(client: httpx2.Client, served: Serving, **more: Any) -> httpx2.Response:
    return client.post(f"{served.url}/v1/chat/completions", json=chat(**more))


def said(response: httpx2.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])
