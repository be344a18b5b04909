"""A simulator and gateways in front of it, for the length of a test.

The gateway is imported inside the fixtures: it needs Django's settings, which are there once the tests are configured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from rotation.simulator.serve import Running, running

if TYPE_CHECKING:
    from tests.cast import Offer, Serving
    from tests.gateway.asking import Open


@pytest.fixture
def sim() -> Iterator[Running]:
    with running(seed=7, speed=50.0) as simulator:
        yield simulator


@pytest.fixture
def gateway(sim: Running, tmp_path: Path) -> Iterator[Open]:
    """Opens a gateway over the offers given (by default two models of two providers); all are closed afterwards."""
    from tests.cast import Offer, serving, snapshot_of

    with ExitStack() as stack:

        def open_one(*offers: Offer, **more: Any) -> Serving:
            journal = tmp_path / f"journal-{len(list(tmp_path.iterdir()))}"
            chosen = offers or (Offer("groq", "llama-3.1-8b-instant"), Offer("openai", "gpt-4o-mini"))
            return stack.enter_context(serving(snapshot_of(sim.url, chosen, **more), journal))

        yield open_one


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    """Alice's."""
    from tests.cast import ALICE

    with httpx2.Client(headers={"authorization": f"Bearer {ALICE}"}, timeout=60) as alice:
        yield alice
