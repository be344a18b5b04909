"""A simulator for tests about it: quick, and asked the way any client would."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from rotation.simulator.serve import Running, running
from tests.simulator.asking import Client


@pytest.fixture(scope="module")
def simulator() -> Iterator[Running]:
    with running(speed=200, limits=False) as simulator:
        yield simulator


@pytest.fixture
def sim(simulator: Running) -> Running:
    """As new: no faults, no limits, an empty ledger."""
    simulator.faults()
    simulator.reset(seed=0)
    return simulator


@pytest.fixture
def client(sim: Running) -> Iterator[Client]:
    with Client(sim.url) as client:
        yield client


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
