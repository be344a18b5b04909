"""Reads the process environment into plain values: flags, numbers, lists, a database URL, kept secrets.

No Django: settings and the supervisor both read through it.
It deliberately knows no setting by name; the names stand in `settings.py`.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"", "0", "false", "no", "off"})
SCHEMES = frozenset({"postgres", "postgresql"})


class BadEnvironment(ValueError):
    """A variable cannot be used as it stands; the message says which one and what to write."""


def load_env_file(root: Path) -> None:
    """Takes in `.env` (or what ROTATION_ENV_FILE names; empty: nothing). What is set already stays as it is."""
    if path := os.environ.get("ROTATION_ENV_FILE", str(root / ".env")):
        from dotenv import load_dotenv  # noqa: PLC0415 - the rest of this module needs the standard library only

        load_dotenv(path)


def envbool(name: str, default: bool = False) -> bool:
    """A yes/no variable; raises BadEnvironment for anything else."""
    text = os.environ.get(name)
    if text is None:
        return default
    if text.strip().lower() in TRUE:
        return True
    if text.strip().lower() in FALSE:
        return False
    raise BadEnvironment(f"{name}={text!r} is neither yes nor no: write 1 or 0.")


def envint(name: str, default: int) -> int:
    """A whole number; an empty variable counts as not given."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise BadEnvironment(f"{name}={text!r} is not a whole number.") from None


def envlist(name: str, default: Iterable[str] = ()) -> list[str]:
    """Comma-separated words, blanks dropped."""
    text = os.environ.get(name)
    return list(default) if text is None else [word.strip() for word in text.split(",") if word.strip()]


def envchoice(name: str, choices: tuple[str, ...]) -> str:
    """One of `choices`; the first is the default."""
    text = os.environ.get(name, "").strip() or choices[0]
    if text not in choices:
        raise BadEnvironment(f"{name}={text!r} is not one of: {', '.join(choices)}.")
    return text


def database(url: str) -> dict[str, Any]:
    """A Django DATABASES entry from `postgresql://user:password@host:port/name?option=value`.

    A unix socket is `postgresql:///name?host=/directory&user=postgres`. What the query holds beside host, port,
    user, password and dbname goes to libpq as it is (`sslmode=require`).
    """
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError:
        raise BadEnvironment("DATABASE_URL cannot be read: check its brackets and its port.") from None
    if parts.scheme not in SCHEMES:
        raise BadEnvironment("DATABASE_URL must begin with postgresql://: Rotation keeps its rows in Postgres only.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname", "") or unquote(parts.path.lstrip("/")) or "postgres",
        "USER": options.pop("user", "") or unquote(parts.username or ""),
        "PASSWORD": options.pop("password", "") or unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": options.pop("port", "") or port,
        "OPTIONS": {"connect_timeout": 3, **options},
    }


def new_secret() -> str:
    """32 random bytes as url-safe base64: fit to be a Fernet key, a pepper or a secret key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def kept_secrets(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """The secrets in `path`, which is made, for its owner's eyes only, when it is not there; missing ones are added.

    Several processes may start at once: one writes, the others wait and read.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = dict(line.split("=", 1) for line in file.read().splitlines() if "=" in line)
        new = {name: new_secret() for name in names if name not in known}
        file.write("".join(f"{name}={secret}\n" for name, secret in new.items()))
    return known | new
