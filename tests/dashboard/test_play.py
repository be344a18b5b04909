"""What the Playground sends and reads."""

from __future__ import annotations

import base64
from email import message_from_bytes
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.play import Asked, Upload, audio_body, chat_body, messages, past, read
from rotation.playing import Heard

ANSWERED = {"choices": [{"message": {"role": "assistant", "content": "Paris", "reasoning": "hm"}}]}
HEADERS = {
    "x-request-id": "0190b6a0-0000-7000-8000-000000000001", "x-rotation-model": "llama", "x-rotation-provider": "groq",
    "x-rotation-attempts": "2", "x-rotation-simulated": "1",
}  # fmt: skip


def test_a_question_carries_the_conversation_and_the_system_text_once_and_first():
    history = orjson.dumps([{"role": "system", "content": "old"}, {"role": "user", "content": "a"}]).decode()
    sent = messages(Asked("b", system="new"), history)
    assert [(one["role"], one["content"]) for one in sent] == [("system", "new"), ("user", "a"), ("user", "b")]


def test_a_picture_goes_along_as_a_data_address():
    body = orjson.loads(chat_body("vision", Asked("what?", picture=Upload("x", "image/png", b"png"), max_tokens=5), ""))
    text, picture = body["messages"][-1]["content"]
    assert text["text"] == "what?"
    assert picture["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(b'png').decode()}"
    assert body["max_tokens"] == 5
    assert "temperature" not in body


def test_audio_is_a_form_with_a_model_and_a_file_whatever_its_name():
    body, kind = audio_body("transcription", Upload('a"\r\nX: y.mp3', "audio/mpeg", b"\x00sound"))
    parts: Any = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).get_payload()
    model, file = parts
    assert model.get_payload() == "transcription"
    assert file.get_payload(decode=True) == b"\x00sound"
    assert file.get_filename() == "aX: y.mp3"


def test_an_answer_is_shown_with_who_gave_it_and_the_conversation_goes_on():
    said = read("auto", Heard(200, HEADERS, orjson.dumps(ANSWERED), 0.5), [{"role": "user", "content": "?"}])
    assert (said.text, said.reasoning, said.model, said.provider) == ("Paris", "hm", "llama", "groq")
    assert said.simulated
    assert str(said.request_id) == HEADERS["x-request-id"]
    assert past(said.history)[-1] == {"role": "assistant", "content": "Paris"}


@pytest.mark.parametrize(
    ("heard", "error"),
    [
        (Heard(429, {}, b'{"error": {"message": "slow down"}}'), "slow down"),
        (Heard(500, {}, b"<html>"), "HTTP 500"),
        (Heard(0, trouble="no answer within 90 s"), "no answer within 90 s"),
    ],
)
def test_an_error_is_told_in_its_own_words(heard: Heard, error: str):
    assert read("auto", heard, []).error == error


def test_a_transcription_is_its_text():
    assert read("transcription", Heard(200, {}, b'{"text": "hello"}'), []).text == "hello"


ODD = [b'{"choices": 1}', b'{"choices": [1]}', b'{"choices": [{"message": 3}]}', b'{"error": []}', b"[]"]


@given(st.binary(max_size=60) | st.sampled_from(ODD))
def test_whatever_is_answered_is_read(body: bytes):
    for status in (200, 400):
        assert isinstance(read("auto", Heard(status, {"x-request-id": "no id"}, body), []).text, str)


@given(st.text(max_size=60) | st.sampled_from(["[1]", '[{"role": 3}]', "{}", "[[]]"]))
def test_whatever_a_form_carries_is_a_conversation(history: str):
    assert all(isinstance(turn["role"], str) for turn in past(history))


def test_half_a_character_in_an_answer_or_an_error_is_shown_as_such_and_stops_nothing():
    said = rb'{"choices": [{"message": {"content": "a \ud800 b \u0000"}}]}'
    answer = read("auto", Heard(status=200, body=said), [{"role": "user", "content": "hello"}])
    assert answer.text == "a \ufffd b \ufffd"
    assert past(answer.history)[-1]["content"] == "a \ufffd b \ufffd"
    refused = Heard(status=500, body=rb'{"error": {"message": "\ud800 went wrong"}}')
    assert read("auto", refused, []).error == "\ufffd went wrong"
