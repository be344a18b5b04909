from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rotation.embedded.child import LARGEST_LOG, LONGEST_REST, Child, Service
from tests.embedded.waiting import alive, until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def service(code: str, **more) -> Service:
    return Service("part", [sys.executable, "-c", textwrap.dedent(code)], dict(os.environ), **more)


@pytest.fixture
def started(tmp_path):
    children = []

    def start(what: Service) -> Child:
        child = Child(what, tmp_path)
        children.append(child)
        child.start()
        return child

    yield start
    for child in children:
        child.kill()


def test_a_child_that_ends_tells_its_code_once(started):
    child = started(service("raise SystemExit(3)"))
    codes = []
    until(lambda: (code := child.ended()) is not None and codes.append(code) is None, "the end")
    assert codes == [3]
    assert child.ended() is None
    assert not child.running


def test_what_a_child_prints_is_in_its_log_and_appended_to(started):
    child = started(service("import sys; print('one'); print('two', file=sys.stderr)"))
    until(lambda: child.ended() is not None, "the end")
    child.start()
    until(lambda: child.ended() is not None, "the second end")
    assert child.log.read_text().count("one") == 2
    assert "two" in child.last_words()


def test_orphans_of_a_killed_child_are_killed_too(started, tmp_path):
    number = tmp_path / "orphan"
    child = started(
        service(f"""
            import pathlib, subprocess, sys, time
            orphan = subprocess.Popen({SLEEPER!r})
            pathlib.Path({str(number)!r}).write_text(str(orphan.pid))
            time.sleep(600)
        """)
    )
    until(lambda: number.exists() and number.read_text(), "the grandchild")
    orphan = int(number.read_text())
    assert alive(orphan)
    os.kill(child.process.pid, signal.SIGKILL)
    until(lambda: child.ended() is not None, "the end")
    until(lambda: not alive(orphan), "the end of the orphan")


def test_a_child_does_not_outlive_a_parent_killed_without_warning(tmp_path):
    number = tmp_path / "child"
    code = f"""
        import os, pathlib, sys, time
        from rotation.embedded.child import Child, Service
        child = Child(Service("part", {SLEEPER!r}, dict(os.environ)), pathlib.Path({str(tmp_path)!r}))
        child.start()
        pathlib.Path({str(number)!r}).write_text(str(child.process.pid))
        time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    try:
        until(lambda: number.exists() and number.read_text(), "the child")
        assert alive(int(number.read_text()))
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not alive(int(number.read_text())), "the end of the child")


def test_each_failure_rests_longer_up_to_a_ceiling(tmp_path):
    child = Child(service("pass"), tmp_path)
    rests = []
    for failures in range(1, 30):
        child.failures = failures
        rests.append(child.rest)
    assert rests == sorted(rests)
    assert rests[0] == pytest.approx(0.1)
    assert rests[-1] == LONGEST_REST


def test_a_child_that_ran_long_enough_rests_as_if_it_failed_for_the_first_time(started):
    child = started(service("pass"))
    child.failures = 7
    child.started -= 3600
    until(lambda: child.ended() is not None, "the end")
    assert child.failures == 1


def test_work_ahead_of_a_start_is_done_before_every_start(started):
    done = []
    child = started(service("pass", before=lambda: done.append(1)))
    until(lambda: child.ended() is not None, "the end")
    child.start()
    assert done == [1, 1]


def test_a_large_log_is_moved_aside_while_the_child_goes_on_writing(started, tmp_path):
    go = tmp_path / "go"
    child = started(
        service(f"""
            import pathlib, sys, time
            print("x" * {LARGEST_LOG + 10}, flush=True)
            while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)
            print("afterwards", flush=True)
        """)
    )
    until(lambda: child.log.stat().st_size > LARGEST_LOG, "a large log")
    child.keep_log_small()
    go.touch()
    until(lambda: "afterwards" in child.log.read_text(), "the line after it")
    assert child.log.stat().st_size < 100, "no hole is left where the old text was"
    assert Path(f"{child.log}.1").stat().st_size > LARGEST_LOG
