"""Simulated providers follow what is done to real keys: they go off with the first, and on again after the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from rotation import starter


@contextmanager
def following() -> Iterator[None]:
    """One transaction; only a turn of the tide counts: who switches a simulated provider on beside real ones is left
    alone."""
    with transaction.atomic():
        before = starter.simulation_wanted()
        yield
        if starter.simulation_wanted() != before:
            starter.sync_simulation()
