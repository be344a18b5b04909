"""The worker's way to a provider: bounded, without redirects, and only to addresses the provider may live at."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rotation.addresses import Reach
from rotation.jobs.fetch import Cause, FetchFailed, allowed, fetch
from rotation.models import Provider
from rotation.providers.base import Outgoing

HERE = frozenset({Reach.PUBLIC, Reach.LOOPBACK})


class Rude(BaseHTTPRequestHandler):
    """Answers by its path."""

    seen: list[dict[str, str]] = []

    def do_GET(self) -> None:
        Rude.seen.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/redirect":
            self.answer(302, b"", location="http://127.0.0.1:1/elsewhere")
        elif self.path == "/large":
            self.answer(200, b"x" * 300_000)
        elif self.path == "/bomb":
            self.answer(200, gzip.compress(b"x" * 3_000_000), **{"content-encoding": "gzip"})
        elif self.path == "/cut":
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
        else:
            self.answer(418, b"hello", **{"X-Limit": "7"})

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def rude() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Rude) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def ask(address: str, path: str = "/") -> Outgoing:
    return Outgoing("GET", f"http://{address}{path}", {"authorization": "Bearer sk-secret"})


def test_whatever_the_status_the_answer_is_handed_on(rude: str) -> None:
    Rude.seen.clear()
    reply = fetch(ask(rude), HERE)
    assert (reply.status, reply.body, reply.headers["x-limit"]) == (418, b"hello", "7")
    assert Rude.seen[0]["host"] == rude
    assert Rude.seen[0]["authorization"] == "Bearer sk-secret"


def test_a_redirect_is_an_answer_and_not_followed(rude: str) -> None:
    assert fetch(ask(rude, "/redirect"), HERE).status == 302


@pytest.mark.parametrize("path", ["/large", "/bomb"])
def test_an_answer_is_bounded_packed_or_not(rude: str, path: str) -> None:
    with pytest.raises(FetchFailed, match="answered more than"):
        fetch(ask(rude, path), HERE, cap=200_000)


def test_a_slow_answer_is_given_up(rude: str) -> None:
    with pytest.raises(FetchFailed, match="no whole answer in time"):
        fetch(ask(rude), HERE, total=-1)


def test_a_broken_answer_is_no_answer(rude: str) -> None:
    with pytest.raises(FetchFailed, match=r"no answer \(RemoteProtocolError\)"):
        fetch(ask(rude, "/cut"), HERE)


def test_nothing_is_sent_to_an_address_out_of_reach(rude: str) -> None:
    Rude.seen.clear()
    for address in (rude, rude.replace("localhost", "127.0.0.1"), "169.254.169.254", "[::1]:1", "0.0.0.0:1"):
        with pytest.raises(FetchFailed, match="may not live at"):
            fetch(ask(address), frozenset({Reach.PUBLIC}))
    assert Rude.seen == []


def test_no_connection_and_no_name_are_told_apart() -> None:
    with pytest.raises(FetchFailed, match="no connection") as refused:
        fetch(ask("localhost:1"), HERE)
    with pytest.raises(FetchFailed, match="could not be resolved") as unknown:
        fetch(ask("no-such-host.invalid"), HERE)
    assert (refused.value.cause, unknown.value.cause) == (Cause.CONNECTION, Cause.DNS)


def test_a_server_that_speaks_no_tls_is_told_apart_from_one_that_is_not_there(rude: str) -> None:
    encrypted = Outgoing("GET", f"https://{rude}/", {})
    with pytest.raises(FetchFailed, match=r"no trusted connection \(TLS\)") as failed:
        fetch(encrypted, HERE)
    assert failed.value.cause is Cause.TLS


def test_the_environment_has_no_say(rude: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert fetch(ask(rude), HERE).status == 418


def test_where_a_provider_may_live() -> None:
    assert allowed(Provider(kind="openai")) == {Reach.PUBLIC}
    assert allowed(Provider(kind="generic")) == {Reach.PUBLIC, Reach.LOOPBACK}
    assert Reach.PRIVATE in allowed(Provider(kind="generic", options={"local": True}))
    assert Reach.LOOPBACK in allowed(Provider(kind="openai", simulated=True))
