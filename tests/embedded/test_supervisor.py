from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from rotation.embedded.child import Service
from rotation.embedded.supervisor import StartFailed, Stopped, Supervisor
from tests.embedded.waiting import alive, until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)


def service(name: str, code: str, **more) -> Service:
    return Service(name, [sys.executable, "-c", textwrap.dedent(code)], dict(os.environ), **more)


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    supervisor = Supervisor(tmp_path, said.append)
    yield supervisor
    supervisor.stop()  # a second time for some: it does not mind


def test_a_killed_child_comes_back(supervisor, said):
    child = supervisor.start(service("part", "import time; time.sleep(600)"))
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    supervisor.wait_for(lambda: child.running and child.process.pid != first, "it", 30)
    assert any("part ended (signal 9)" in line for line in said)


def test_a_child_that_keeps_failing_never_holds_up_the_others(supervisor):
    bad = supervisor.start(service("bad", "raise SystemExit(1)"))
    good = supervisor.start(service("good", "import time; time.sleep(600)"))
    bad.failures = 3
    first = good.process.pid
    os.kill(first, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: supervisor.tick() or (good.running and good.process.pid != first), "the good one")
    assert bad.failures < 10
    assert time.monotonic() - began < 10


def test_a_start_that_cannot_succeed_ends_with_the_childs_last_words(supervisor):
    supervisor.start(service("part", "raise SystemExit('no such table: spoons')"))
    with pytest.raises(StartFailed, match="no such table: spoons"):
        supervisor.wait_for(lambda: False, "it", 60)


def test_a_program_that_is_not_there_is_said_and_tried_again(supervisor, said):
    supervisor.start(Service("part", ["/nowhere/at/all"], {}))
    with pytest.raises(StartFailed, match="part does not start"):
        supervisor.wait_for(lambda: False, "it", 60)
    assert any("cannot be started" in line for line in said)


def test_waiting_in_vain_says_for_what(supervisor):
    with pytest.raises(StartFailed, match="the moon did not come up"):
        supervisor.wait_for(lambda: False, "the moon", 0.1)


def test_being_asked_to_stop_ends_a_start(supervisor):
    supervisor.asked = 1
    with pytest.raises(Stopped):
        supervisor.wait_for(lambda: False, "it", 60)


def test_the_last_ones_are_stopped_after_the_others(supervisor, tmp_path):
    order = tmp_path / "order"
    code = f"""
        import pathlib, signal, sys, time
        def bye(*_):
            with open({str(order)!r}, "a") as file: file.write(sys.argv[1] + " ")
            sys.exit(0)
        signal.signal(signal.SIGTERM, bye)
        print("up", flush=True)
        time.sleep(600)
    """
    argv = [sys.executable, "-c", textwrap.dedent(code)]
    database, web = (supervisor.start(Service(name, [*argv, name], dict(os.environ))) for name in ("database", "web"))
    until(lambda: all("up" in child.last_words() for child in (database, web)), "both")
    supervisor.stop(database)
    assert order.read_text().split() == ["web", "database"]


def test_a_child_deaf_to_the_stop_signal_is_killed_after_its_patience(supervisor, said):
    child = supervisor.start(service("part", STUBBORN, patience=0.3))
    until(lambda: "deaf" in child.last_words(), "the child")
    pid = child.process.pid
    supervisor.stop()
    assert not alive(pid)
    assert said == ["part did not end by itself and was killed"]


def test_a_frozen_child_can_be_stopped(supervisor):
    child = supervisor.start(service("part", "import time; time.sleep(600)", patience=0.3))
    pid = child.process.pid
    os.kill(pid, signal.SIGSTOP)
    supervisor.stop()
    assert not alive(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_watches_until_a_signal_and_leaves_nothing(tmp_path, number):
    code = f"""
        import os, pathlib, sys
        from rotation.embedded.child import Service
        from rotation.embedded.supervisor import Supervisor
        supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), print)
        supervisor.listen_to_signals()
        child = supervisor.start(Service("part", {SLEEPER!r}, dict(os.environ)))
        print(child.process.pid, flush=True)
        supervisor.watch()
        supervisor.stop()
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    with parent, parent.stdout:
        pid = int(parent.stdout.readline())
        parent.send_signal(number)
        assert parent.wait(60) == 0
    assert not alive(pid)


def test_a_second_request_to_stop_kills_at_once(tmp_path):
    code = f"""
        import os, pathlib, sys
        from rotation.embedded.child import Service
        from rotation.embedded.supervisor import Supervisor
        supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}), lambda text: None)
        supervisor.listen_to_signals()
        part = Service("part", [sys.executable, "-c", {STUBBORN!r}], dict(os.environ), patience=600)
        child = supervisor.start(part)
        supervisor.wait_for(lambda: "deaf" in child.last_words(), "it", 60)
        print(child.process.pid, flush=True)
        supervisor.watch()
        supervisor.stop()
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    with parent, parent.stdout:
        pid = int(parent.stdout.readline())
        again = threading.Event()

        def insist() -> None:
            while not again.wait(0.2):
                parent.send_signal(signal.SIGINT)

        insisting = threading.Thread(target=insist)
        insisting.start()
        try:
            assert parent.wait(60) == 0
        finally:
            again.set()
            insisting.join()
    assert not alive(pid)


def test_a_part_runs_exactly_as_long_as_it_is_wanted(supervisor, said, tmp_path):
    sign = tmp_path / "sign"
    child = supervisor.start(service("part", "import time; time.sleep(600)", wanted=sign.exists))
    supervisor.tick()
    assert not child.running
    assert not child.missed
    sign.touch()
    supervisor.wait_for(lambda: child.running, "the part", 30)
    sign.unlink()
    supervisor.wait_for(lambda: not child.running, "the end", 30)
    supervisor.tick()
    assert not child.running
    assert "it is not wanted any more" in said[-1]
    sign.touch()
    supervisor.wait_for(lambda: child.running, "the part again", 30)
