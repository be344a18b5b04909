"""A server that refuses `stream_options` is asked again without: the answer is worth more than the count."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import httpx2
import pytest
import uvicorn

from rotation.asgi_words import Receive, Scope, Send
from tests.cast import Offer, wait_for
from tests.gateway.asking import Open, ask

REFUSED = {"error": {"message": "Unrecognized request argument supplied: stream_options", "param": "stream_options",
                     "type": "invalid_request_error", "code": "unsupported_parameter"}}  # fmt: skip
CHUNK = {"choices": [{"index": 0, "delta": {"content": "hello"}, "finish_reason": "stop"}]}


async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
    """An OpenAI-compatible server of the older kind."""
    body = json.loads((await receive())["body"])
    refuses = "stream_options" in body
    kind = b"application/json" if refuses else b"text/event-stream"
    await send({"type": "http.response.start", "status": 400 if refuses else 200, "headers": [(b"content-type", kind)]})
    text = json.dumps(REFUSED) if refuses else f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n"
    await send({"type": "http.response.body", "body": text.encode()})


@pytest.fixture
def server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = uvicorn.Server(uvicorn.Config(stubborn, log_config=None, lifespan="off"))
        thread = threading.Thread(target=app.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_for(lambda: app.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        app.should_exit = True
        thread.join(20)


def test_it_answers_all_the_same_and_is_not_asked_twice_again(
    client: httpx2.Client, gateway: Open, server: str
) -> None:
    served = gateway(Offer("generic", "old", base_url=server))
    for _ in range(2):
        reply = ask(client, served, stream=True)
        assert reply.status_code == 200, reply.text
        assert "hello" in reply.text
    wait_for(lambda: len(served.records()) == 2)
    assert [len(call["attempts"]) for call in served.records()] == [1, 1]
    [lack] = served.records("lack")
    assert lack["feature"] == "stream_options"
    assert "stream_options" in served.gate.snapshot.deployments[1].lacks
