"""Bad input is turned down clearly, in OpenAI's shape, and nothing of it reaches a provider."""

from __future__ import annotations

import socket
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotation.gateway.call import parse
from rotation.gateway.envelope import Refusal
from rotation.simulator.serve import Running
from tests.cast import ALICE, BOB, Serving
from tests.gateway.asking import Open, chat

DEEP = b'{"model":"auto","messages":' + b"[" * 1000 + b"]" * 1000 + b"}"
MODEL = "llama3.2:latest"


def assert_envelope(reply: httpx2.Response, status: int, code: str | None = None, param: str | None = None) -> None:
    """OpenAI's error shape: message, type, param, code, all there."""
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert error["message"]
    if code:
        assert error["code"] == code
    if param:
        assert error["param"] == param


BODIES: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "invalid_json"),
    ("broken JSON", b'{"model": "auto", ', "invalid_json"),
    ("a list", b"[]", "invalid_json"),
    ("a thousand levels", DEEP, "invalid_json"),
    ("a thousand opened", b"[" * 100_000, "invalid_json"),
    ("NaN", b'{"model": NaN}', "invalid_json"),
    ("a lone surrogate", b'{"model":"auto","messages":[{"role":"user","content":"\\ud800"}]}', "invalid_json"),
    ("NUL", b'{"model":"auto","messages":[{"role":"user","content":"a\\u0000b"}]}', "invalid_json"),
    ("raw NUL", b'{"model":"auto","messages":[{"role":"user","content":"a\x00b"}]}', "invalid_json"),
    ("invalid UTF-8", b'{"model":"\xff"}', "invalid_json"),
    ("UTF-16", '{"model":"auto"}'.encode("utf-16"), "invalid_json"),
    ("two documents", b"{}{}", "invalid_json"),
    ("no model", b'{"messages":[]}', "missing_model"),
    ("an unknown model", b'{"model":"gpt-17","messages":[{"role":"user","content":"hi"}]}', "model_not_found"),
    ("a hostile model", b'{"model":"a\\r\\nset-cookie: x","messages":[]}', "invalid_value"),
]


