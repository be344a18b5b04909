from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from dashboard.snippets import snippets
from rotation import client_keys, roles, setup_link
from rotation.models import Account, ClientKey, Key, Provider, Role


def by_name(*args: str) -> dict[str, str]:
    return {one.name: one.code for one in snippets(*args)}


@given(st.text(max_size=30))
def test_what_is_pasted_means_what_it_says_whatever_is_asked(message: str):
    code = by_name("http://here:8000/v1", "rk_x", "auto", message)
    words = shlex.split(code["curl"].replace("\\\n", " "))
    assert json.loads(words[words.index("-d") + 1])["messages"][0]["content"] == message
    for name in ("Python", "LangChain"):
        texts = {node.value for node in ast.walk(ast.parse(code[name])) if isinstance(node, ast.Constant)}
        assert {"http://here:8000/v1", "rk_x", "auto"} <= texts
    assert json.dumps(message) in code["JavaScript"]


@pytest.mark.django_db
def test_a_new_account_is_led_through_three_steps(client: Client, world: None):
    link = setup_link.make() or ""
    given = {"username": "ada", "password": "a very long word", "again": "a very long word"}
    answer = client.post(f"/setup/{link.rstrip('/').rpartition('/')[2]}/", given)
    assert answer["Location"] == "/start/"
    text = client.get("/start/").text
    assert "Look around with simulated providers" in text
    assert "Add a key of OpenRouter" in text
    assert "http://testserver/v1" in text


@pytest.mark.django_db
def test_the_key_made_here_works_and_is_shown_once(page: Client, world: None):
    text = page.post("/start/").text
    plain = next(word for word in text.replace("<", " ").replace(">", " ").split() if word.startswith("rk_"))
    assert text.count(plain) >= 5  # itself, and in every snippet
    found = client_keys.find(plain)
    assert found is not None
    assert found.label.startswith("My first program")
    assert plain not in page.get("/start/").text


@pytest.mark.django_db
def test_steps_say_when_they_are_done(page: Client, ask: Callable[..., UUID]):
    assert ">done<" not in page.get("/start/").text
    ask()
    assert ">done<" in page.get("/start/").text
    groq = Provider.objects.get(name="groq")
    account = Account.objects.get_or_create(provider=groq, label="main")[0]
    Key.objects.take_in(account, "gsk_secret1234")
    Provider.objects.filter(pk=groq.pk).update(enabled=True)
    text = page.get("/start/").text
    assert "a key is stored" in text
    assert "gsk_secret" not in text


@pytest.mark.django_db
def test_a_viewer_reads_it_and_makes_no_key(client: Client, world: None):
    bob = User.objects.create(username="bob")
    client.force_login(bob)
    assert "Make a client key" not in client.get("/start/").text
    before = ClientKey.objects.count()
    assert client.post("/start/").status_code == 403
    roles.give(bob, Role.OPERATOR)
    assert client.post("/start/").status_code == 403
    assert ClientKey.objects.count() == before
