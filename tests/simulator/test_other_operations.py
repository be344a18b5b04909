"""Completions, embeddings and audio, each in its provider's way."""

from __future__ import annotations

import base64
import struct
from typing import Any

import httpx2
import pytest

from rotation.simulator.embeddings import vector
from rotation.simulator.forms import BadForm, read_form
from rotation.simulator.serve import running
from tests.simulator.asking import KINDS, MODELS, ROOTS, Client, bearer, events

EMBEDDERS = {
    "openrouter": "openai/text-embedding-3-small",
    "openai": "text-embedding-3-small",
    "together": "intfloat/multilingual-e5-large-instruct",
    "generic": "nomic-embed-text",
}
LISTENERS = {
    "openrouter": "openai/whisper-large-v3",
    "groq": "whisper-large-v3",
    "openai": "whisper-1",
    "together": "openai/whisper-large-v3",
    "generic": "whisper-base",
}


def post(client: Client, kind: str, path: str, **fields: Any) -> httpx2.Response:
    return client.post(f"{ROOTS[kind]}{path}", json=fields, headers=bearer(kind))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "groq"])
def test_a_prompt_is_completed_whole_and_as_a_stream(client: Client, kind: str) -> None:
    whole = post(client, kind, "/completions", model=MODELS[kind], prompt="What is 6 * 7?").json()
    assert whole["object"] == "text_completion"
    assert whole["choices"][0]["text"].endswith(": 42")
    assert whole["usage"]["completion_tokens"] > 0
    stream = post(client, kind, "/completions", model=MODELS[kind], prompt="What is 6 * 7?", stream=True)
    chunks = events(stream)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks[:-1]) == whole["choices"][0]["text"]
    assert chunks[-1] == "[DONE]"
    assert post(client, kind, "/completions", model=MODELS[kind]).status_code == 400


def test_groq_has_neither_completions_nor_embeddings(client: Client) -> None:
    for path in ("/completions", "/embeddings"):
        answer = post(client, "groq", path, model="llama-3.1-8b-instant", prompt="x", input="x")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")


@pytest.mark.parametrize("kind", EMBEDDERS)
def test_vectors_are_the_same_for_the_same_text_and_of_length_one(client: Client, kind: str) -> None:
    body = post(client, kind, "/embeddings", model=EMBEDDERS[kind], input=["one", "two", "one"]).json()
    one, two, again = (entry["embedding"] for entry in body["data"])
    assert one == again != two
    assert sum(value * value for value in one) == pytest.approx(1, abs=1e-3)
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_base64_is_little_endian_floats_and_dimensions_are_kept(client: Client) -> None:
    asked = {"model": "text-embedding-3-large", "input": [[1, 2, 3]], "dimensions": 8}
    plain = post(client, "openai", "/embeddings", **asked).json()
    packed = post(client, "openai", "/embeddings", **asked, encoding_format="base64").json()
    assert plain["usage"]["prompt_tokens"] == 3
    raw = base64.b64decode(packed["data"][0]["embedding"])
    assert list(struct.unpack("<8f", raw)) == pytest.approx(plain["data"][0]["embedding"])
    assert list(vector("text-embedding-3-large", "1 2 3", 8)) == pytest.approx(plain["data"][0]["embedding"])


WRONG_INPUTS: list[dict[str, Any]] = [
    {},
    {"input": ""},
    {"input": []},
    {"input": [1, "x"]},
    {"input": ["x"] * 2_049},
    {"input": "x" * 40_000},
    {"input": "x", "dimensions": 9_999},
    {"input": "x", "encoding_format": "hex"},
]


@pytest.mark.parametrize("wrong", WRONG_INPUTS)
def test_bad_inputs_of_embeddings_are_refused(client: Client, wrong: dict[str, Any]) -> None:
    assert post(client, "openai", "/embeddings", model="text-embedding-3-small", **wrong).status_code == 400


def test_a_chat_model_does_not_embed_and_an_embedder_does_not_chat(client: Client) -> None:
    assert post(client, "openai", "/embeddings", model="gpt-4o", input="x").status_code == 400
    assert client.chat("openai", model="text-embedding-3-small").status_code == 400


