"""The way of a page through the gateway: both ends are real servers, the browser is a socket."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from rotation.asgi_words import App, Receive, Scope, Send
from rotation.gateway.pages import PageForwarder


class Dashboard:
    """Plays the pages: echoes what it got, or does what the path asks for."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self.reached = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/stream":
            await self.stream(receive, send)
        elif path == "/half":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise RuntimeError("the dashboard broke in the middle of a page")
        elif path == "/early":
            await answer(send, 413, b"too large", [])
        else:
            await self.echo(scope, receive, send)

    async def echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        told = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": body.decode("latin-1"),
        }
        cookies = [(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")]
        await answer(send, 418, json.dumps(told).encode(), cookies)

    async def stream(self, receive: Receive, send: Send) -> None:
        """Events without an end, until the client goes."""
        self.reached.set()
        await receive()
        gone = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        while not gone.done():
            await send({"type": "http.response.body", "body": b"data: tick\n\n", "more_body": True})
            await asyncio.wait({gone}, timeout=0.02)
        self.gone.set()


async def answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@contextlib.contextmanager
def served(app: App, listening: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(30)


@contextlib.contextmanager
def unix(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        yield listening


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("pages") / "d.sock"


@pytest.fixture(scope="module")
def dashboard(place):
    pages = Dashboard()
    with unix(place) as listening, served(pages, listening):
        yield pages


@pytest.fixture(scope="module")
def front(place):
    """(host, port) of a gateway that only forwards."""
    with socket.create_server(("127.0.0.1", 0)) as listening, served(PageForwarder(str(place)), listening):
        yield listening.getsockname()


@pytest.fixture
def browser(front):
    with contextlib.closing(http.client.HTTPConnection(*front, timeout=60)) as connection:
        yield connection


def test_a_request_arrives_as_it_was_sent(dashboard, browser):
    browser.request("PATCH", "/a%2Fb/%C3%A9?q=1&q=%20x", b"some body", {"X-Thing": "yes", "Cookie": "c=1; d=2"})
    reply = browser.getresponse()
    told = json.loads(reply.read())
    assert reply.status == 418
    assert reply.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert (told["method"], told["path"], told["query"]) == ("PATCH", "/a%2Fb/%C3%A9", "q=1&q=%20x")
    assert told["body"] == "some body"
    assert {"x-thing": "yes", "cookie": "c=1; d=2", "content-length": "9"}.items() <= dict(told["headers"]).items()
    assert {name for name, _ in told["headers"]} & {"user-agent", "accept"} == set(), "nothing is made up"


def test_the_gateway_says_who_the_client_is_and_believes_nobody_else(dashboard, browser):
    lies = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=6.6.6.6",
        "Host": "here.example",
    }
    browser.request("GET", "/", headers=lies)
    told = json.loads(browser.getresponse().read())["headers"]
    assert ["host", "here.example"] in told
    assert [value for name, value in told if "forwarded" in name] == ["127.0.0.1", "http", "here.example"]


def test_a_chunked_upload_is_passed_on(dashboard, browser):
    browser.request("POST", "/", iter([b"one ", b"two ", b"three"]), encode_chunked=True)
    assert json.loads(browser.getresponse().read())["body"] == "one two three"


def test_a_large_upload_is_whole(dashboard, browser):
    body = b"0123456789" * 300_000
    browser.request("POST", "/", body)
    assert json.loads(browser.getresponse().read())["body"] == body.decode()


def test_an_answer_given_before_the_upload_ends_is_passed_on(dashboard, browser):
    with contextlib.suppress(ConnectionError):  # the rest of the upload may find nobody
        browser.request("POST", "/early", b"x" * 1000)
    assert browser.getresponse().status == 413


def test_one_connection_carries_many_pages(dashboard, browser):
    for n in range(20):
        browser.request("GET", f"/{n}")
        assert json.loads(browser.getresponse().read())["path"] == f"/{n}"


def test_a_stream_flows_and_ends_over_there_when_the_browser_goes(dashboard, front):
    with socket.create_connection(front, timeout=60) as link:
        link.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while got.count(b"data: tick") < 3:
            got += link.recv(4096)
        assert not dashboard.gone.is_set()
    assert dashboard.gone.wait(30)


def test_half_a_page_is_a_broken_connection_not_a_short_page(dashboard, browser):
    browser.request("GET", "/half")
    reply = browser.getresponse()
    with pytest.raises(http.client.IncompleteRead):
        reply.read()


def test_while_the_dashboard_starts_a_page_says_so(tmp_path):
    forward = PageForwarder(str(tmp_path / "nobody.sock"))
    with socket.create_server(("127.0.0.1", 0)) as listening, served(forward, listening):
        browser = http.client.HTTPConnection(*listening.getsockname(), timeout=60)
        browser.request("GET", "/")
        reply = browser.getresponse()
        text = reply.read().decode()
        browser.close()
    assert reply.status == 502
    assert "The pages are starting" in text
    assert reply.headers["retry-after"] == "2"
