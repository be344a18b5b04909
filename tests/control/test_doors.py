"""Every door a change can come in by writes its own name into the audit."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from rotation import starter
from rotation.models import AuditEvent, ClientKey, Door
from tests.models import rows

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_admin_signs_as_the_admin(client: Client, told):
    client.force_login(User.objects.create_superuser("olga"))
    pool, key = rows.pool(), rows.key()
    fields = {"label": "x", "enabled": "on", "account": key.account_id}
    client.post(reverse("admin:rotation_key_change", args=[key.pk]), fields)
    client.post(reverse("admin:rotation_pool_changelist"), {"action": "delete_selected", "_selected_action": [pool.pk]})
    assert {door for _, door, _, _ in told()} == {Door.ADMIN}


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (("key", "add", "groq"), "add key"),
        (("client_key", "create", "laptop"), "issue clientkey"),
        (("jobs", "run", "partitions"), "run job"),
        (("rotate_secrets",), "seal again key"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_a_command_signs_as_a_command(command, event, told, monkeypatch, settings):
    from cryptography.fernet import Fernet

    rows.key(account=rows.account(provider=rows.provider(name="groq", kind="groq")))
    settings.ROTATION_SECRETS_KEY = f"{Fernet.generate_key().decode()},{settings.ROTATION_SECRETS_KEY}"
    monkeypatch.setattr("sys.stdin", io.StringIO("gsk_0123456789abcdefghij\n"))
    run(*command)
    assert [(actor, door, f"{action} {kind}") for actor, door, action, kind in told()] == [
        ("command line", Door.COMMAND, event)
    ]


def test_revoking_by_command_is_written_down(told):
    run("client_key", "create", "laptop")
    told()
    run("client_key", "revoke", str(ClientKey.objects.get().pk))
    assert told() == [("command line", "command", "revoke", "clientkey")]


def test_a_key_of_the_environment_is_written_down(monkeypatch, told):
    rows.provider(name="groq", kind="groq")
    monkeypatch.setenv("GROQ_API_KEY", "gsk_0123456789abcdefghij")
    starter.take_environment_keys()
    assert told() == [("environment", "command", "add", "key")]
    starter.take_environment_keys()
    assert told() == []


def unsigned(path: Path) -> list[str]:
    """A file, once for each place that writes an event without naming the door."""
    return [
        f"{path.relative_to(ROOT)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"AuditEvent.objects.record", "AuditEvent.objects.create"}
        and "door" not in {keyword.arg for keyword in node.keywords}
    ]


def test_nobody_writes_an_event_without_its_door():
    sources = [path for folder in ("rotation", "dashboard") for path in (ROOT / folder).rglob("*.py")]
    found = [name for path in sources if "migrations" not in path.parts for name in unsigned(path)]
    assert found == []


def test_events_are_never_changed_and_never_deleted():
    from django.db import InternalError, transaction
    from django.db.utils import IntegrityError

    event = AuditEvent.objects.record("olga", "change", rows.pool(), door=Door.PAGE)
    for attempt in (event.delete, lambda: AuditEvent.objects.update(actor="nobody")):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            attempt()
    assert AuditEvent.objects.get().actor == "olga"
