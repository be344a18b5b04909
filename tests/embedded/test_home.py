from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from rotation.embedded.home import AlreadyRunning, Home
from rotation.embedded.postgres import LONGEST_SOCKET_PATH


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    yield home
    home.unlock()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def second_start(path: Path, said) -> None:
    try:
        Home(path).lock()
    except AlreadyRunning as problem:
        said.put(str(problem))
    else:
        said.put("")


def told_to_a_second_start(path: Path) -> str:
    fresh = multiprocessing.get_context("spawn")
    said = fresh.Queue()
    other = fresh.Process(target=second_start, args=(path, said))
    other.start()
    answer: str = said.get(timeout=60)
    other.join(60)
    return answer


def test_a_second_start_in_the_same_home_is_told_where_the_first_answers(home):
    home.lock()
    home.say_where("http://127.0.0.1:8000")
    answer = told_to_a_second_start(home.path)
    assert answer == f"Rotation already runs from {home.path} (http://127.0.0.1:8000, process {os.getpid()})."


def test_a_second_start_while_the_first_still_starts_is_refused_too(home):
    home.lock()
    assert "it is still starting" in told_to_a_second_start(home.path)


def test_others_cannot_read_what_lies_in_a_home(home):
    home.lock()
    home.remember("prepared", {"edition": 1})
    home.announce({"DATABASE_URL": "postgresql:///"})
    assert mode(home.path) & 0o066 == 0
    assert mode(home.logs) == 0o700
    assert mode(home.path / "prepared.json") == mode(home.running) == 0o600


def test_a_home_somebody_made_keeps_its_rights(home):
    home.path.mkdir(mode=0o755)
    home.path.chmod(0o755)
    home.lock()
    assert mode(home.path) == 0o755


def test_small_facts_are_remembered_over_restarts_and_broken_ones_forgotten(home):
    home.lock()
    home.remember("simulator", 4711)
    assert Home(home.path).recall("simulator") == 4711
    (home.path / "simulator.json").write_text("{half")
    assert home.recall("simulator") is None
    assert home.recall("never") is None


def test_addresses_survive_the_way_through_a_file(home):
    home.lock()
    told = {"DATABASE_URL": "postgresql:///postgres?host=/a b/c&user=postgres", "PORT": "8000"}
    home.announce(told)
    assert dotenv_values(home.running) == told


def test_a_socket_path_too_long_for_the_kernel_moves_to_a_private_folder(tmp_path):
    deep = Home(tmp_path / ("d" * 60) / ("e" * 60))
    path = deep.socket("dashboard.sock")
    assert len(str(path)) <= LONGEST_SOCKET_PATH
    assert mode(path.parent) == 0o700
    assert path == deep.socket("dashboard.sock")
    path.parent.rmdir()
