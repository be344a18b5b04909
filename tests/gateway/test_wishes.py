"""What a client asks in its headers: read strictly, the same from both doors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.gateway.envelope import Refusal
from rotation.gateway.wishes import DEADLINE, EXCLUDE, HEADERS, MAX_NAMES, PIN, TOTAL, Wishes, read, told


def test_nothing_asked_is_no_wish() -> None:
    assert read({}) == Wishes() == read({PIN: " ", EXCLUDE: ",, ,"})


def test_a_deadline_is_milliseconds_and_never_later_than_a_call_may_last() -> None:
    assert read({DEADLINE: "1500"}).seconds == 1.5
    assert read({DEADLINE: "9" * 400}).seconds == TOTAL


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "soon", "１２", "5,5", "1e3"])
def test_a_deadline_that_is_no_number_of_milliseconds_names_the_header(value: str) -> None:
    with pytest.raises(Refusal) as refused:
        read({DEADLINE: value})
    assert (refused.value.status, refused.value.param) == (400, DEADLINE)


def test_names_are_separated_by_commas_and_said_once() -> None:
    wishes = read({PIN: "groq", EXCLUDE: " openai, groq/llama ,openai"})
    assert (wishes.pin, wishes.exclude) == (("groq",), ("openai", "groq/llama"))


@pytest.mark.parametrize("header", [PIN, EXCLUDE])
@pytest.mark.parametrize("value", ["x" * 201, ",".join(f"m{n}" for n in range(MAX_NAMES + 1)), "a\x7fb", "a\x85b"])
def test_what_cannot_be_names_is_refused(header: str, value: str) -> None:
    with pytest.raises(Refusal) as refused:
        read({header: value})
    assert (refused.value.status, refused.value.param) == (400, header)


@given(st.lists(st.tuples(st.sampled_from([b"X-Rotation-Pin", b"x-rotation-pin", b"cookie"]), st.binary(max_size=9))))
def test_of_a_requests_headers_only_the_wishes_are_handed_over(headers: list[tuple[bytes, bytes]]) -> None:
    found = told(headers)
    assert found.keys() <= set(HEADERS)
    assert found.get(PIN, "") == ",".join(v.decode("latin-1") for k, v in headers if k != b"cookie")
