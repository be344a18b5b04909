"""A provider's complaint as a value, whatever envelope it came in. Reading envelopes and judging are done elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says. `words` are its codes and types, lower case; `status` an HTTP status it names itself.

    `waits` are the waits it gives (numbers or texts, as they stood), `reset` a moment (epoch), `relayed` what an
    upstream behind the provider said. `about` names what the request stumbled over (a routing constraint).
    """

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    status: int | None = None
    words: frozenset[str] = frozenset()
    waits: tuple[Any, ...] = ()
    reset: Any = None
    retryable: bool | None = None
    about: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    relayed: Complaint | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Its own message, then the ones it relays."""
        return (self.message, *(self.relayed.texts if self.relayed else ()))

    @property
    def all_words(self) -> frozenset[str]:
        return self.words | (self.relayed.all_words if self.relayed else frozenset())

    @property
    def told(self) -> str:
        """What to tell: the message, and the relayed one when there is more in it."""
        more = self.relayed.told if self.relayed else ""
        if not more or more in self.message:
            return self.message
        return f"{self.message}: {more}" if self.message else more
