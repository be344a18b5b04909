"""The discovery jobs: everybody's listing looked at every hour; and what follows for the life of each model."""

from __future__ import annotations

from rotation.discovery import life, looks
from rotation.jobs import public_prices


def discover() -> str:
    """Every enabled provider with a usable key; then the prices nobody listed, and what follows. A line on each."""
    seen = looks.sweep()
    told = [f"{look.provider}: {look.words}" for look in seen if look.run]
    told = told or ["no provider to ask: none is enabled with a usable key"]
    filled = public_prices.fill()
    told += [f"{filled} prices from public data"] if filled else []
    return "; ".join([*told, life.consider().words])


def live() -> str:
    """The steps that are due in the life of every model."""
    return life.consider().words