@pytest.mark.parametrize(("body", "code"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
def test_a_bad_body_is_a_clear_4xx_and_leaves_a_row(
    client: httpx2.Client, gateway: Open, sim: Running, body: bytes, code: str
) -> None:
    served = gateway()
    reply = client.post(f"{served.url}/v1/chat/completions", content=body)
    assert_envelope(reply, 404 if code == "model_not_found" else 400, code)
    [call] = served.records()
    assert call["outcome"] == "refused"
    assert call["id"] == reply.headers["x-request-id"]
    assert sim.ledger() == []


WRONG: list[tuple[str, Any]] = [
    ("messages", "hello"), ("messages", []), ("messages", [1]), ("messages", [{"content": "no role"}]),
    ("stream", "yes"), ("n", 0), ("n", "2"), ("max_tokens", -1), ("max_tokens", True), ("temperature", "hot"),
    ("tools", {"a": 1}), ("tools", [1]), ("response_format", "json"), ("models", "a"), ("stream_options", []),
    ("tools", [{}] * 1001), ("parallel_tool_calls", 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_parameter_is_named(client: httpx2.Client, gateway: Open, name: str, value: Any) -> None:
    reply = client.post(f"{gateway().url}/v1/chat/completions", json={**chat(), name: value})
    assert_envelope(reply, 400)
    assert str(reply.json()["error"]["param"]).startswith(name)


def test_an_unknown_models_404_names_near_ones(client: httpx2.Client, gateway: Open) -> None:
    reply = client.post(f"{gateway().url}/v1/chat/completions", json=chat("gpt-4o-minni"))
    assert_envelope(reply, 404, "model_not_found", "model")
    assert "gpt-4o-mini" in reply.json()["error"]["message"]


def test_a_body_beyond_the_limit_is_413_told_or_counted(client: httpx2.Client, gateway: Open) -> None:
    served = gateway()
    large = b"x" * (33 * 1024 * 1024)

    def in_pieces() -> Any:
        for start in range(0, len(large), 1 << 20):
            yield large[start : start + (1 << 20)]

    for content in (large, in_pieces()):
        try:
            assert_envelope(client.post(f"{served.url}/v1/chat/completions", content=content), 413, "request_too_large")
        except httpx2.WriteError:
            continue  # the answer was sent and the connection closed while we were still writing


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ([], 401, "missing_api_key"),
        ([("authorization", "Basic abc")], 401, "missing_api_key"),
        ([("authorization", "Bearer")], 401, "missing_api_key"),
        ([("authorization", "Bearer rk_wrong")], 401, "invalid_api_key"),
        ([("authorization", f"Bearer {ALICE}"), ("authorization", f"Bearer {BOB}")], 400, "duplicate_authorization"),
        ([("cookie", "rotation=session")], 401, "missing_api_key"),
        ([("authorization", f"Bearer {ALICE}"), ("host", "evil.example")], 400, "unknown_host"),
        ([("authorization", f"Bearer {ALICE}"), *((f"x-{n}", "y") for n in range(150))], 431, "headers_too_large"),
    ],
)
def test_who_may_not_enter_is_told_why_before_the_body_is_read(
    gateway: Open, headers: list[tuple[str, str]], status: int, code: str
) -> None:
    served = gateway()
    assert_envelope(httpx2.post(f"{served.url}/v1/chat/completions", headers=headers, content=b"{"), status, code)
    assert served.records() == []


def test_a_client_limited_to_a_pool_gets_that_pool_only(gateway: Open) -> None:
    served = gateway()
    bob = {"authorization": f"Bearer {BOB}"}
    url = f"{served.url}/v1/chat/completions"
    assert httpx2.post(url, json=chat("fast"), headers=bob).status_code == 200
    assert_envelope(httpx2.post(url, json=chat("auto"), headers=bob), 403, "model_not_allowed")
    assert_envelope(httpx2.post(url, json=chat("gpt-4o-mini"), headers=bob), 403, "model_not_allowed")
    listed = httpx2.get(f"{served.url}/v1/models", headers=bob).json()["data"]
    assert [m["id"] for m in listed] == ["fast"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_wrong_method_is_405_and_says_which_is_right(client: httpx2.Client, gateway: Open, method: str) -> None:
    reply = client.request(method, f"{gateway().url}/v1/chat/completions")
    assert_envelope(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/chat", "/v1/%00", "/v1/chat/completions/"])
def test_an_unknown_path_under_v1_is_404_in_the_same_shape(client: httpx2.Client, gateway: Open, path: str) -> None:
    assert_envelope(client.get(gateway().url + path), 404, "unknown_url")


def test_the_list_of_models_has_the_pools_first_and_each_of_its_entries_can_be_asked_for(
    client: httpx2.Client, gateway: Open
) -> None:
    served = gateway()
    listed = client.get(f"{served.url}/v1/models").json()
    assert listed["object"] == "list"
    assert listed["data"][0]["id"] == "auto"
    for model in listed["data"]:
        one = client.get(f"{served.url}/v1/models/{model['id']}")
        assert one.json() == model
    assert_envelope(client.get(f"{served.url}/v1/models/none-such"), 404, "model_not_found")


@pytest.mark.parametrize("value", ["0", "-5", "soon", "1.5", ""])
def test_a_deadline_that_is_no_number_of_milliseconds_is_refused(
    client: httpx2.Client, gateway: Open, value: str
) -> None:
    reply = client.post(f"{gateway().url}/v1/chat/completions", json=chat(), headers={"x-deadline-ms": value})
    assert_envelope(reply, 400, param="x-deadline-ms")


def test_a_body_cannot_steer_where_a_call_goes_or_whose_key_it_takes(
    client: httpx2.Client, gateway: Open, sim: Running
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.05)
        url = f"http://127.0.0.1:{trap.getsockname()[1]}"
        steering = {"api_base": url, "base_url": url, "api_key": "sk-mine", "extra_headers": {"x": "y"}, "headers": {}}
        reply = client.post(f"{gateway().url}/v1/chat/completions", json={**chat(), **steering})
        assert reply.status_code == 200
        with pytest.raises(TimeoutError):
            trap.accept()
    assert len(sim.ledger()) == 1


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from rotation.simulator.serve import running
    from tests.cast import Offer, serving, snapshot_of

    folder = tmp_path_factory.mktemp("journal")
    with running(seed=1, speed=1000.0) as sim, serving(snapshot_of(sim.url, [Offer("generic", MODEL)]), folder) as s:
        yield s


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.one_of(st.binary(max_size=200), json_like, st.dictionaries(
    st.sampled_from(["model", "messages", "stream", "tools", "n", "max_tokens", "response_format", "models"]),
    json_like, max_size=6)))  # fmt: skip
def test_no_body_whatever_makes_the_gateway_fail(fuzzed: Serving, body: Any) -> None:
    more = {"content": body} if isinstance(body, bytes) else {"json": body}
    reply = httpx2.post(f"{fuzzed.url}/v1/chat/completions", headers={"authorization": f"Bearer {ALICE}"}, **more)
    assert 200 <= reply.status_code < 500, reply.text
    if reply.status_code != 200:
        assert_envelope(reply, reply.status_code)


def test_a_backslash_before_u0000_is_a_text_and_not_a_nul() -> None:
    assert parse(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}
    with pytest.raises(Refusal):
        parse(b'{"a": "\\\\\\u0000"}')
