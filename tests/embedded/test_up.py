"""`manage.py up` as a person uses it: the real thing with all its children, in a home of its own.

The tests of this module share one installation and are told in the order in which it lives.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from dotenv import dotenv_values

from tests.embedded.running import PARTS, Up, ask
from tests.embedded.waiting import alive, mentioning, until

pytestmark = pytest.mark.timeout(400)

HELLO = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def home():
    """Where a lodged Postgres can come to, and gone afterwards with whatever still runs from it."""
    folder = Path(tempfile.mkdtemp(prefix="rotation-up-"))
    folder.chmod(0o711)
    yield folder / "home"
    for pid in mentioning(str(folder)):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up(home):
    started = Up(home, "--json")
    yield started
    started.end()


@pytest.fixture(scope="module")
def told(up):
    return up.welcome()


def answered(told) -> bool:
    status, text = ask(told["url"], "/v1/chat/completions", HELLO, told["client_key"])
    return status == 200 and '"choices"' in text


def test_an_empty_machine_is_told_everything_in_one_line_of_json(up, told):
    assert set(told) == {"url", "setup_url", "client_key", "simulated"}
    assert told["simulated"] is True
    assert told["setup_url"].startswith(f"{told['url']}/setup/")
    assert len(up.out) == 1


def test_the_first_call_is_answered_and_says_it_is_simulated(told):
    status, text = ask(told["url"], "/v1/chat/completions", HELLO, told["client_key"])
    assert status == 200
    assert "Simulated" in text


def test_pages_and_their_static_files_are_served(told):
    status, text = ask(told["url"], urlsplit(told["setup_url"]).path)
    assert status == 200
    assert "/static/" in text
    assert ask(told["url"], "/readyz")[0] == 200


def test_all_parts_run(up):
    until(up.complete, "all parts")


def test_the_home_it_was_given_holds_everything_and_keeps_it_private(home, told):
    assert (home / "client_key").read_text().strip() == told["client_key"]
    for name in ("client_key", "secrets.env", "running.env"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600, name
    assert {f"{part}.log" for part in PARTS} <= {path.name for path in (home / "logs").iterdir()}


def test_the_attempt_reaches_postgres(home, told):
    assert answered(told)
    url = dotenv_values(home / "running.env")["DATABASE_URL"]

    def counted():
        with psycopg.connect(url) as link:
            return link.execute("SELECT count(*) FROM rotation_attempt WHERE outcome = 'ok'").fetchone()[0]

    until(lambda: counted() >= 1, "the attempt in the database")


def test_a_second_start_in_the_same_home_is_one_clear_line(home, told):
    second = Up(home, "--json")
    assert second.end(signal.SIGCONT) == 1
    assert second.said().startswith(f"Rotation cannot start: Rotation already runs from {home} ({told['url']}, process")
    assert second.said().count("\n") == 1
    assert second.out == []


def test_a_taken_port_is_one_clear_line(home, told):
    port = urlsplit(told["url"]).port
    second = Up(home.with_name("other"), "--json", PORT=str(port))
    assert second.end(signal.SIGCONT) == 1
    assert second.said() == (
        f"Rotation cannot start: port {port} of 127.0.0.1 cannot be used: Address already in use. "
        "Set PORT (or HOST) to another.\n"
    )


@pytest.mark.parametrize("part", [*PARTS])
def test_a_killed_child_comes_back_and_calls_are_answered_again(up, told, part):
    until(up.complete, "all parts")
    before = up.children()[part]
    os.kill(before, signal.SIGKILL)
    until(lambda: up.children().get(part, before) != before, f"another {part}")
    until(lambda: answered(told), "an answer")
    until(up.complete, "all parts")
    until(lambda: ask(told["url"], "/login/")[0] == 200, "a page")
    assert f"{part} ended (signal 9)" in up.said()


def test_ctrl_c_ends_everything_with_code_zero(up, home):
    until(up.complete, "all parts")
    assert up.end(signal.SIGINT) == 0
    until(lambda: not mentioning(str(home)), "the end of everything")
    assert not (home / "running.env").exists()
    assert "was killed" not in up.said()


def test_killed_without_warning_it_leaves_nothing_and_the_next_start_works(home):
    second = Up(home, "--json")
    told = second.welcome()
    until(second.complete, "all parts")
    running = [second.process.pid, *second.children().values()]
    second.end(signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in running), "the end of all children", 30)
    until(lambda: not mentioning(str(home)), "the end of everything", 30)
    third = Up(home, "--json", PORT=str(urlsplit(told["url"]).port))
    try:
        again = third.welcome()
        assert again["client_key"] == told["client_key"]
        assert answered(again)
    finally:
        assert third.end(signal.SIGTERM) == 0
    assert not mentioning(str(home))


def test_for_people_it_says_where_and_how_and_ends_with_the_terminal(home):
    up = Up(home)
    try:
        until(lambda: any("Ctrl-C" in line for line in up.out), "the greeting", 120)
    finally:
        assert up.end(signal.SIGHUP) == 0
    text = "".join(up.out)
    for word in ("Rotation answers at  http://", "/setup/", "rk_", "simulated", "curl http://", "/v1/chat/completions"):
        assert word in text


def test_a_database_that_is_not_there_is_one_clear_message(home):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    up = Up(home.with_name("remote"), "--json", DATABASE_URL=f"postgresql://me@127.0.0.1:{port}/x")
    try:
        until(lambda: up.process.poll() is not None, "the end", 120)
    finally:
        assert up.end() == 1
    assert "Rotation cannot start: CommandError: The database cannot be made ready" in up.said()
    assert "Traceback" not in up.said()
