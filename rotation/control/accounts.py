"""Accounts: what a provider bills and limits."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from rotation.control.by import By
from rotation.control.fields import counted, put
from rotation.control.simulation import following
from rotation.models import Account, Provider

FIELDS = ("label", "plan", "enabled", "verify_share")


def add(by: By, provider: Provider, **fields: Any) -> Account:
    """Raises ValidationError by field."""
    account = Account(provider=provider)
    put(account, fields, FIELDS)
    with transaction.atomic():
        account.save()
        by.added(account)
    return account


def change(by: By, account: Account, **fields: Any) -> Account:
    """Raises ValidationError by field. An account stays with its provider: its keys were given for that address."""
    if "provider" in fields:
        raise ValidationError({"provider": "An account stays with its provider; add one there."})
    with following(), by.changing(account):
        put(account, fields, FIELDS)
        account.save()
    return account


def goes_with(account: Account) -> list[str]:
    """What is removed together with it, in words."""
    keys = counted(account.keys.count(), "key")
    return [keys] if keys else []


def remove(by: By, account: Account) -> list[str]:
    """The account and its keys; what `goes_with` said."""
    gone = goes_with(account)
    with following():
        by.removed(account, with_it=gone)
        account.delete()
    return gone
