from __future__ import annotations

import io
import json
import stat

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from rotation import client_keys, preparation, starter
from rotation.models import ClientKey, Pool

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    return tmp_path_factory.mktemp("static")


@pytest.fixture(autouse=True)
def home(tmp_path, static, settings):
    settings.ROTATION_HOME = tmp_path
    settings.STATIC_ROOT = static
    return tmp_path


def test_an_empty_database_becomes_ready_and_stays_so_when_asked_again():
    first = preparation.prepare()
    pools = set(Pool.objects.values_list("name", flat=True))
    second = preparation.prepare()
    assert {"auto", "fast"} <= pools
    assert set(Pool.objects.values_list("name", flat=True)) == pools
    assert first.simulated is second.simulated is True
    assert first.client_key == second.client_key
    assert first.setup_path.startswith("/setup/")


def test_the_first_client_key_works_and_lies_where_only_its_owner_reads(home):
    key = preparation.prepare().client_key
    assert client_keys.find(key) is not None
    file = home / "client_key"
    assert file.read_text().strip() == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_supervisor_is_told_whether_to_run_the_simulator(home, monkeypatch):
    preparation.prepare()
    assert (home / starter.SIGN).exists()
    monkeypatch.setenv("GROQ_API_KEY", "gsk_0123456789abcdefghij")
    assert preparation.prepare().simulated is False
    assert not (home / starter.SIGN).exists()


def test_a_revoked_client_key_is_not_made_again():
    client_keys.find(preparation.prepare().client_key).revoke()
    assert preparation.prepare().client_key is None


def test_a_revoked_client_key_is_not_made_again_even_without_its_file(home):
    client_keys.find(preparation.prepare().client_key).revoke()
    (home / "client_key").unlink()
    assert preparation.prepare().client_key is None


def test_in_a_new_database_an_old_file_is_replaced():
    old = preparation.prepare().client_key
    ClientKey.objects.all().delete()
    new = preparation.prepare().client_key
    assert new not in {old, None}
    assert client_keys.find(new) is not None


def test_static_files_are_collected_once_and_again_when_they_change(static, monkeypatch):
    preparation.collect_static_files()
    admin = static / "admin" / "css" / "base.css"
    admin.unlink()
    preparation.collect_static_files()
    assert not admin.exists(), "nothing had changed, so nothing was done"
    monkeypatch.setattr(preparation.edition, "of_static_files", lambda: "another")
    preparation.collect_static_files()
    assert admin.exists()


def test_a_database_of_this_edition_is_not_migrated_again(monkeypatch):
    preparation.bring_up_to_date()
    asked = []
    monkeypatch.setattr(preparation, "call_command", lambda *words, **more: asked.append(words))
    preparation.bring_up_to_date()
    assert asked == []
    monkeypatch.setattr(preparation.edition, "of_database", lambda: "0" * 64)
    preparation.bring_up_to_date()
    assert asked == [("migrate",)]


def test_while_one_process_prepares_another_waits():
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND pid = %s"
    with preparation.alone(), connection.cursor() as cursor:
        cursor.execute(held, [preparation.PREPARING, connection.connection.info.backend_pid])
        assert cursor.fetchone() == (1,)


def test_the_command_prints_one_line_of_json_for_up():
    out = io.StringIO()
    call_command("prepare", "--json", stdout=out)
    assert set(json.loads(out.getvalue())) == {"setup_path", "client_key", "simulated"}


def test_for_people_the_command_says_where_the_key_lies_but_not_the_key(home):
    out = io.StringIO()
    call_command("prepare", stdout=out)
    assert str(home / "client_key") in out.getvalue()
    assert (home / "client_key").read_text().strip() not in out.getvalue()


def test_a_database_that_does_not_answer_is_one_clear_line(monkeypatch):
    def nobody():
        raise OperationalError("connection refused")

    monkeypatch.setattr(preparation, "prepare", nobody)
    with pytest.raises(CommandError, match="cannot be made ready: connection refused"):
        call_command("prepare")
