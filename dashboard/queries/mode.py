"""Whether the rotation asks simulated providers now: their numbers and the real ones are never shown together."""

from __future__ import annotations

from rotation.models import Provider


def simulated() -> bool:
    """One query: true while a simulated provider is switched on."""
    return Provider.objects.filter(simulated=True, enabled=True).exists()
