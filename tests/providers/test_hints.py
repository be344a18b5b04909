"""Waits in every spelling a provider has, and none of the garbage."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.providers.complaints import Complaint
from rotation.providers.hints import LONGEST, seconds, wait_hint
from rotation.providers.sentences import come_back, duration
from tests.providers.cases import NOW

GROQ = "Rate limit reached for model `m` on tokens per minute (TPM): Limit 12000, Used 4437, Requested 9854."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7.66s", 7.66),
        ("2m59.56s", 179.56),
        ("6m0s", 360),
        ("1h0m57.015s", 3657.015),
        ("172ms", 0.172),
        ("1ms", 0.001),
        ("17.399999999s", 17.399999999),
        ("1h2m3.4s", 3723.4),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("1d", 86_400),
        ("0s", 0),
        ("2 minutes", 120),
        ("5 sec", 5),
        ("1 hour 30 minutes", 5400),
    ],
)
def test_durations_are_read_in_every_form(text: str, expected: float) -> None:
    assert duration(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "soon", "5", "s", "5x", "1h?", "-5s", "5s and more", "NaNs", "1" * 5000 + "s"])
def test_other_words_are_no_durations(text: str) -> None:
    assert duration(text) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", 12),
        ("0.5", 0.5),
        (7, 7),
        (9.5, 9.5),
        ("6m0s", 360),
        ("34s", 34),
        ("18058.280732154846", 18058.280732154846),
        (str(int(NOW) + 90), 90),
        (str((int(NOW) + 90) * 1000), 90),
        ((NOW + 5) * 1000, 5),
        (formatdate(NOW + 30, usegmt=True), 30),
        ("86400", 86_400),
        ("90000", LONGEST),
        ("5000000", LONGEST),
        (formatdate(NOW + 10 * 86_400, usegmt=True), LONGEST),
    ],
)
def test_a_wait_is_read_whatever_its_spelling(value: object, expected: float) -> None:
    assert seconds(value, NOW) == pytest.approx(expected)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        -5,
        "0",
        0,
        "nan",
        "inf",
        "-inf",
        float("nan"),
        float("inf"),
        float("-inf"),
        "1e9",
        1e9,
        "1_000",
        "1000000000",
        10**30,
        "9" * 90,
        True,
        None,
        [],
        {},
        "Wed, 99 Foo 2020 99:99:99 GMT",
        ":",
        ",",
        "0x10",
        formatdate(NOW - 5, usegmt=True),
        "Mon, 01 Jan 0001 00:00:00 GMT",
        str(int(NOW) - 1),
        "½",
    ],
)
def test_garbage_is_no_hint(value: object) -> None:
    assert seconds(value, NOW) is None


@given(st.text(max_size=40) | st.floats() | st.integers())
def test_a_wait_is_nothing_or_within_a_day(value: object) -> None:
    found = seconds(value, NOW)
    assert found is None or 0 < found <= LONGEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Please try again in 11.455s. Need more tokens?", 11.455),
        ("Please try again in 644ms. Visit", 0.644),
        ("Please try again in 1m39.738s", 99.738),
        ("Please try again in 7m12s.", 432),
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Please wait 20 seconds before", 20),
        ("Retry after 2 minutes", 120),
        ("try again in about 5m", 300),
    ],
)
def test_texts_tell_when_to_come_back(text: str, expected: float) -> None:
    assert come_back(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["Please retry shortly", "try again", "in 5s", "try again in a moment", "retrying 5"])
def test_texts_without_a_time_tell_nothing(text: str) -> None:
    assert come_back(text) is None


def test_the_better_hint_is_taken_first() -> None:
    headers = {"retry-after-ms": "250", "retry-after": "12", "x-ratelimit-reset": "99"}
    complaint = Complaint(message=f"{GROQ} Please try again in 8s.", waits=(3,), reset=str((NOW + 44) * 1000))
    order = []
    for name in [*headers, None]:
        order.append(wait_hint(headers, complaint, NOW))
        headers.pop(name or "", None)
        if not headers:
            break
    assert order == [0.25, 12, 3]
    assert wait_hint({}, Complaint(message=complaint.message), NOW) == 8
    assert wait_hint({}, Complaint(message=GROQ), NOW) == pytest.approx(11.455)
    assert wait_hint({}, Complaint(reset=str((NOW + 44) * 1000)), NOW) == pytest.approx(44)


def test_an_unusable_hint_gives_way_to_the_next() -> None:
    assert wait_hint({"retry-after": "-1", "retry-after-ms": "soon"}, Complaint(waits=(None, "nan", 5)), NOW) == 5
    assert wait_hint({"retry-after": "0"}, None, NOW) is None


def test_resets_of_a_whole_bucket_count_only_when_nothing_better_is_said() -> None:
    reset = {
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "24h",
    }
    assert wait_hint(reset, None, NOW) == pytest.approx(86.4)
    assert wait_hint({**reset, "retry-after": "3"}, None, NOW) == 3
    assert wait_hint({**reset, "x-ratelimit-remaining-requests": "7"}, None, NOW) is None
    tokens = {
        "x-ratelimit-limit-tokens": "6000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "58s",
    }
    assert wait_hint(tokens, None, NOW) == 58
