from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from rotation import playing
from rotation.models import KeptPrompt
from rotation.playing import Heard
from rotation.prompts import packed
from tests.dashboard.calls import HOSTILE

pytestmark = pytest.mark.django_db
Ask = Callable[..., UUID]
BODY = {"model": "auto", "stream": True, "temperature": 0, "messages": [{"role": "user", "content": "What is it?"}]}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def put(path: str, body: bytes, *, key: str, content_type: str = "") -> Heard:
        seen.append((path, orjson.loads(body)))
        said = {"choices": [{"message": {"content": "It is this."}}]}
        return Heard(200, {"x-request-id": str(uuid4())}, orjson.dumps(said))

    monkeypatch.setattr(playing, "put", put)
    return seen


def keep(request: UUID, body: Any = None, operation: str = "chat") -> None:
    KeptPrompt.objects.create(request_id=request, at=timezone.now(), sealed=packed(operation, body or BODY))


def test_a_kept_prompt_is_asked_again_whole_and_unstreamed(page: Client, ask: Ask, sent: list[Any]):
    uuid = ask()
    keep(uuid)
    assert "What is it?" in page.get(f"/requests/{uuid}/again/").text
    assert sent == []
    assert "It is this." in page.post(f"/requests/{uuid}/again/").text
    path, body = sent[0]
    assert path == "/v1/chat/completions"
    assert body == {name: value for name, value in BODY.items() if name != "stream"}


def test_what_was_not_kept_is_not_asked_and_the_page_says_what_to_do(page: Client, ask: Ask, sent: list[Any]):
    uuid = ask()
    for answer in (page.get(f"/requests/{uuid}/again/"), page.post(f"/requests/{uuid}/again/")):
        assert "Keep prompts" in answer.text
        assert "/playground/?a=auto" in answer.text
    assert sent == []


def test_what_is_missing_is_said(page: Client, ask: Ask):
    uuid = ask()
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    keep(uuid, {"model": "auto", "messages": [{"role": "user", "content": [picture]}]})
    assert "Not kept, so not asked again: image" in page.get(f"/requests/{uuid}/again/").text


def test_a_prompt_is_shown_as_text(page: Client, ask: Ask):
    uuid = ask()
    keep(uuid, {"model": "auto", "messages": [{"role": "user", "content": HOSTILE}]})
    assert "<script>alert" not in page.get(f"/requests/{uuid}/again/").text


def test_the_page_of_a_call_says_whether_its_body_was_kept(page: Client, ask: Ask):
    uuid = ask()
    assert "not stored" in page.get(f"/requests/{uuid}/").text
    keep(uuid)
    assert "kept, sealed" in page.get(f"/requests/{uuid}/").text


def test_a_viewer_may_not_read_prompts(client: Client, ask: Ask):
    uuid = ask()
    keep(uuid)
    client.force_login(User.objects.create(username="bob"))
    assert client.get(f"/requests/{uuid}/again/").status_code == 403
    assert "Ask again" not in client.get(f"/requests/{uuid}/").text


def test_a_call_that_is_not_there_is_not_asked_again(page: Client, world: None):
    assert page.post(f"/requests/{uuid4()}/again/").status_code == 404
