"""Who takes part in a made-up past: deployments with a temper, in the orders of their pools.

A temper is drawn from the seed and the model's name, so the same seed always meets the same characters.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SLOWEST_TRIAL = 20_000.0


@dataclass(frozen=True, slots=True)
class Actor:
    """One deployment through the keys of its accounts. `median` is ms; shares are 0..1; prices USD per token."""

    deployment: int
    provider: int
    model: str
    keys: tuple[tuple[int, int], ...]  # (account, key)
    median: float
    spread: float
    limited: float
    failing: float
    slow: float
    price_in: float
    price_out: float


@dataclass(frozen=True, slots=True)
class Cast:
    """Orders by pool name, and how often each pool is asked."""

    orders: Mapping[str, Sequence[Actor]]
    weights: Mapping[str, float]


ASKED = {"auto": 70.0, "fast": 12.0, "code": 8.0, "research": 6.0, "vision": 4.0}


@dataclass(frozen=True, slots=True)
class Offer:
    """What the database knows of a deployment."""

    deployment: int
    provider: int
    model: str
    keys: tuple[tuple[int, int], ...]
    seconds: float | None
    price_in: float
    price_out: float


def actor(offer: Offer, seed: int) -> Actor:
    chance = random.Random(f"{seed}/{offer.model}")  # noqa: S311 - believable, not secret
    median = 1000 * offer.seconds if offer.seconds else chance.uniform(400, 6_000)
    trouble = chance.random() ** 3  # most are fine, a few are not
    return Actor(
        deployment=offer.deployment,
        provider=offer.provider,
        model=offer.model,
        keys=offer.keys,
        median=min(median, SLOWEST_TRIAL) * chance.uniform(0.85, 1.15),
        spread=chance.uniform(0.22, 0.5),
        limited=0.003 + 0.03 * trouble,
        failing=0.001 + 0.012 * trouble,
        slow=0.0005 + 0.004 * trouble,
        price_in=offer.price_in,
        price_out=offer.price_out,
    )


def cast_of(offers: Mapping[str, Sequence[Offer]], seed: int) -> Cast:
    """The cast of the pools that have somebody to ask. Raises ValueError when none has."""
    orders = {
        pool: [actor(offer, seed) for offer in order if offer.keys] for pool, order in offers.items() if pool in ASKED
    }
    orders = {pool: order for pool, order in orders.items() if order}
    if not orders:
        raise ValueError("no simulated deployment with a key has a place in a pool: run `manage.py prepare` first")
    return Cast(orders, {pool: ASKED[pool] for pool in orders})
