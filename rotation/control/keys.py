"""Keys of providers: added, switched on and off, asked about, removed. A secret goes in and never comes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from rotation.control.by import By
from rotation.control.fields import put
from rotation.control.simulation import following
from rotation.jobs import keys as asking
from rotation.models import Account, Key, KeyState

FIELDS = ("label", "enabled")
SEPARATORS = re.compile(r"[\s,;]+")
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Validated:
    """What a provider says of a key now. `state` is the key's, or "unanswered", or "locked"; `words` are for people,
    the provider's own among them, redacted."""

    state: str
    words: str

    @property
    def works(self) -> bool:
        return self.state == KeyState.READY


def add(by: By, account: Account, secrets: str | Sequence[str], *, label: str = "") -> list[Key]:
    """Store one or several secrets (a text may hold several, separated by blanks, commas or line breaks).

    All or none. Raises ValidationError by field: `secrets`, `label`.
    """
    found = _texts(secrets)
    if not found and account.provider.kind != "generic":
        raise ValidationError({"secrets": f"{account.provider} wants a key: paste it here."})
    if len(found) > MOST_AT_ONCE:
        raise ValidationError({"secrets": f"At most {MOST_AT_ONCE} keys at once."})
    try:
        with following():
            return [take_in(by, account, secret, label=label) for secret in found or [""]]
    except ValidationError as wrong:
        if hasattr(wrong, "error_dict"):
            raise
        raise ValidationError({"secrets": wrong.messages}) from None


def _texts(secrets: str | Sequence[str]) -> list[str]:
    """Each once, in order."""
    parts = SEPARATORS.split(secrets) if isinstance(secrets, str) else [secret.strip() for secret in secrets]
    return list(dict.fromkeys(part for part in parts if part))


def take_in(by: By, account: Account, secret: str, *, label: str = "") -> Key:
    """One secret into the account. Raises ValidationError when the text is no key, or is held already."""
    put(Key(account=account, fingerprint="-"), {"label": label}, FIELDS)
    key, new = Key.objects.take_in(account, secret, label=label)
    if not new:
        raise ValidationError(f"{account} already holds this key: {key}.")
    by.added(key)
    return key


def change(by: By, key: Key, **fields: Any) -> Key:
    """Its label, whether it is enabled. Raises ValidationError by field."""
    _refuse_empty(key, fields)
    with following(), by.changing(key):
        put(key, fields, FIELDS)
        key.save()
    return key


def _refuse_empty(key: Key, fields: dict[str, Any]) -> None:
    if fields.get("enabled") and not key.enabled and not key.sealed and key.account.provider.kind != "generic":
        raise ValidationError({"enabled": "Its secret was erased; replace it first."})


def replace(by: By, key: Key, secret: str) -> Key:
    """Another secret for the same row: enabled, ready. Raises ValidationError on `secret`."""
    provider = key.account.provider
    with following(), by.changing(key, "replace"):
        if not secret.strip() and provider.kind != "generic":
            raise ValidationError({"secret": f"{provider} wants a key: paste it here."})
        try:
            key.put_secret(secret)
        except ValidationError as wrong:
            raise ValidationError({"secret": wrong.messages}) from None
        same = Key.objects.filter(account=key.account, fingerprint=key.fingerprint).exclude(pk=key.pk).first()
        if same:
            raise ValidationError({"secret": f"{key.account} already holds this key: {same}."})
        key.enabled = True
        key.save()
        key.revive("replaced")
    return key


def enable(by: By, key: Key) -> Key:
    return change(by, key, enabled=True)


def disable(by: By, key: Key) -> Key:
    """No call uses it any more, from the next snapshot on."""
    return change(by, key, enabled=False)


def remove(by: By, key: Key) -> None:
    with following():
        by.removed(key)
        key.delete()


def validate(by: By, key: Key) -> Validated:
    """Ask the provider now, and keep what it said. Costs no quota."""
    state = asking.check(key)
    key.refresh_from_db()
    told = Validated(state, _words(state, key))
    by.noted("validate", key, state=state, reason=key.state_reason)
    return told


def _words(state: str, key: Key) -> str:
    match state:
        case KeyState.READY:
            return f"{key.account.provider} takes this key."
        case "unanswered":
            return f"{key.account.provider} gave no answer about it; the key stays as it is."
        case "locked":
            return "It is sealed with a key that is not in ROTATION_SECRETS_KEY; enter it again."
    said = f": {key.state_reason}" if key.state_reason else ""
    again = " Asked again, it counts as invalid." if state == KeyState.SUSPECT else ""
    return f"{key.account.provider} refuses it ({key.get_state_display()}){said}.{again}"


def revive(by: By, key: Key) -> Key:
    """A person says it works again: ready, and what benched it is over, here and in the gateway."""
    with by.changing(key, "revive"):
        key.revive(f"marked by {by.actor}")
    return key
