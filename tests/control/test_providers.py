from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.core.exceptions import ValidationError

from rotation.control import providers
from rotation.control.testing import SAY, Trouble, judged
from rotation.jobs.fetch import Cause, Reply
from rotation.models import AuditEvent, Key, Provider
from tests.models import rows

pytestmark = pytest.mark.django_db
SECRET = "sk-first-0123456789abcdefghij"
MOVED = "https://elsewhere.example.com/v1"


def problems(refused: pytest.ExceptionInfo[ValidationError]) -> dict[str, list[str]]:
    return refused.value.message_dict


def test_a_provider_comes_with_an_account_and_its_key(olga):
    provider = providers.add(olga, secret=SECRET, kind="groq", name="g", base_url="https://api.groq.com/openai/v1")
    key = provider.keys().get()
    assert (key.account.label, key.secret.reveal(), provider.label) == ("main", SECRET, "g")


def test_a_generic_server_that_wants_no_key_gets_an_empty_one(olga):
    provider = providers.add(olga, kind="generic", name="lab", base_url="http://127.0.0.1:11434/v1")
    assert provider.keys().get().sealed == ""


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "nobody"}, "kind"),
        ({"name": "two words"}, "name"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "http://169.254.169.254/"}, "base_url"),
        ({"label": "a\0b"}, "label"),
        ({"label": "\ud800"}, "label"),
        ({"label": "x" * 121}, "label"),
        ({"options": [1]}, "options"),
        ({"simulated": True}, "simulated"),
        ({"secret": "two words"}, "secret"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_by_its_field_and_nothing_is_saved(olga, fields, field):
    sound = {"kind": "openai", "name": "mine", "base_url": "https://api.example.com/v1"}
    with pytest.raises(ValidationError) as refused:
        providers.add(olga, **{**sound, **fields})
    assert field in problems(refused)
    assert not Provider.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_new_address_wants_the_key_again(olga):
    provider = rows.key().account.provider
    with pytest.raises(ValidationError) as refused:
        providers.change(olga, provider, base_url=MOVED)
    assert "enter the key again" in problems(refused)["secret"][0]
    assert Provider.objects.get().base_url == "https://api.example.com/v1"
    assert Key.objects.get().sealed


def test_with_the_key_entered_again_no_old_secret_moves_along(olga):
    old = rows.key()
    provider = providers.change(olga, old.account.provider, base_url=MOVED, secret=SECRET)
    old.refresh_from_db()
    assert (old.sealed, old.enabled) == ("", False)
    assert [key.secret.reveal() for key in provider.keys().exclude(sealed="")] == [SECRET]
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"erase secret", "change", "add"}


def test_another_path_of_the_same_origin_keeps_the_keys(olga):
    key = rows.key()
    providers.change(olga, key.account.provider, base_url="https://api.example.com/v2")
    key.refresh_from_db()
    assert key.enabled
    assert key.sealed


def test_removing_says_what_goes_with_it(olga):
    key = rows.key()
    provider = key.account.provider
    pool = rows.pool()
    pool.place(rows.deployment(provider=provider))
    assert providers.remove(olga, provider) == ["1 account", "1 key", "1 model", "1 place in pools"]
    pool.refresh_from_db()
    assert pool.version == 3
    assert AuditEvent.objects.get().before["with_it"] == ["1 account", "1 key", "1 model", "1 place in pools"]


# asking whether it answers


class Server(BaseHTTPRequestHandler):
    """Answers by its path, and remembers whom it was asked by."""

    asked: list[str] = []
    answers = {
        "/v1/models": (200, b'{"data": [{"id": "one"}, {"id": "two"}]}'),
        "/empty/models": (200, b'{"data": []}'),
        "/page/models": (200, b"<!doctype html><title>Welcome \xe2\x80\xae</title>"),
        "/odd/models": (200, b'{"hello": 1}'),
        "/locked/models": (401, b'{"error": {"message": "Incorrect API key provided: sk-abcdefghijkl"}}'),
        "/broken/models": (500, b'{"error": {"message": "<script>oops</script>"}}'),
        "/moved/models": (308, b""),
    }

    def do_GET(self) -> None:
        Server.asked.append(self.headers.get("authorization", ""))
        status, body = self.answers.get(self.path, (404, b"not found"))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        ("v1", Trouble.NONE),
        ("empty", Trouble.NO_MODELS),
        ("page", Trouble.HTML),
        ("odd", Trouble.LISTING),
        ("locked", Trouble.KEY),
        ("broken", Trouble.REFUSED),
        ("nothing", Trouble.PATH),
        ("moved", Trouble.REDIRECT),
    ],
)
def test_the_connection_is_tested_and_what_is_wrong_is_named(olga, server, path, trouble):
    provider = rows.provider(kind="generic", base_url=f"{server}/{path}")
    tested = providers.test_connection(olga, provider, secret="sk-mine-0123456789abcdef")
    assert (tested.trouble, tested.works) == (trouble, path == "v1")
    assert Server.asked[-1] == "Bearer sk-mine-0123456789abcdef"
    assert "sk-" not in tested.words
    if path == "v1":
        assert (list(tested.models), tested.words) == (["one", "two"], "It answers. 2 models listed.")


def test_a_port_nobody_listens_on_and_a_name_nobody_has(olga):
    for url, trouble in (("http://127.0.0.1:1/v1", Trouble.CONNECTION), ("https://no.invalid/v1", Trouble.DNS)):
        assert providers.test_connection(olga, Provider(kind="generic", label="x", base_url=url)).trouble is trouble


def test_a_server_without_tls_is_told_apart(olga, server):
    unsaved = Provider(kind="generic", label="x", base_url=server.replace("http:", "https:") + "/v1")
    assert providers.test_connection(olga, unsaved).trouble is Trouble.TLS


def test_a_stored_key_is_never_sent_to_another_address(olga, server):
    key = rows.key(account=rows.account(provider=rows.provider(kind="generic", base_url="http://127.0.0.1:1/v1")))
    provider = key.account.provider
    provider.base_url = f"{server}/v1"
    Server.asked.clear()
    with pytest.raises(ValidationError, match="given for another address"):
        providers.test_connection(olga, provider)
    assert Server.asked == []


def test_without_a_key_a_provider_that_wants_one_is_not_asked(olga):
    assert providers.test_connection(olga, rows.provider()).trouble is Trouble.NO_KEY


def test_every_trouble_has_its_words():
    from rotation.control.testing import BY_CAUSE

    assert set(SAY) == set(Trouble)
    assert set(BY_CAUSE) == set(Cause)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\0", b"<script>alert(1)</script>", b'{"data": [' + b"1," * 1000])
@pytest.mark.parametrize("status", [200, 403, 418, 502])
def test_whatever_a_server_says_there_is_an_answer_of_bounded_length(status, body):
    tested = judged("generic", Reply(status, {}, body))
    assert not tested.works
    assert len(tested.words) < 800
    assert "\0" not in tested.words
