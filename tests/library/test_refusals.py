"""What is read from other people's exceptions, and that nothing odd in them is taken for a wait."""

from __future__ import annotations

import math
import urllib.error
from email.message import Message
from http import HTTPStatus
from types import SimpleNamespace

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.library.refusals import hint_of, rate_limited, seconds


def raised(**attributes: object) -> Exception:
    error = Exception("no")
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    "error",
    [
        raised(status_code=429),
        raised(status=429),
        raised(code=429),
        raised(code="429"),
        raised(status=HTTPStatus.TOO_MANY_REQUESTS),
        raised(response=SimpleNamespace(status_code=429)),
        urllib.error.HTTPError("https://example.org", 429, "slow down", Message(), None),
    ],
)
def test_a_rate_limit_is_told_by_its_status(error):
    assert rate_limited(error)


@pytest.mark.parametrize(
    "error", [None, raised(), raised(status_code=500), raised(code="rate_limit"), raised(code=[429])]
)
def test_everything_else_is_none(error):
    assert not rate_limited(error)


def test_openais_own_exception_is_understood():
    response = httpx2.Response(429, headers={"Retry-After": "7"}, request=httpx2.Request("POST", "https://example.org"))
    error = openai.RateLimitError("slow down", response=response, body=None)
    assert rate_limited(error)
    assert hint_of(error) == 7


def test_the_attribute_comes_before_the_header_and_garbage_before_nobody():
    assert hint_of(raised(retry_after=3, headers={"retry-after": "9"})) == 3
    assert hint_of(raised(retry_after="soon", headers={"retry-after": "9"})) == 9
    assert hint_of(raised(headers="retry-after: 9")) is None
    assert hint_of(raised(headers={"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})) is None
    assert hint_of(None) is None


ODD: list[object] = [
    None,
    True,
    0,
    -1,
    -0.0,
    math.nan,
    math.inf,
    "",
    "soon",
    "nan",
    "-5",
    "1e999",
    10**400,
    "9" * 10_000,
    b"5",
    [5],
    {},
]


@pytest.mark.parametrize("value", [*ODD, 1.7e9, "\x00", "\ud800"])
def test_what_is_no_wait_is_none(value):
    assert seconds(value) is None


@given(
    value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.integers())
)
def test_whatever_comes_in_a_wait_or_nothing_comes_out(value):
    found = seconds(value)
    assert found is None or (0 < found < 1e9)
