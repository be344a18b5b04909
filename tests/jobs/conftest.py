"""A simulated world with a provider of ours in it, and jobs that ask it over the wire.

Models are imported late: this file is read before Django's settings are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rotation.simulator.serve import Running, running


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with running(speed=1000, limits=False) as simulator:
        yield simulator


@pytest.fixture
def sim(simulator: Running, settings: Any) -> Running:
    simulator.faults()
    simulator.reset(seed=0)
    settings.ROTATION_SIMULATOR_URL = simulator.url
    return simulator


@pytest.fixture
def provider(sim: Running) -> Any:
    """OpenRouter, simulated, with one key."""
    from tests.jobs.offices import simulated

    return simulated("openrouter")


@pytest.fixture
def key(provider: Any) -> Any:
    return provider.keys().get()


@pytest.fixture
def deployed(provider: Any) -> Callable[..., Any]:
    """Makes a deployment of that provider."""
    from tests.models import rows

    return lambda model, **values: rows.deployment(provider=provider, model_id=model, **values)
