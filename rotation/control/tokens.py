"""Tokens of the management API: issued once shown once, revoked. None exceeds its owner's role."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rotation import api_tokens
from rotation.control.by import By
from rotation.control.fields import put
from rotation.models import ApiToken, Role
from rotation.roles import role_of, suffices

FIELDS = ("label", "role", "expires_at")


def issue(by: By, owner: User, *, within: Role | None = None, **fields: Any) -> tuple[ApiToken, str]:
    """A new token of an account: its row, and the token itself, which nobody can show again.

    Fields: label, role (viewer unless said), expires_at. `within` is the role of the token that asks for another, so
    that no token makes a stronger one. Raises ValidationError by field.
    """
    token = ApiToken(owner=owner)
    plain = api_tokens.cut(token)
    put(token, fields, FIELDS)
    has = within or role_of(owner)
    if not suffices(has, token.role):  # type: ignore[arg-type]  # full_clean made sure it is a role
        raise ValidationError({"role": f"{owner.get_username()} is {has or 'locked'} here: this token cannot be more."})
    if token.expires_at and token.expires_at <= timezone.now():
        raise ValidationError({"expires_at": "This moment is past."})
    with transaction.atomic():
        token.save()
        by.added(token, "issue")
    return token, plain


def revoke(by: By, token: ApiToken) -> ApiToken:
    """Refused from now on; it stays in the list."""
    with by.changing(token, "revoke"):
        token.enabled = False
        token.save(update_fields=["enabled"])
    return token
