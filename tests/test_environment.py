from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from rotation.environment import (
    BadEnvironment,
    database,
    envbool,
    envchoice,
    envint,
    envlist,
    kept_secrets,
    load_env_file,
    new_secret,
)

NAME = "ROTATION_TEST_VARIABLE"


@pytest.mark.parametrize(("text", "meant"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("", False)])
def test_yes_and_no_can_be_written_in_several_ways(monkeypatch, text, meant):
    monkeypatch.setenv(NAME, text)
    assert envbool(NAME, not meant) is meant


def test_what_is_neither_yes_nor_no_is_not_guessed(monkeypatch):
    monkeypatch.setenv(NAME, "perhaps")
    with pytest.raises(BadEnvironment, match=f"{NAME}='perhaps' is neither yes nor no: write 1 or 0"):
        envbool(NAME)


def test_a_number_that_is_none_names_its_variable(monkeypatch):
    monkeypatch.setenv(NAME, "8000a")
    with pytest.raises(BadEnvironment, match=f"{NAME}='8000a' is not a whole number"):
        envint(NAME, 1)


def test_an_empty_number_is_one_not_given(monkeypatch):
    monkeypatch.setenv(NAME, " ")
    assert envint(NAME, 7) == 7


def test_a_list_drops_blanks(monkeypatch):
    monkeypatch.setenv(NAME, " a, ,b ,")
    assert envlist(NAME, ["c"]) == ["a", "b"]
    monkeypatch.delenv(NAME)
    assert envlist(NAME, ["c"]) == ["c"]


def test_a_choice_lists_what_there_is(monkeypatch):
    monkeypatch.setenv(NAME, "prod")
    with pytest.raises(BadEnvironment, match="not one of: development, production"):
        envchoice(NAME, ("development", "production"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://me:p%40ss%2F@db.example:6432/mine?sslmode=require",
            {"NAME": "mine", "USER": "me", "PASSWORD": "p@ss/", "HOST": "db.example", "PORT": "6432"},
        ),
        (
            "postgresql:///postgres?host=/var/run/a b&user=postgres",
            {"NAME": "postgres", "USER": "postgres", "PASSWORD": "", "HOST": "/var/run/a b", "PORT": ""},
        ),
        ("postgres://db", {"NAME": "postgres", "USER": "", "PASSWORD": "", "HOST": "db", "PORT": ""}),
        ("postgresql://[::1]:5/x", {"NAME": "x", "HOST": "::1", "PORT": "5"}),
    ],
)
def test_a_database_address_is_read(url, expected):
    assert expected.items() <= database(url).items()


def test_what_else_stands_in_a_database_address_goes_to_libpq():
    assert database("postgresql://db/x?sslmode=require&connect_timeout=9")["OPTIONS"] == {
        "sslmode": "require",
        "connect_timeout": "9",
    }


@pytest.mark.parametrize(
    "url", ["sqlite:///x", "mysql://h/x", "nonsense", "postgresql://h:port/x", "postgresql://[h/x"]
)
def test_another_database_is_refused_with_a_reason(url):
    with pytest.raises(BadEnvironment, match="DATABASE_URL"):
        database(url)


def test_a_password_is_never_in_the_message_about_a_bad_address():
    with pytest.raises(BadEnvironment) as said:
        database("oracle://me:hunter22@h/x")
    assert "hunter22" not in str(said.value)


def test_secrets_are_made_once_for_their_owner_only(tmp_path):
    path = tmp_path / "new" / "secrets.env"
    first = kept_secrets(path, ("A", "B"))
    assert kept_secrets(path, ("A", "B")) == first
    assert first["A"] != first["B"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_starting_at_once_agree_on_the_secrets(tmp_path):
    path = tmp_path / "secrets.env"
    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(lambda _: kept_secrets(path, ("A",))["A"], range(16)))
    assert len(set(seen)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.env"]


def test_a_secret_added_by_a_later_edition_is_added_to_the_file(tmp_path):
    path = tmp_path / "secrets.env"
    before = kept_secrets(path, ("A",))
    after = kept_secrets(path, ("A", "B"))
    assert after["A"] == before["A"]
    assert kept_secrets(path, ("A", "B")) == after


def test_a_new_secret_is_256_bits():
    assert len(new_secret()) == 44
    assert new_secret() != new_secret()


def test_the_env_file_never_overrules_the_environment(monkeypatch, tmp_path):
    file = tmp_path / "mine.env"
    file.write_text(f"{NAME}=from the file\n")
    monkeypatch.setenv("ROTATION_ENV_FILE", str(file))
    monkeypatch.setenv(NAME, "from outside")
    load_env_file(tmp_path)
    assert envlist(NAME) == ["from outside"]
