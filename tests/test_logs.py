from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation import logs

SECRETS = (
    "sk-or-v1-0123456789abcdef0123456789abcdef",
    "gsk_0123456789abcdefABCDEF",
    "rk_aB3dE6gH_0123456789abcdefghijABCDEFGHIJ0123456789klm",
    "gAAAAABnF0bYQz9JZ0pX1k2m3n4o5p6q7r8s9t0u==",
)


@pytest.fixture
def written():
    """Logs through the real configuration into memory."""

    def write(*, as_json: bool, say) -> str:
        config = logs.config("INFO", as_json=as_json)
        logger = logging.Logger("rotation.test")  # noqa: LOG001 - one of our own, gone after the test
        into = io.StringIO()
        handler = logging.StreamHandler(into)
        handler.addFilter(logs.Redaction())
        handler.setFormatter(logs.Json() if as_json else logs.Line())
        logger.addHandler(handler)
        assert config["handlers"]["stderr"]["filters"] == ["redaction"]
        say(logger)
        return into.getvalue()

    return write


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_secret_never_reaches_a_log_line(written, secret, as_json):
    line = written(as_json=as_json, say=lambda log: log.warning("sent %s and {%r}", secret, {"key": secret}))
    assert secret not in line
    assert secret[:-4][-12:] not in line


@pytest.mark.parametrize("as_json", [False, True])
def test_a_secret_in_a_traceback_is_redacted_too(written, as_json):
    def fail(log):
        try:
            raise ValueError(f"no good: {SECRETS[0]}")
        except ValueError:
            log.exception("failed")

    line = written(as_json=as_json, say=fail)
    assert "ValueError" in line
    assert SECRETS[0] not in line


def test_headers_and_addresses_lose_their_passwords():
    text = logs.redact("Authorization: Bearer abcdefgh12345678 postgresql://me:hunter22hunter22@db/x")
    assert "abcdefgh" not in text
    assert "hunter" not in text
    assert "@db/x" in text


def test_a_long_secret_keeps_its_tail_so_that_it_can_be_told_apart():
    assert logs.redact(f"key {SECRETS[0]} failed") == "key …cdef failed"


@given(st.text())
def test_ordinary_text_of_any_kind_does_not_break_it(text):
    assert isinstance(logs.redact(text), str)


@pytest.mark.parametrize(
    "text", ["task-force-meeting", "rotation.gateway: tried sim-groq/llama-3.1-8b-instant", "request 0198a-77 ok"]
)
def test_ordinary_words_are_left_alone(text):
    assert logs.redact(text) == text


def test_a_line_for_people_has_time_level_logger_and_request(written):
    line = written(as_json=False, say=lambda log: log.warning("tried again", extra={"request_id": "0198"}))
    assert line.endswith("Z WARNING rotation.test: tried again (request 0198)\n")


def test_a_line_for_machines_is_one_object(written):
    line = written(as_json=True, say=lambda log: log.info("two\nlines \ud800", extra={"request_id": "0198"}))
    assert line.count("\n") == 1
    told = json.loads(line)
    assert told["level"] == "INFO"
    assert told["request_id"] == "0198"


def test_a_wrong_call_of_the_logger_is_not_an_error_of_the_program(written):
    assert "%d of" in written(as_json=False, say=lambda log: log.info("%d of %d", "x"))  # noqa: PLE1206 - the mistake


def test_clients_that_log_whole_addresses_are_quiet():
    loggers = logs.config("DEBUG", as_json=False)["loggers"]
    assert {loggers[name]["level"] for name in ("httpx", "httpx2", "httpcore", "aiohttp")} == {"WARNING"}
    assert loggers["rotation"]["level"] == "DEBUG"
