"""Secrets at rest: sealed with Fernet, bound to their purpose, and a type that cannot be printed by accident.

`ROTATION_SECRETS_KEY` holds Fernet keys, comma-separated: the first seals, all of them open. From each a key of its
own is derived per purpose, so a token made for one purpose opens for no other. An empty text stays an empty text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import NoReturn

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PROVIDER_KEY = "provider-key"


class Locked(Exception):
    """Sealed with a secrets key that is not among `ROTATION_SECRETS_KEY` (or for another purpose, or damaged)."""

    def __init__(self) -> None:
        super().__init__(
            "This secret was sealed with a key that is not in ROTATION_SECRETS_KEY. "
            "Put the old key back behind the new one, or enter the secret again."
        )


class Secret:
    """A secret in memory. Only `reveal()` gives it away: not repr, not str, not format, not pickle."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"…{tail}" if (tail := last4(self._text)) else "••••" if self._text else "(no key)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not pickled or copied; reveal() it where it is used.")


def last4(text: str) -> str:
    """The tail that may be shown: the last four of a text long enough (20) not to be guessed from them, else ""."""
    return text[-4:] if len(text) >= 20 else ""


def fingerprint(text: str) -> str:
    """Tells two secrets apart without keeping either: HMAC-SHA256 under the pepper, hex."""
    return hmac.digest(settings.ROTATION_PEPPER.encode(), b"secret:" + text.encode(), hashlib.sha256).hex()


def seal(text: str, purpose: str = PROVIDER_KEY) -> str:
    return _box(settings.ROTATION_SECRETS_KEY, purpose)[0].encrypt(text.encode()).decode() if text else ""


def unseal(token: str, purpose: str = PROVIDER_KEY) -> str:
    """The sealed text. Raises Locked when no secrets key opens it."""
    if not token:
        return ""
    try:
        return MultiFernet(_box(settings.ROTATION_SECRETS_KEY, purpose)).decrypt(token.encode()).decode()
    except InvalidToken:
        raise Locked from None


def reseal(token: str, purpose: str = PROVIDER_KEY) -> str:
    """The token under the first secrets key: itself when it already is. Raises Locked when none opens it."""
    boxes = _box(settings.ROTATION_SECRETS_KEY, purpose)
    try:
        boxes[0].decrypt(token.encode())
    except InvalidToken:
        return seal(unseal(token, purpose), purpose)
    return token


@lru_cache(maxsize=8)
def _box(keys: str, purpose: str) -> tuple[Fernet, ...]:
    """One Fernet per secrets key, derived for the purpose."""
    raw = [base64.urlsafe_b64decode(key.strip()) for key in keys.split(",") if key.strip()]
    derived = [hmac.digest(key, f"rotation/{purpose}".encode(), hashlib.sha256) for key in raw]
    return tuple(Fernet(base64.urlsafe_b64encode(key)) for key in derived)
