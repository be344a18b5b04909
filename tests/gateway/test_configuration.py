"""The configuration keeps coming, whatever is wrong with a piece of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from rotation.core.policy import SEED
from rotation.gateway import loading, watch
from rotation.gateway.watch import Watch


def test_a_policy_that_cannot_be_followed_costs_its_own_pool_the_changes_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pools = [
        {"id": 1, "name": "odd", "strategy": "ordered", "preset": "seed", "policy": {"patience": "long"}, "version": 1},
        {"id": 2, "name": "even", "strategy": "ordered", "preset": "balanced", "policy": {"patience": 2}, "version": 1},
    ]
    names = "providers accounts keys deployments placements clients cooldowns breakers limits"
    rows: dict[str, list[Any]] = {"version": [{"version": 3}], "pools": pools, **{n: [] for n in names.split()}}
    snapshot = loading.build(rows)
    assert snapshot.pools["odd"].policy == SEED
    assert snapshot.pools["even"].policy.patience == 2
    assert "pool odd works by the preset alone" in caplog.text


def test_the_watch_outlives_what_it_cannot_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = 0

    class Watching(Watch):
        def _listen(self) -> None:
            nonlocal tried
            tried += 1
            if tried == 1:
                raise ValueError("a row from the future")
            self._stop.set()

    monkeypatch.setattr(watch, "POLL", 0.0)
    with caplog.at_level(logging.ERROR):
        Watching(0, print, print)._run()
    assert tried == 2
    assert "a row from the future" in caplog.text
