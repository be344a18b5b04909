from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from rotation import client_keys, playing
from rotation.control import people
from rotation.control.by import By
from rotation.models import ClientKey, Door
from rotation.playing import Heard
from tests.dashboard.calls import HOSTILE

pytestmark = pytest.mark.django_db
Asked = list[tuple[str, bytes, str]]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Stands where the gateway would be asked; answers with the model's name."""
    asked: Asked = []

    def put(path: str, body: bytes, *, key: str, content_type: str = "application/json") -> Heard:
        asked.append((path, body, key))
        told = orjson.loads(body)["model"] if path.endswith("completions") else "heard"
        said: Any = {"text": told} if told == "heard" else {"choices": [{"message": {"content": f"I am {told}"}}]}
        return Heard(200, {"x-rotation-model": told, "x-request-id": str(uuid4())}, orjson.dumps(said), 0.1)

    monkeypatch.setattr(playing, "put", put)
    return asked


def test_without_scripts_a_question_is_answered_by_both_sides(page: Client, world: None, door: Asked):
    text = page.post("/playground/", {"a": "fast", "b": "code", "message": "Who?"}).text
    assert "I am fast" in text
    assert "I am code" in text
    assert {path for path, _, _ in door} == {"/v1/chat/completions"}


def test_the_conversation_goes_on_with_the_next_question(page: Client, world: None, door: Asked):
    first = page.post("/playground/", {"a": "fast", "message": "one"}).text
    history = first.split('name="history_a" value="')[1].split('"')[0].replace("&quot;", '"')
    page.post("/playground/", {"a": "fast", "message": "two", "history_a": history})
    said = [turn["content"] for turn in orjson.loads(door[-1][1])["messages"]]
    assert said == ["one", "I am fast", "two"]


def test_an_audio_file_is_transcribed(page: Client, world: None, door: Asked):
    file = SimpleUploadedFile("a.mp3", b"sound", "audio/mpeg")
    assert "heard" in page.post("/playground/", {"a": "transcription", "audio": file}).text
    assert door[0][0] == "/v1/audio/transcriptions"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"a": "auto", "message": ""}, "Write something to ask"),
        ({"a": "", "message": "x"}, "This field is required"),
        ({"a": "auto", "message": "x", "temperature": "hot"}, "Enter a number"),
        ({"a": "auto", "message": "x", "picture": "svg"}, "Choose a PNG"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nobody_is_asked(
    page: Client, world: None, door: Asked, given: dict[str, Any], says: str
):
    if "picture" in given:
        given = {**given, "picture": SimpleUploadedFile("a.svg", b"<svg>", "image/svg+xml")}
    answer = page.post("/playground/", given)
    assert answer.status_code == 422
    assert says in answer.text
    assert door == []


def test_a_link_fills_the_form(page: Client, world: None):
    text = page.get("/playground/?a=code&b=fast&message=Hello%21").text
    assert 'value="code"' in text
    assert "Hello!</textarea>" in text


def test_an_answer_is_text_whatever_it_holds(page: Client, world: None, monkeypatch: pytest.MonkeyPatch):
    body = orjson.dumps({"choices": [{"message": {"content": HOSTILE}}]})
    monkeypatch.setattr(playing, "put", lambda *args, **more: Heard(200, {"x-rotation-model": HOSTILE}, body))
    assert "<script>alert" not in page.post("/playground/", {"a": HOSTILE[:200], "message": HOSTILE}).text


def test_everybody_has_a_key_of_their_own_and_another_one_every_day(db: None):
    now = timezone.now()
    first, plain = client_keys.for_playground(1, "alice", now.date())
    assert client_keys.for_playground(1, "alice", now.date()) == (first, plain)
    assert client_keys.for_playground(2, "bob", now.date())[1] != plain
    again, another = client_keys.for_playground(1, "alice", now.date() + timedelta(days=1))
    assert again.pk == first.pk
    assert another != plain
    assert client_keys.find(another) == again
    assert client_keys.find(plain) is None
    with time_machine.travel(now + timedelta(days=4), tick=False):
        assert client_keys.find(another) is None


@pytest.mark.parametrize("end", ["lock", "remove", "give_role"])
def test_who_may_no_longer_come_in_has_no_key_left(alice: User, end: str):
    olga = By("olga", Door.PAGE)
    bob = people.add(olga, username="bob", role="operator")
    key, plain = client_keys.for_playground(bob.pk, "bob", timezone.now().date())
    getattr(people, end)(olga, bob, *(["viewer"] if end == "give_role" else []))
    assert client_keys.find(plain) is None
    if end != "remove":  # and may come in again: the Playground's page gives it back
        assert client_keys.for_playground(bob.pk, "bob", timezone.now().date()) == (key, plain)
        assert client_keys.find(plain) == key


def test_who_is_called_otherwise_keeps_the_key(db: None):
    today = timezone.now().date()
    key, plain = client_keys.for_playground(1, "alice", today)
    assert client_keys.for_playground(1, "alicia", today) == (key, plain)
    key.refresh_from_db()
    assert key.label == "Playground of alicia"
    ClientKey.objects.filter(pk=key.pk).update(label="Alice tries things")
    assert client_keys.for_playground(1, "alicia", today) == (key, plain)
    key.refresh_from_db()
    assert key.label == "Alice tries things"


def test_who_was_locked_out_stays_so(page: Client, world: None, door: Asked):
    page.get("/playground/")
    ClientKey.objects.filter(label="Playground of alice").update(enabled=False)
    answer = page.post("/playground/", {"a": "auto", "message": "x"})
    assert "was disabled" in answer.text
    assert door == []


def test_a_viewer_may_not_spend_anything_here(client: Client, world: None):
    client.force_login(User.objects.create(username="bob"))
    assert client.get("/playground/").status_code == 403


def test_the_decision_appears_once_the_call_is_written_down(page: Client, ask: Callable[..., UUID]):
    unknown = uuid4()
    waiting = page.get(f"/playground/decision/{unknown}/").text
    assert f"/playground/decision/{unknown}/?n=1" in waiting
    assert "Look for it" in page.get(f"/playground/decision/{unknown}/?n=99").text
    assert page.get(f"/playground/decision/{unknown}/?n=x").status_code == 200
    assert "Why this model" in page.get(f"/playground/decision/{ask()}/").text


def test_a_door_that_is_shut_is_said_so(page: Client, world: None, settings: Any):
    settings.ROTATION_GATEWAY_URL = "http://127.0.0.1:9"
    assert "could not be asked" in page.post("/playground/", {"a": "auto", "message": "x"}).text
