"""Tokens of the management API: made, digested, found. A token looks like `rt_<8 public>_<43 base62>`, shown once.

Stored like client keys: as HMAC-SHA256 under the pepper, and found by it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.utils import timezone

from rotation.client_keys import chance, digest
from rotation.models import ApiToken, Role
from rotation.roles import RANK, role_of

SHAPE = re.compile(r"rt_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}")
SELDOM = timedelta(minutes=1)  # how often the last use is written down


def cut(token: ApiToken) -> str:
    """Give an unsaved row a token of its own; the plain text is in nobody's hands but the caller's."""
    token.prefix = chance(8)
    plain = f"rt_{token.prefix}_{chance(43)}"
    token.last4, token.digest = plain[-4:], digest(plain)
    return plain


def find(plain: str) -> ApiToken | None:
    """The live token of that text whose owner may still come in, if there is one."""
    if not SHAPE.fullmatch(plain):
        return None
    token = ApiToken.objects.select_related("owner").filter(digest=digest(plain)).first()
    return token if token and token.live() and token.owner.is_active else None


def role_of_token(token: ApiToken) -> Role | None:
    """What it may do now: its own role, and never more than its owner's."""
    owners = role_of(token.owner)
    return min(Role(token.role), owners, key=RANK.__getitem__) if owners else None


def used(token: ApiToken, now: datetime | None = None) -> None:
    """Write down that it was used, at most once a minute."""
    now = now or timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= SELDOM:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
