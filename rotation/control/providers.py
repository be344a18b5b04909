"""Providers: added, changed, switched on and off, removed. `testing.py` asks one whether it answers."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from rotation import addresses
from rotation.control import keys as held_keys
from rotation.control.by import By
from rotation.control.fields import counted, put
from rotation.control.simulation import following
from rotation.control.testing import Tested, connection
from rotation.models import Account, Placement, Provider

FIELDS = ("kind", "name", "label", "base_url", "enabled", "priority", "options")
FIXED = ("kind",)  # its keys, models and numbers are of that kind
AGAIN = "The address changes: enter the key again, the stored one was given for {origin}."


def add(by: By, *, secret: str | None = None, **fields: Any) -> Provider:
    """A new provider with an account called main, and its key when one is given (a generic server that wants none
    gets an empty one). Raises ValidationError by field, `secret` among them."""
    provider = Provider()
    put(provider, {"label": fields.get("label") or fields.get("name") or "", **fields}, FIELDS)
    with following():
        provider.save()
        by.added(provider)
        account = Account.objects.create(provider=provider)
        if secret is None and provider.kind == "generic":
            secret = ""
        if secret is not None:
            _keyed(by, account, secret)
    return provider


def change(by: By, provider: Provider, *, secret: str | None = None, **fields: Any) -> Provider:
    """Change what is given. An address of another origin wants the key again: `secret`, and the stored keys, which were
    given for the old origin, are erased. Raises ValidationError by field."""
    _refuse_fixed(provider, fields)
    old = provider.base_url
    moves = "base_url" in fields and addresses.origin(str(fields["base_url"])) != addresses.origin(old)
    with following(), by.changing(provider):
        if moves and not provider.simulated:
            _leave_keys_behind(by, provider, old, secret)
        put(provider, fields, FIELDS)
        provider.save()
        if secret is not None:
            account = provider.accounts.order_by("id").first() or Account.objects.create(provider=provider)
            _keyed(by, account, secret)
    return provider


def _refuse_fixed(provider: Provider, fields: dict[str, Any]) -> None:
    if fields.get("kind", provider.kind) != provider.kind:
        raise ValidationError({"kind": f"{provider} stays {provider.kind}; add another provider for another kind."})
    if provider.simulated and fields.get("base_url", provider.base_url) != provider.base_url:
        raise ValidationError({"base_url": "A simulated provider lives where the simulator does."})


def _leave_keys_behind(by: By, provider: Provider, old: str, secret: str | None) -> None:
    """No stored secret is ever carried to another origin."""
    held = list(provider.keys().exclude(sealed=""))
    if secret is None and any(key.enabled for key in held):
        told = AGAIN.format(origin=addresses.origin(old))
        raise ValidationError({"base_url": told, "secret": told})
    for key in held:
        with by.changing(key, "erase secret"):
            key.forget_secret(f"given for {addresses.origin(old)}; the provider moved to another address")


def _keyed(by: By, account: Account, secret: str) -> None:
    try:
        held_keys.take_in(by, account, secret)
    except ValidationError as wrong:
        raise ValidationError({"secret": wrong.messages}) from None


def enable(by: By, provider: Provider) -> Provider:
    return change(by, provider, enabled=True)


def disable(by: By, provider: Provider) -> Provider:
    """Nothing is sent there any more, from the next snapshot on; everything stays stored."""
    return change(by, provider, enabled=False)


def test_connection(by: By, provider: Provider, *, secret: str | None = None) -> Tested:  # noqa: PT028 - not a test
    """Whether it answers, and what is wrong when not; see `testing.py`. The provider may be unsaved."""
    return connection(by, provider, secret=secret)


def goes_with(provider: Provider) -> list[str]:
    """What is removed together with it, in words: "2 accounts", "3 keys", ... Its history stays."""
    places = Placement.objects.filter(deployment__provider=provider)
    found = (
        counted(provider.accounts.count(), "account"),
        counted(provider.keys().count(), "key"),
        counted(provider.deployments.count(), "model"),
        counted(places.count(), "place in pools", "places in pools"),
    )
    return [words for words in found if words]


def remove(by: By, provider: Provider) -> list[str]:
    """The provider and everything `goes_with` names, which is returned."""
    gone = goes_with(provider)
    with following(), transaction.atomic():
        for placement in Placement.objects.filter(deployment__provider=provider).select_related("pool"):
            placement.pool.touch()
        by.removed(provider, with_it=gone)
        provider.delete()
    return gone
