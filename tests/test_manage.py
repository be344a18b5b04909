"""The door: what it does before anything is installed. Real environments are made from an empty lock file."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rotation.embedded import bootstrap
from rotation.embedded.bootstrap import CannotInstall

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(sys.executable).resolve()
SAYS_WHERE = """
import sys
def execute_from_command_line(argv):
    print("inside", sys.prefix, *argv[1:])
"""
GOOD_UV = f"""#!/bin/sh
echo "uv $*" >> "$CALLS"
[ "$1" = venv ] && for place; do :; done && exec {PYTHON} -m venv --without-pip "$place"
exit 0
"""


@pytest.fixture
def door():
    """manage.py as a module."""
    spec = importlib.util.spec_from_file_location("manage", ROOT / "manage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Project:
    """A clone with nothing to install, and a Django that only says where it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "path"
        self.calls = folder / "calls"
        for name in ("rotation/embedded", "django/core", "path"):
            (folder / name).mkdir(parents=True)
        for name in ("manage.py", "rotation/embedded/bootstrap.py"):
            shutil.copy(ROOT / name, folder / name)
        for name in (
            "rotation/__init__.py",
            "rotation/embedded/__init__.py",
            "django/__init__.py",
            "django/core/__init__.py",
        ):
            (folder / name).touch()
        (folder / "django/core/management.py").write_text(SAYS_WHERE)
        (folder / "pyproject.toml").write_text("[project]\n")
        for name in bootstrap.LOCKS.values():
            (folder / name).write_text("# nothing\n")

    def program(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    def run(self, *arguments: str, python: Path = PYTHON, **env: str) -> subprocess.CompletedProcess[str]:
        told = {"PATH": f"{self.path}:/usr/bin:/bin", "CALLS": str(self.calls), "HOME": str(self.folder), **env}
        command = [str(python), "manage.py", *arguments]
        return subprocess.run(command, cwd=self.folder, env=told, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "clone")


def test_the_first_run_makes_the_environment_and_goes_on_inside_the_second_loses_no_time(project):
    project.program("uv", GOOD_UV)
    first = project.run("check", "--deploy")
    assert first.stdout == f"inside {project.folder / '.venv'} check --deploy\n"
    assert "Setting up" in first.stderr
    calls = project.calls.read_text()
    assert "--require-hashes -r" in calls
    assert "requirements.lock" in calls
    second = project.run("check")
    assert (second.stdout, second.stderr) == (f"inside {project.folder / '.venv'} check\n", "")
    assert project.calls.read_text() == calls


def test_a_changed_lock_file_installs_again(project):
    project.program("uv", GOOD_UV)
    project.run("check")
    (project.folder / "requirements.lock").write_text("# something else\n")
    assert "Setting up" in project.run("check").stderr
    assert "Setting up" not in project.run("check").stderr


def test_tests_need_more_and_what_was_there_stays_there(project):
    project.program("uv", GOOD_UV)
    project.program("python-of-tests", "")
    project.run("test")
    assert "requirements-dev.lock" in project.calls.read_text()
    assert "Setting up" not in project.run("check").stderr
    (project.folder / "requirements.lock").write_text("# an update\n")
    (project.folder / "requirements-dev.lock").write_text("# an update\n")
    project.calls.unlink()
    project.run("check")
    assert "requirements-dev.lock" in project.calls.read_text()


def test_an_environment_elsewhere_is_used_when_told(project, tmp_path):
    project.program("uv", GOOD_UV)
    elsewhere = tmp_path / "elsewhere"
    assert f"inside {elsewhere}" in project.run("check", ROTATION_VENV=str(elsewhere)).stdout
    assert not (project.folder / ".venv").exists()


def test_this_python_is_used_as_it_is_when_told(project):
    done = project.run("check", ROTATION_VENV="none")
    assert f"inside {PYTHON.parent.parent} check" in done.stdout
    assert not (project.folder / ".venv").exists()


def test_an_environment_whose_python_is_gone_is_made_again(project):
    project.program("uv", GOOD_UV)
    project.run("check")
    python = project.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    done = project.run("check")
    assert "Setting up" in done.stderr
    assert "inside" in done.stdout


def test_without_a_command_it_says_what_there_is(project):
    done = project.run()
    assert "manage.py up" in done.stderr
    assert not (project.folder / ".venv").exists()


def scripted(monkeypatch, *failing: str, version: str = "pip 23.0.1 from somewhere", uv: str | None = None):
    """`_run` that fails for commands holding any of `failing`; the commands it was asked for."""
    asked = []

    def run(command):
        words = " ".join(map(str, command))
        asked.append(words)
        bad = any(part in words for part in failing)
        return subprocess.CompletedProcess(command, int(bad), version, "it went wrong" if bad else "")

    monkeypatch.setattr(bootstrap, "_run", run)
    monkeypatch.setattr(shutil, "which", lambda name: uv)
    return asked


@pytest.mark.parametrize("broken", ["uv venv", "uv pip install"])
def test_a_broken_uv_is_no_reason_to_give_up(monkeypatch, tmp_path, capsys, broken):
    asked = scripted(monkeypatch, broken, uv="uv")
    bootstrap.install(tmp_path / "venv", tmp_path / "lock")
    assert "-m pip install" in asked[-1]
    assert "uv does not work here (it went wrong), going on with pip." in capsys.readouterr().err


def test_without_ensurepip_the_pip_outside_installs_inside(monkeypatch, tmp_path):
    place = tmp_path / "venv"
    inside = str(place / "bin" / "python")
    asked = scripted(monkeypatch, f"-m venv {place}", f"{inside} -m pip", f"{inside} -m ensurepip")
    bootstrap.install(place, tmp_path / "lock")
    assert f"{sys.executable} -m venv --without-pip {place}" in asked
    assert asked[-1].startswith(f"{sys.executable} -m pip --python {inside} install")


def test_a_pip_too_old_to_install_elsewhere_is_not_used(monkeypatch, tmp_path):
    place = tmp_path / "venv"
    inside = str(place / "bin" / "python")
    scripted(monkeypatch, f"{inside} -m", version="pip 20.3 from somewhere")
    with pytest.raises(CannotInstall, match="Neither uv nor pip is here: install python3-venv"):
        bootstrap.install(place, tmp_path / "lock")


def test_no_network_is_one_clear_line(monkeypatch, tmp_path):
    scripted(monkeypatch, "install --quiet")
    with pytest.raises(CannotInstall, match=r"Check the network .*Its last words were: it went wrong") as said:
        bootstrap.install(tmp_path / "venv", tmp_path / "lock")
    assert "\n" not in str(said.value)


def test_a_folder_that_cannot_be_written_is_one_clear_line(monkeypatch, tmp_path):
    scripted(monkeypatch, "-m venv")
    with pytest.raises(CannotInstall, match="Check the folder's rights and space"):
        bootstrap.install(tmp_path / "venv", tmp_path / "lock")


def test_an_old_python_can_read_the_door():
    ast.parse((ROOT / "manage.py").read_text(), feature_version=(3, 7))


def test_an_old_python_looks_for_a_newer_one(door, monkeypatch, tmp_path):
    newer = tmp_path / "python3.12"
    newer.write_text("#!/bin/sh\n")
    newer.chmod(0o755)
    started = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(sys, "argv", ["manage.py", "up"])
    monkeypatch.setattr(os, "execv", lambda path, argv: started.append((path, argv)) or sys.exit())
    with pytest.raises(SystemExit):
        door.insist_on_python()
    assert started == [(str(newer), [str(newer), "manage.py", "up"])]


def test_without_a_newer_python_it_says_which_one_is_needed(door, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit) as said:
        door.insist_on_python()
    assert str(said.value) == "Rotation needs Python 3.11 or newer, this is 3.9.2: install python3.11 and start again."


@pytest.mark.parametrize("arguments", [["-n", "0"], ["-n3", "-x"], ["--numprocesses=1"], ["--pdb"]])
def test_who_says_how_many_processes_test_gets_that_many(door, arguments):
    assert door.test_command(arguments) == [*door.test_command(["-n0"])[:-1], *arguments]


def test_the_tests_run_in_two_processes_or_more(door):
    command = door.test_command(["tests/core"])
    assert command[:3] == [sys.executable, "-m", "pytest"]
    assert int(command[command.index("-n") + 1]) >= 2
    assert command[-1] == "tests/core"
