"""Client keys: issued, changed, rotated with time to change over, revoked. A key is shown once, when it is issued."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rotation import client_keys
from rotation.control.by import By
from rotation.control.fields import put
from rotation.models import ClientKey, Pool

LIMITS = ("requests_per_minute", "daily_budget", "monthly_budget")
FIELDS = ("label", "pools", "expires_at", *LIMITS)
CHANGED = (*FIELDS, "enabled")
GRACE = timedelta(days=1)
LONGEST_GRACE = timedelta(days=365)
OURS = "This key is Rotation's own: its jobs call with it."


def issue(by: By, **fields: Any) -> tuple[ClientKey, str]:
    """A new key for a label: its row, and the key itself, which nobody can show again.

    Fields: label, pools (names; none means all), expires_at, requests_per_minute, daily_budget and monthly_budget in
    USD. Raises ValidationError by field.
    """
    key = ClientKey()
    plain = client_keys.cut(key)
    _put(key, fields, FIELDS)
    with transaction.atomic():
        key.save()
        by.added(key, "issue")
    return key, plain


def change(by: By, key: ClientKey, **fields: Any) -> ClientKey:
    """What may be asked for, how much, how long. Raises ValidationError by field."""
    _theirs(key)
    with by.changing(key):
        _put(key, fields, CHANGED)
        key.save()
    return key


def rotate(by: By, key: ClientKey, *, grace: timedelta = GRACE) -> tuple[ClientKey, str]:
    """A new key with the same rights in the place of this one, which goes on working for `grace`.

    Raises ValidationError for a key that is no longer live, or on `grace`.
    """
    _theirs(key)
    if not timedelta(0) <= grace <= LONGEST_GRACE:
        raise ValidationError({"grace": "The old key may go on for up to 365 days; 0 ends it at once."})
    if not key.live():
        raise ValidationError({"label": "This key is revoked or expired: issue a new one."})
    ends = timezone.now() + grace
    new = ClientKey(replaces=key, **{name: getattr(key, name) for name in FIELDS})
    plain = client_keys.cut(new)
    with transaction.atomic():
        new.save()
        ClientKey.objects.filter(pk=key.pk).update(expires_at=min(ends, key.expires_at or ends))
        key.refresh_from_db(fields=["expires_at"])
        by.added(new, "rotate", replaces=str(key), old_expires_at=str(key.expires_at))
    return new, plain


def revoke(by: By, key: ClientKey) -> ClientKey:
    """Refused within seconds; it stays in the list, for the calls it made are in the books."""
    _theirs(key)
    with by.changing(key, "revoke"):
        key.revoke()
    return key


def _theirs(key: ClientKey) -> None:
    if key.internal:
        raise ValidationError({"label": OURS})


def _put(key: ClientKey, fields: dict[str, Any], allowed: tuple[str, ...]) -> None:
    before = key.expires_at
    put(key, fields, allowed)
    if unknown := sorted(set(key.pools) - set(Pool.objects.values_list("name", flat=True))):
        stored = ClientKey.objects.filter(pk=key.pk).values_list("pools", flat=True).first() or []
        if set(unknown) - set(stored):  # one that went after the key was issued stays until somebody takes it out
            raise ValidationError({"pools": f"There is no pool {unknown[0]!r}."})
    if key.expires_at and key.expires_at != before and key.expires_at <= timezone.now():
        raise ValidationError({"expires_at": "This moment is past; to stop a key at once, revoke it."})
    for name in LIMITS:
        amount = getattr(key, name)
        if amount is not None and not amount > 0:
            raise ValidationError({name: "Write a number above 0, or leave it empty for no limit."})
