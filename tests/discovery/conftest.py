"""The simulated world the jobs' tests live in, for discovery as well."""

from __future__ import annotations

from tests.jobs.conftest import deployed, key, provider, sim, simulator

__all__ = ["deployed", "key", "provider", "sim", "simulator"]
