"""How the tests ask a simulator: by HTTP client, or byte by byte over a raw socket."""

from __future__ import annotations

import json
import socket
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

ROOTS = {
    "openrouter": "/openrouter/api/v1",
    "groq": "/groq/openai/v1",
    "openai": "/openai/v1",
    "together": "/together/v1",
    "generic": "/generic/v1",
}
MODELS = {
    "openrouter": "meta-llama/llama-3.3-8b-instruct:free",
    "groq": "llama-3.3-70b-versatile",
    "openai": "gpt-4o",
    "together": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "generic": "llama3.2:latest",
}
KINDS = tuple(ROOTS)
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def key(kind: str, account: str = "main", number: int = 1) -> str:
    return f"sk-sim-{kind}-{account}-{number}"


def payload(kind: str, text: str = "Tell me about rivers", **fields: Any) -> dict[str, Any]:
    return {"model": MODELS[kind], "messages": [{"role": "user", "content": text}], **fields}


class Client(httpx2.Client):
    """Sends this account's first key unless another is given; an empty one sends none."""

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, timeout=30)

    def chat(
        self, kind: str, text: str = "Tell me about rivers", *, secret: str | None = None, **fields: Any
    ) -> httpx2.Response:
        path = f"{ROOTS[kind]}/chat/completions"
        return self.post(path, json=payload(kind, text, **fields), headers=bearer(kind, secret))

    def fetch(self, kind: str, path: str, *, secret: str | None = None) -> httpx2.Response:
        return self.get(f"{ROOTS[kind]}{path}", headers=bearer(kind, secret))


def bearer(kind: str, secret: str | None = None) -> dict[str, str]:
    secret = key(kind) if secret is None else secret
    return {"authorization": f"Bearer {secret}"} if secret else {}


def events(response: httpx2.Response) -> list[Any]:
    """The JSON of every data event, with "[DONE]" as itself."""
    told = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    return ["[DONE]" if line == "[DONE]" else json.loads(line) for line in told]


def said(chunks: list[Any]) -> str:
    """The text of choice 0."""
    choices = [choice for chunk in chunks if chunk != "[DONE]" for choice in chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices if choice["index"] == 0)


class Raw:
    """One request over a plain socket; what comes back, byte by byte, and how it ended."""

    def __init__(self, url: str, kind: str, **fields: Any) -> None:
        address = urlsplit(url)
        body = json.dumps(payload(kind, **fields)).encode()
        self.socket = socket.create_connection((address.hostname, address.port), timeout=20)
        head = (
            f"POST {ROOTS[kind]}/chat/completions HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer {key(kind)}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + body)

    def read_until(self, mark: bytes) -> bytes:
        got = b""
        while mark not in got:
            chunk = self.socket.recv(65536)
            if not chunk:
                return got
            got += chunk
        return got

    def read_to_the_end(self, patience: float = 20.0) -> tuple[bytes, str]:
        """(everything, "eof" | "reset" | "silence")."""
        self.socket.settimeout(patience)
        got = b""
        while True:
            try:
                chunk = self.socket.recv(65536)
            except ConnectionResetError:
                return got, "reset"
            except TimeoutError:
                return got, "silence"
            if not chunk:
                return got, "eof"
            got += chunk

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
