"""People: accounts added, given a role, locked, removed; passwords set, or chosen by themselves with a one-time link.

There is always an admin who can come in: the last one cannot be locked, removed or given a lesser role.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from rotation import client_keys, roles
from rotation.control.by import By
from rotation.control.fields import put
from rotation.models import Role

FIELDS = ("username", "email", "first_name", "last_name")
ADMINS = 7_301_004  # advisory lock: two admins who demote each other at once
LAST = "There would be no admin left who can come in: make somebody else an admin first."


def add(by: By, *, role: Role | str, password: str | None = None, **fields: Any) -> User:
    """An account with a role. Without a password nobody can sign in to it until `link` has been used.

    Raises ValidationError by field: username, role, password, email, first_name, last_name.
    """
    user = User()
    user.set_unusable_password()
    wanted = checked_role(role)
    put(user, fields, FIELDS)
    if password is not None:
        _put_password(user, password)
    with transaction.atomic():
        user.save()
        roles.give(user, wanted)
        by.added(user, role=wanted.value)
    return user


def checked_role(role: Role | str) -> Role:
    """Raises ValidationError on `role`."""
    if role not in Role.values:
        raise ValidationError({"role": f"Choose one of: {', '.join(Role.values)}."})
    return Role(role)


def change(by: By, user: User, **fields: Any) -> User:
    """Names and address. Raises ValidationError by field."""
    with by.changing(user):
        put(user, fields, FIELDS)
        user.save()
    return user


def give_role(by: By, user: User, role: Role | str) -> User:
    """This role and no other, at once. Raises ValidationError on `role`."""
    wanted, before = checked_role(role), roles.role_of(user)
    with transaction.atomic():
        if wanted is not Role.ADMIN:
            keep_an_admin([user], "role")
        roles.give(user, wanted)
        if wanted is Role.VIEWER:  # who may look only, may spend nothing
            client_keys.end_playground(user.pk)
        if before is not wanted:
            by.turned("give role", user, {"role": before}, {"role": wanted.value})
    return user


def lock(by: By, user: User) -> User:
    """They are out at once, their sessions, tokens and key of the Playground with them. Raises ValidationError."""
    with by.changing(user, "lock"):
        keep_an_admin([user], "is_active")
        user.is_active = False
        user.save(update_fields=["is_active"])
        client_keys.end_playground(user.pk)
    return user


def unlock(by: By, user: User) -> User:
    with by.changing(user, "unlock"):
        user.is_active = True
        user.save(update_fields=["is_active"])
    return user


def set_password(by: By, user: User, password: str) -> User:
    """Their other sessions end. Raises ValidationError on `password`."""
    with by.changing(user, "set password"):
        _put_password(user, password)
        user.save(update_fields=["password"])
    return user


def link(by: By, user: User) -> str:
    """A path that lets whoever opens it choose this account's password, once, within three days."""
    by.noted("make link", user)
    return path_of(user)


def path_of(user: User) -> str:
    name = urlsafe_base64_encode(force_bytes(user.pk))
    return f"/password/{name}/{default_token_generator.make_token(user)}/"


def by_link(name: str, token: str) -> User | None:
    """Whose password the link may set now; None when it is used, expired or wrong."""
    try:
        user = User.objects.filter(pk=int(force_str(urlsafe_base64_decode(name)))).first()
    except (ValueError, OverflowError):
        return None
    good = user is not None and user.is_active and default_token_generator.check_token(user, token)
    return user if good else None


def remove(by: By, user: User) -> list[str]:
    """The account and its tokens; what it did stays in the audit. Raises ValidationError."""
    with transaction.atomic():
        keep_an_admin([user], "username")
        gone = [f"token {token}" for token in user.api_tokens.all()]
        by.removed(user, with_it=gone)
        client_keys.end_playground(user.pk)
        user.delete()
    return gone


def _put_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as wrong:
        raise ValidationError({"password": wrong.messages}) from None
    user.set_password(password)


def keep_an_admin(users: Sequence[User], field: str) -> None:
    """Raises ValidationError when nobody but these is an admin who can come in. Until the transaction ends, nobody else
    decides the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADMINS])
    admins = User.objects.filter(is_superuser=True, is_active=True)
    these = [user.pk for user in users]
    if admins.filter(pk__in=these).exists() and not admins.exclude(pk__in=these).exists():
        raise ValidationError({field: LAST})
