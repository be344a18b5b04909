"""Most of this matters to root only; an ordinary user runs Postgres himself, and the tests hold that too."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from rotation.embedded import binaries, lodging
from rotation.embedded.lodging import NoLodging, Owner

ROOT = os.geteuid() == 0


@pytest.fixture
def lodger():
    """Whoever runs Postgres here; for an ordinary user himself, as far as reaching things goes."""
    return lodging.owner() or Owner("self", os.geteuid(), os.getegid())


def test_root_lodges_postgres_with_somebody_and_others_do_not():
    assert (lodging.owner() is not None) == ROOT


def test_without_anybody_to_lodge_with_root_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(lodging, "LODGERS", ("nobody-of-this-name",))
    with pytest.raises(NoLodging, match="start as another user"):
        lodging.owner()


def test_a_folder_of_somebody_else_is_not_taken_over(tmp_path):
    folder = tmp_path / "data"
    folder.symlink_to("/etc")
    with pytest.raises(NoLodging, match="belongs to somebody else"):
        lodging.make_private(folder, None)
    assert stat.S_IMODE(Path("/etc").stat().st_mode) != 0o700


def test_a_private_folder_is_for_its_owner_only(tmp_path, lodger):
    lodging.make_private(tmp_path / "a" / "data", lodger if ROOT else None)
    folder = (tmp_path / "a" / "data").stat()
    assert stat.S_IMODE(folder.st_mode) == 0o700
    assert folder.st_uid == lodger.uid


def test_a_closed_folder_sends_the_data_elsewhere_and_stays_closed(tmp_path, lodger, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(lodging, "PRIVATE", tmp_path / "private")
    if not ROOT:  # who is his own lodger comes in everywhere
        monkeypatch.setattr(lodging, "_can", lambda *_: False)
    reachable = lodging.reachable_folder(closed / "home" / "postgres", lodger)
    assert reachable.parent == tmp_path / "private"
    assert lodging.reachable_folder(closed / "home" / "postgres", lodger) == reachable
    assert lodging.reachable_folder(closed / "other" / "postgres", lodger) != reachable
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_programs_in_a_closed_folder_are_copied_once_and_run_from_there(tmp_path, lodger, monkeypatch):
    private = tmp_path / "private"
    monkeypatch.setattr(lodging, "PRIVATE", private)
    monkeypatch.setattr(lodging, "_can", lambda *_: False)
    first = lodging.reachable_programs(binaries.postgres_bin(), lodger)
    stamp = first.stat().st_mtime_ns
    assert lodging.reachable_programs(binaries.postgres_bin(), lodger) == first
    assert first.stat().st_mtime_ns == stamp
    said = subprocess.run([first / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert "PostgreSQL" in said.stdout
    assert not list(private.glob("*.draft")), "no half copy is left"
