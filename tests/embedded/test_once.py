from __future__ import annotations

import os
import sys
import textwrap

import pytest

from rotation.embedded.once import Once, last_message
from rotation.embedded.supervisor import StartFailed
from tests.embedded.waiting import alive, until


@pytest.fixture
def once(tmp_path):
    started = []

    def start(code: str) -> Once:
        process = Once([sys.executable, "-c", textwrap.dedent(code)], dict(os.environ), tmp_path / "once.log")
        started.append(process)
        return process

    yield start
    for process in started:
        process.end()
        process.printed.close()


def test_the_last_line_it_prints_is_its_result(once):
    process = once("print('warming up'); print('{\"ready\": true}')")
    until(process.ended, "the end")
    assert process.result() == {"ready": True}


def test_what_it_failed_with_is_told_without_the_traceback(once):
    process = once("raise SystemError('no such table: spoons')")
    until(process.ended, "the end")
    with pytest.raises(StartFailed) as said:
        process.result()
    assert str(said.value) == "SystemError: no such table: spoons"


def test_one_that_says_nothing_points_to_its_log(once):
    process = once("raise SystemExit(3)")
    until(process.ended, "the end")
    with pytest.raises(StartFailed, match=r"ended with code 3\. See .*once\.log"):
        process.result()


def test_it_can_be_ended_early(once):
    process = once("import time; time.sleep(600)")
    process.end()
    assert not alive(process.process.pid)


def test_a_message_of_several_lines_stays_whole():
    text = "Traceback:\n  File x\nCommandError: connection failed:\n\tIs the server running?\n"
    assert last_message(text) == "CommandError: connection failed:\n\tIs the server running?"
    assert last_message("  \n") == ""
