"""Who calls: client keys held in memory as HMAC digests, so that a call is let in without a database.

The plain key is never kept. Looking up a digest takes the same time for a right and a wrong key.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass

from rotation.gateway.envelope import Refusal


@dataclass(frozen=True, slots=True)
class Client:
    """One client key. `pools` empty means all; `expires` is wall-clock epoch seconds; budgets are USD per UTC day and
    month, None for no limit. `origin` is the first of the keys it replaces, 0 when it replaces none.
    """

    id: int
    label: str
    pools: frozenset[str] = frozenset()
    internal: bool = False
    expires: float | None = None
    requests_per_minute: int | None = None
    daily_budget: float | None = None
    monthly_budget: float | None = None
    origin: int = 0

    @property
    def purse(self) -> int:
        """Under which id its limits are counted: a key and what replaces it share them, or a new key were new money."""
        return self.origin or self.id

    @property
    def budgeted(self) -> bool:
        return self.daily_budget is not None or self.monthly_budget is not None


def _missing() -> Refusal:
    message = (
        "You did not provide an API key. Send it as 'Authorization: Bearer <client key>'; "
        "client keys are made in the admin under Client keys."
    )
    return Refusal(401, message, "missing_api_key", headers={"www-authenticate": "Bearer"})


def _wrong() -> Refusal:
    message = (
        "This client key is not known, was revoked, or has expired. Make a new one in the admin under Client keys."
    )
    return Refusal(401, message, "invalid_api_key", headers={"www-authenticate": "Bearer"})


def identify(credentials: list[bytes], known: Mapping[str, Client], pepper: bytes) -> Client:
    """The client behind the values of the Authorization headers. Raises `Refusal` (400 or 401)."""
    if not credentials:
        raise _missing()
    if len(credentials) > 1:
        raise Refusal(400, "Send the Authorization header once.", "duplicate_authorization")
    scheme, _, plain = credentials[0].partition(b" ")
    plain = plain.strip()
    if scheme.lower() != b"bearer" or not plain:
        raise _missing()
    client = known.get(hmac.digest(pepper, plain, hashlib.sha256).hex())
    if client is None or (client.expires is not None and client.expires <= time.time()):
        raise _wrong()
    return client
