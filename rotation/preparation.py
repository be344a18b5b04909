"""Everything between an empty database and the first call: tables, starter data, static files, a key, a set-up link.

Every step may be run any number of times, by several processes at once; what a fingerprint proves done is skipped.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection

from rotation import client_keys, partitions, setup_link, starter
from rotation.embedded import edition
from rotation.models import ClientKey

log = logging.getLogger(__name__)
PREPARING = 7_301_004  # advisory lock: one process prepares at a time
LOCAL_KEY = "This machine"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a start tells: the path of the set-up link and the first client key, None when there is nothing to tell."""

    setup_path: str | None
    client_key: str | None
    simulated: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def up_to_date() -> bool:
    """Whether this very edition made the database and the static files, so that only small things are left to do."""
    return database_is_current() and static_files_are_current()


def prepare() -> Prepared:
    """Raises django.db.Error when the database does not answer or may not be changed."""
    with alone():
        bring_up_to_date()
        make_partitions()
        starter.take_environment_keys()
        simulated = starter.sync_simulation()
        client_keys.for_jobs()
        key = first_client_key(settings.ROTATION_HOME / "client_key")
    collect_static_files()
    token = setup_link.make()
    return Prepared(setup_link.path(token) if token else None, key, simulated)


@contextmanager
def alone() -> Iterator[None]:
    """Several services may start at once; the others wait here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [PREPARING])


def bring_up_to_date() -> None:
    """Tables, starter data, schedules: unless this database says that this very edition has made them all.

    The mark lives in the database itself, so it goes where the data goes.
    """
    if database_is_current():
        return
    from rotation.jobs import schedule  # noqa: PLC0415 - belongs to apps the leanest role does not have

    call_command("migrate", verbosity=0, interactive=False)
    starter.load(simulated=False)
    starter.load(simulated=True)
    schedule.install()
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON TABLE django_migrations IS '{_edition()}'")  # a hash and a word: nothing to quote


def make_partitions() -> None:
    """Today's and the next week's. A table in use may refuse for now: the upkeep job makes them later."""
    try:
        partitions.ensure()
    except OperationalError as problem:
        log.warning("partitions are left to the upkeep job: %s", problem)


def _edition() -> str:
    return f"edition {edition.of_database()} for {settings.ROTATION_MODE}"


def database_is_current() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regclass('django_migrations'), 'pg_class')")
        row = cursor.fetchone()
    return bool(row) and row[0] == _edition()


def collect_static_files() -> None:
    """Gathers static files under hashed names, unless the same ones are there."""
    if not static_files_are_current():
        call_command("collectstatic", verbosity=0, interactive=False)
        _static_mark().write_text(edition.of_static_files())


def static_files_are_current() -> bool:
    return _static_mark().exists() and _static_mark().read_text() == edition.of_static_files()


def _static_mark() -> Path:
    return Path(settings.STATIC_ROOT) / ".edition"


def first_client_key(file: Path) -> str | None:
    """The key for programs on this machine, made at the first start and kept in `file`, for its owner's eyes only.

    None when an operator revoked it: then it is not made again behind his back.
    """
    if file.exists():
        plain = file.read_text().strip()
        row = ClientKey.objects.filter(digest=client_keys.digest(plain)).first()
        if row is not None:
            return plain if row.live() else None
    elif ClientKey.objects.filter(label=LOCAL_KEY, enabled=False).exists():
        return None
    _, plain = client_keys.issue(LOCAL_KEY)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(f"{plain}\n")
    draft.replace(file)
    return plain
