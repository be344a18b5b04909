"""Before any test: a throw-away Postgres and a throw-away home, shared by all xdist workers, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest

from rotation.embedded import lodging, postgres

# The machine may be busy: how long an example takes says nothing about it.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

PROVIDER_KEYS = ("OPENROUTER_API_KEY", "GROQ_API_KEY", "OPENAI_API_KEY", "TOGETHER_API_KEY")
STARTED: dict[str, subprocess.Popen[bytes]] = {}
FOLDER = "ROTATION_TEST_FOLDER"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Runs before Django's settings are read; xdist workers inherit what the first process set.

    The settings module is named here and not in pyproject.toml, because pytest-django would read it too early there.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = "rotation.settings"
    if FOLDER in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="rotation-tests-"))
    folder.chmod(0o711)  # as root, Postgres runs as somebody who must come through
    os.environ[FOLDER] = str(folder)
    os.environ["ROTATION_HOME"] = str(folder / "home")
    os.environ["ROTATION_ENV_FILE"] = ""
    os.environ["ROTATION_HASHED_STATIC"] = "0"
    for name in PROVIDER_KEYS:
        os.environ.pop(name, None)
    if not os.environ.get("DATABASE_URL"):
        start_postgres(folder)
    django.setup()


def start_postgres(folder: Path) -> None:
    cluster = postgres.at(folder / "postgres", settings=postgres.THROW_AWAY)
    cluster.create()
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen(
            cluster.argv(), stdout=log, stderr=log, cwd="/", start_new_session=True, **lodging.identity(cluster.owner)
        )
    STARTED[str(folder)] = process
    until = time.monotonic() + 60
    while not cluster.ready():
        if process.poll() is not None or time.monotonic() > until:
            raise pytest.UsageError((folder / "postgres.log").read_text())
        time.sleep(0.02)
    os.environ["DATABASE_URL"] = cluster.url


def pytest_unconfigure(config: pytest.Config) -> None:
    for folder, process in STARTED.items():
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
    STARTED.clear()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadscope":
        return None
    from tests.shares import ByFile

    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        from tests.shares import costliest_first

        costliest_first(items)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The whole cluster is thrown away, so no time is spent on dropping databases."""
    return True