def listen(
    client: Client,
    kind: str,
    *,
    name: str = "talk.mp3",
    size: int = 48_000,
    task: str = "transcriptions",
    **fields: str,
) -> httpx2.Response:
    return client.post(
        f"{ROOTS[kind]}/audio/{task}",
        data={"model": LISTENERS[kind], **fields},
        files={"file": (name, b"\1" * size)},
        headers=bearer(kind),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_audio_is_heard_in_every_kind(client: Client, kind: str) -> None:
    heard = listen(client, kind)
    assert heard.json()["text"] == (
        "This is the simulated transcript of a mp3 file of 48000 bytes, about 3 seconds long."
    )
    translated = listen(client, kind, task="translations")
    assert "translation" in translated.json()["text"]
    beside = {"openai": "usage", "groq": "x_groq", "openrouter": "usage"}
    assert set(heard.json()) == {"text", beside[kind]} if kind in beside else {"text"}


def test_transcripts_come_in_the_forms_a_provider_knows(client: Client) -> None:
    verbose = listen(client, "groq", response_format="verbose_json").json()
    assert verbose["task"] == "transcribe"
    assert verbose["duration"] == 3.0
    assert verbose["segments"][-1]["end"] == 3.0
    assert " ".join(word["word"] for word in verbose["words"]) == verbose["text"]
    assert "".join(segment["text"] for segment in verbose["segments"]).strip() == verbose["text"]
    text = listen(client, "groq", response_format="text")
    assert text.headers["content-type"].startswith("text/plain")
    assert listen(client, "openai", response_format="srt").text.startswith("1\n00:00:00,000 --> 00:00:0")
    assert listen(client, "openai", response_format="vtt").text.startswith("WEBVTT\n\n00:00:00.000 --> ")
    assert listen(client, "groq", response_format="srt").status_code == 400
    assert listen(client, "together", response_format="text").status_code == 400


def test_audio_that_is_too_large_is_a_413(client: Client) -> None:
    assert listen(client, "openai", size=26_214_400 - 1_000).status_code == 200
    too_large = listen(client, "openai", size=26_214_400)
    assert too_large.status_code == 413
    assert "Maximum content size limit (26214400) exceeded" in too_large.json()["error"]["message"]
    assert listen(client, "groq", size=26_214_400).json()["error"]["code"] == "request_too_large"


def test_audio_without_a_file_or_of_an_unknown_format_is_refused(client: Client) -> None:
    assert listen(client, "openai", name="talk.txt").status_code == 400
    path = f"{ROOTS['groq']}/audio/transcriptions"
    assert client.post(path, data={"model": "whisper-large-v3"}, headers=bearer("groq")).status_code == 400
    inline = {
        "model": LISTENERS["openrouter"],
        "input_audio": {"data": base64.b64encode(b"x" * 320).decode(), "format": "wav"},
    }
    assert "320 bytes" in post(client, "openrouter", "/audio/transcriptions", **inline).json()["text"]


def test_groq_counts_seconds_of_audio() -> None:
    with running(speed=1e-6, start=1_761_393_600.0) as sim, Client(sim.url) as client:
        sim.settings(latency=0)
        half_an_hour = 16_000 * 1_500
        for left in (5_700, 4_200, 2_700, 1_200):
            headers = listen(client, "groq", size=half_an_hour).headers
            assert headers["x-ratelimit-remaining-audio-seconds"] == str(left)
        refused = listen(client, "groq", size=half_an_hour)
        assert refused.status_code == 429
        assert "seconds of audio per hour (ASPH): Limit 7200, Used 6000, Requested 1500" in refused.text
        assert "try again in 2m30s" in refused.text
        assert refused.json()["error"]["type"] == "seconds"
        assert listen(client, "groq", size=10).headers["x-ratelimit-remaining-audio-seconds"] == "1190"  # ten at least


BROKEN_FORMS = [
    b"",
    b"--b",
    b"--b\r\n\r\nx\r\n--b--",
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
    b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx',
]


@pytest.mark.parametrize("body", BROKEN_FORMS)
def test_a_broken_form_is_told_so(body: bytes) -> None:
    with pytest.raises(BadForm):
        read_form("multipart/form-data; boundary=b", body)


def test_a_form_may_be_written_in_any_case_and_order() -> None:
    body = (
        b'--b\r\nCONTENT-DISPOSITION: form-data; filename="a.wav"; name="file"\r\n'
        b"Content-Type: audio/wav\r\n\r\n\r\n--\r\n"
        b'\r\n--b\r\nContent-Disposition: form-data; name="x[]"\r\n\r\n1\r\n--b--\r\n'
    )
    form = read_form('multipart/form-data; boundary="b"', body)
    assert (form.files["file"].name, form.files["file"].content) == ("a.wav", b"\r\n--\r\n")
    assert form.fields == {"x[]": ["1"]}
