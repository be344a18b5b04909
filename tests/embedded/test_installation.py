"""What an installation waits for, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rotation.embedded import up


class Ready:
    """A process that has ended well."""

    def __init__(self, *_: object) -> None:
        self.ended: Callable[[], bool] = lambda: True
        self.end: Callable[[], None] = lambda: None

    def result(self) -> dict[str, Any]:
        return {"simulated": True}


def test_another_edition_may_take_its_time_to_make_a_large_database_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waited: dict[str, float] = {}
    monkeypatch.setattr(up, "Once", Ready)
    parts = SimpleNamespace(
        env={},
        home=SimpleNamespace(logs=tmp_path),
        supervisor=SimpleNamespace(wait_for=lambda ready, what, patience: waited.update({what: patience})),
    )
    assert up.Installation.prepare(parts, quickly=False) == {"simulated": True}  # type: ignore[arg-type]  # its parts
    assert waited["the preparation"] >= 1800, "a month of calls is read once, and a slow disk is no reason to give up"
