"""Settings are read once per process, so each case here is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings as ours
from django.core.checks import run_checks

from rotation.environment import new_secret

SHOW = """
import json, sys
from rotation import settings
print(json.dumps({name: str(getattr(settings, name)) for name in sys.argv[1:]}))
"""


@pytest.fixture
def read(tmp_path):
    def read_settings(*names: str, **env: str) -> dict[str, str]:
        bare = {"PATH": os.environ["PATH"], "ROTATION_HOME": str(tmp_path / "home"), "ROTATION_ENV_FILE": ""}
        done = subprocess.run(
            [sys.executable, "-c", SHOW, *names], env={**bare, **env}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return {"error": done.stderr.strip().splitlines()[-1]}
        told: dict[str, str] = json.loads(done.stdout)
        return told

    return read_settings


def test_development_keeps_its_secrets_from_one_process_to_the_next(read):
    names = ("SECRET_KEY", "ROTATION_SECRETS_KEY", "ROTATION_PEPPER")
    first = read(*names)
    assert read(*names) == first
    assert len(set(first.values())) == 3


def test_production_without_its_secrets_does_not_start_and_says_which(read):
    error = read("DEBUG", ROTATION_MODE="production", SECRET_KEY=new_secret())["error"]
    assert "ROTATION_SECRETS_KEY, ROTATION_PEPPER must be set in production" in error


def test_production_with_its_secrets_starts(read):
    given = {name: new_secret() for name in ("SECRET_KEY", "ROTATION_SECRETS_KEY", "ROTATION_PEPPER")}
    assert read(*given, ROTATION_MODE="production", **given) == given


def test_a_command_beside_up_finds_its_database_and_its_broker(read, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "running.env").write_text("DATABASE_URL='postgresql:///p?host=/s'\nREDIS_URL='redis+socket:///v.sock'\n")
    assert read("DATABASE_URL", "CELERY_BROKER_URL") == {
        "DATABASE_URL": "postgresql:///p?host=/s",
        "CELERY_BROKER_URL": "redis+socket:///v.sock",
    }
    assert read("DATABASE_URL", DATABASE_URL="postgresql://other/x") == {"DATABASE_URL": "postgresql://other/x"}


def test_pages_get_a_statement_timeout_when_told(read):
    assert "statement_timeout=1500" in read("DATABASES", ROTATION_STATEMENT_TIMEOUT_MS="1500")["DATABASES"]
    assert "statement_timeout" not in read("DATABASES")["DATABASES"]


def test_health_checks_from_this_machine_are_always_let_in(read):
    assert "127.0.0.1" in read("ALLOWED_HOSTS", ALLOWED_HOSTS="rotation.example")["ALLOWED_HOSTS"]
    assert "0.0.0.0" not in read("ALLOWED_HOSTS", HOST="0.0.0.0")["ALLOWED_HOSTS"]


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"ROTATION_MODE": "prod"}, "ROTATION_MODE"),
        ({"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(read, env, word):
    assert word in read("PORT", **env)["error"]


def found(*, deploy: bool = False) -> list[str]:
    ids = (problem.id or "" for problem in run_checks(include_deployment_checks=deploy))
    return [name for name in ids if name.startswith("rotation.")]


def test_as_shipped_no_check_complains():
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ROTATION_SECRETS_KEY", "c2hvcnQ=,short", "rotation.E001"),
        ("SECRET_KEY", "short", "rotation.E003"),
        ("ROTATION_PEPPER", "", "rotation.E003"),
    ],
)
def test_a_secret_that_protects_nothing_is_an_error(settings, name, value, expected):
    setattr(settings, name, value)
    assert found() == [expected]


def test_debug_for_strangers_is_an_error(settings):
    settings.DEBUG = True
    assert found() == []
    settings.HOST = "0.0.0.0"
    assert found() == ["rotation.E002"]


def test_any_host_is_a_caution_before_going_live(settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert found() == []
    assert found(deploy=True) == ["rotation.W001"]


def test_the_tests_use_a_home_of_their_own():
    assert "rotation-tests-" in str(ours.ROTATION_HOME)
