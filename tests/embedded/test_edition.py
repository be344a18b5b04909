"""What a start prepares from has a fingerprint: whatever changes in it is prepared before the web starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotation.embedded import edition


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("static/css/rotation.css", "rotation/migrations/0001_first.py", "requirements.lock", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(edition, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["static/css/rotation.css", "rotation/migrations/0001_first.py", "requirements.lock"])
def test_a_changed_style_or_migration_or_library_makes_it_another_start(root: Path, name: str):
    before = edition.of_start()
    (root / name).write_text("after")
    assert edition.of_start() != before


def test_what_nothing_is_prepared_from_changes_nothing(root: Path):
    before = edition.of_start()
    (root / "README.md").write_text("after")
    assert edition.of_start() == before


def test_a_style_alone_leaves_the_database_as_it_is(root: Path):
    before = edition.of_database()
    (root / "static/css/rotation.css").write_text("after")
    assert edition.of_database() == before
