"""Everything between an empty database and the first call: tables, starter data, static files, a key, a set-up link.

Every step may be run any number of times, by several processes at once; what a fingerprint proves done is skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from rotation import client_keys, partitions, setup_link, starter
from rotation.embedded import edition
from rotation.jobs import schedule
from rotation.models import ClientKey

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


def prepare() -> Prepared:
    """Raises django.db.Error when the database does not answer or may not be changed."""
    with alone():
        bring_up_to_date()
        partitions.ensure()
        simulated = starter.prepare()
        schedule.install()
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
    """Migrates unless this database says it was made by this very edition. The mark lives in the database itself."""
    wanted = edition.of_database()
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regclass('django_migrations'), 'pg_class')")
        row = cursor.fetchone()
    if row and row[0] == f"edition {wanted}":
        return
    call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON TABLE django_migrations IS 'edition {wanted}'")  # a hash: nothing to quote


def collect_static_files() -> None:
    """Gathers static files under hashed names, unless the same ones are there."""
    mark = Path(settings.STATIC_ROOT) / ".edition"
    wanted = edition.of_static_files()
    if mark.exists() and mark.read_text() == wanted:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    mark.write_text(wanted)


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
