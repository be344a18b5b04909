"""The one-time link a fresh installation prints: whoever holds it makes the first account. There is no default login.

A token is good for an hour, and only while no user exists: the first account makes every link printed so far useless.
"""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.core import signing
from django.db import connection

SALT = "rotation.setup_link"
GOOD_FOR = 3600  # seconds
FIRST_USER = 7_301_003  # advisory lock: two people with the same link become one user


def make() -> str | None:
    """A fresh token for `/setup/<token>/`; None once a user exists."""
    if get_user_model().objects.exists():
        return None
    return signing.TimestampSigner(salt=SALT).sign(secrets.token_urlsafe(16))


def check(token: str) -> bool:
    """Whether this token may make the first account now."""
    try:
        signing.TimestampSigner(salt=SALT).unsign(token, max_age=GOOD_FOR)
    except signing.BadSignature:
        return False
    return not get_user_model().objects.exists()


def claim(token: str) -> bool:
    """`check` for the moment of use, inside the transaction that makes the account: only one account is made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_USER])
    return check(token)


def path(token: str) -> str:
    return f"/setup/{token}/"
