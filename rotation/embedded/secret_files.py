"""Makes the secrets of a set of services once, into a folder they share: no default password exists anywhere.

    python -m rotation.embedded.secret_files /secrets

What is there already is kept. `rotation.env` is for Rotation's own services, the others for Postgres and Valkey,
which run as other users of their own and so must be able to read theirs.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from rotation.environment import kept_secrets

OURS = ("SECRET_KEY", "ROTATION_SECRETS_KEY", "ROTATION_PEPPER")


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    ours = folder / "rotation.env"
    kept_secrets(ours, OURS)
    database = once(folder / "postgres_password", "{}")
    broker = once(folder / "valkey.conf", "requirepass {}\n").split()[-1]
    known = ours.read_text()
    with ours.open("a") as file:
        for line in (
            f"DATABASE_URL=postgresql://rotation:{database}@postgres:5432/rotation\n",
            f"REDIS_URL=redis://:{broker}@valkey:6379/0\n",
        ):
            if line.split("=")[0] not in known:
                file.write(line)


def once(path: Path, shape: str) -> str:
    """The file's text, written with a fresh secret in it when there is no file."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.draft")
        draft.write_text(shape.format(secrets.token_hex(32)))
        draft.chmod(0o444)
        draft.replace(path)
    return path.read_text()


if __name__ == "__main__":
    make(Path(sys.argv[1]))
