"""Who may transcribe, by provider: switched on or off, how much of an upload it takes, how much it was sent today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rotation.core.transcription import MIB, POOL
from rotation.gateway.uploads import own_most
from rotation.models import Placement, Provider

NEARLY = 0.1  # of the mean: how far calls may lie apart and still count as even


@dataclass(frozen=True, slots=True)
class Ear:
    """A provider in the pool of transcription. `most` is in MiB; `own` when an operator has said it."""

    provider: Provider
    on: bool
    models: int
    preferred: bool
    calls: int
    most: float
    own: bool


def ears(used: Mapping[int, int], *, simulated: bool) -> list[Ear]:
    """Everybody in the pool, switched off ones as well, in order. One query."""
    rows = Placement.objects.filter(pool__name=POOL, deployment__provider__simulated=simulated)
    by_provider: dict[Provider, list[Placement]] = {}
    for row in rows.select_related("deployment__provider").order_by("position", "id"):
        by_provider.setdefault(row.deployment.provider, []).append(row)
    return [_ear(provider, places, used.get(provider.pk, 0)) for provider, places in by_provider.items()]


def _ear(provider: Provider, places: Sequence[Placement], calls: int) -> Ear:
    options = provider.options if isinstance(provider.options, dict) else {}
    on = provider.enabled and any(place.enabled for place in places)
    preferred = any(place.pinned and place.enabled for place in places)
    return Ear(
        provider, on, len(places), preferred, calls, own_most(provider.options) / MIB, "max_upload_mib" in options
    )


def evenness(ears: Sequence[Ear]) -> tuple[bool, str] | None:
    """Whether those that take turns were sent about the same today, and in words; None where there is nobody to
    compare, or nothing was sent."""
    counts = [ear.calls for ear in ears if ear.on and not ear.preferred]
    if len(counts) < 2 or not any(counts):
        return None
    low, high = min(counts), max(counts)
    even = high - low <= max(1.0, NEARLY * sum(counts) / len(counts))
    if even:
        return True, f"Even: {low:,} to {high:,} calls each." if low != high else f"Even: {low:,} calls each."
    return False, f"Not even yet: {low:,} to {high:,} calls. Who was sent fewer goes first until they are."
