"""Which providers a call can reach at all: enabled, with an address, with a key that is held."""

from __future__ import annotations

from rotation.models import Key, Provider


def reachable() -> set[int]:
    """Their ids."""
    held = set(Key.objects.usable().values_list("account__provider_id", flat=True))
    return {provider.pk for provider in Provider.objects.filter(enabled=True, pk__in=held) if provider.url}
