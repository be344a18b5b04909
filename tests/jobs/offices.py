"""Simulated providers as rows."""

from __future__ import annotations

from typing import Any

from rotation.models import Provider
from tests.models import rows

PATHS = {
    "openrouter": "/openrouter/api/v1",
    "groq": "/groq/openai/v1",
    "openai": "/openai/v1",
    "together": "/together/v1",
}


def simulated(kind: str, **values: Any) -> Provider:
    """One of a kind, with one key that the simulator takes."""
    base = f"simulator:{PATHS[kind]}"
    found = rows.provider(kind=kind, name=f"sim-{kind}", label=kind, base_url=base, simulated=True, **values)
    rows.key(f"sk-sim-{kind}-main-1", account=rows.account(provider=found))
    return found
