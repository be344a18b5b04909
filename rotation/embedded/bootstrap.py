"""Makes the project's own virtual environment and gets into it. Standard library only.

uv is used when it works, else venv and pip, also where Python comes without ensurepip. Everything installed is
locked by hash. A stamp says what the environment was made from; while it is true, nothing is done.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
OLDEST_PIP_FOR_OTHERS = (22, 3)  # the first pip that installs into another environment
THIS_PYTHON = "none"


class CannotInstall(RuntimeError):
    """The environment could not be made; the message is one line that says what to do."""


def venv() -> Path | None:
    """Where the environment belongs: ROTATION_VENV, else `.venv`. None (`ROTATION_VENV=none`): use this Python."""
    told = os.environ.get("ROTATION_VENV", "")
    if told == THIS_PYTHON:
        return None
    return Path(told).expanduser().absolute() if told else ROOT / ".venv"


def enter(argv: list[str], *, group: str) -> None:
    """Returns inside the environment with `group`'s requirements installed, or exits with one clear line."""
    place = venv()
    if place is None:
        return
    try:
        ensure(place, group)
    except CannotInstall as problem:
        sys.exit(str(problem))
    if Path(sys.prefix).resolve() == place.resolve():
        return
    if os.environ.get("ROTATION_INSIDE") == str(place):
        sys.exit(f"{place} is not a working Python environment: delete it and start again.")
    os.environ["ROTATION_INSIDE"] = str(place)
    python = str(place / "bin" / "python")
    os.execv(python, [python, *argv])


def ensure(place: Path, group: str) -> None:
    """Installs what `group` needs unless the stamp says it is there; raises CannotInstall."""
    if _satisfied(place, group):
        return
    with _alone(place):
        if _satisfied(place, group):
            return  # another start did it while we waited
        if _stamped(place).startswith("dev "):
            group = "dev"  # what was there stays there
        say(f"Setting up {place} (only now and after an update) ...")
        stamp = place / "rotation-stamp"
        stamp.unlink(missing_ok=True)
        install(place, ROOT / LOCKS[group])
        stamp.write_text(f"{group} {fingerprint(place, group)}")


def fingerprint(place: Path, group: str) -> str:
    """What the environment is made from: its Python (not ours, which may be another), lock file, project file."""
    made_from = hashlib.sha256(os.fsencode((place / "bin" / "python").resolve()))
    for name in (LOCKS[group], "pyproject.toml"):
        made_from.update((ROOT / name).read_bytes())
    return made_from.hexdigest()


def install(place: Path, lock: Path) -> None:
    """uv first, pip when uv is not there or does not work."""
    if (place / "pyvenv.cfg").exists() and not (place / "bin" / "python").exists():
        shutil.rmtree(place)  # its Python was uninstalled or replaced: nothing in it can run
    uv = shutil.which("uv")
    if uv and with_uv(uv, place, lock):
        return
    python = with_venv(place)
    pip = _pip_for(place, python)
    say("Installing with pip ...")
    done = _run([*pip, "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)])
    if done.returncode:
        raise CannotInstall(
            "pip could not install the requirements. Check the network (or PIP_INDEX_URL) and start again. "
            f"Its last words were: {_last_line(done)}"
        )


def with_uv(uv: str, place: Path, lock: Path) -> bool:
    """Whether uv did it all. A uv that is broken, or cannot reach its index, is no reason to give up."""
    python = str(place / "bin" / "python")
    steps = [
        [uv, "venv", "--quiet", "--allow-existing", "--no-project", "--python", sys.executable, str(place)],
        [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(lock)],
    ]
    for step in steps:
        done = _run(step)
        if done.returncode:
            say(f"uv does not work here ({_last_line(done)}), going on with pip.")
            return False
    return True


def with_venv(place: Path) -> Path:
    """An environment by the standard library, with pip in it if ensurepip allows; its Python."""
    python = place / "bin" / "python"
    if python.exists() and _run([str(python), "-c", "pass"]).returncode == 0:
        return python
    for extra in ([], ["--without-pip"]):
        shutil.rmtree(place, ignore_errors=True)
        done = _run([sys.executable, "-m", "venv", *extra, str(place)])
        if done.returncode == 0:
            return python
    raise CannotInstall(f"Python could not make {place}. Check the folder's rights and space: {_last_line(done)}")


def _pip_for(place: Path, python: Path) -> list[str]:
    """The pip inside, else the one outside told to install inside."""
    if _run([str(python), "-m", "pip", "--version"]).returncode == 0:
        return [str(python), "-m", "pip"]
    if _run([str(python), "-m", "ensurepip"]).returncode == 0:
        return [str(python), "-m", "pip"]
    outside = _run([sys.executable, "-m", "pip", "--version"])
    words = outside.stdout.split()
    if outside.returncode == 0 and len(words) > 1:
        version = tuple(int(part) for part in words[1].split(".")[:2] if part.isdigit())
        if version >= OLDEST_PIP_FOR_OTHERS:
            return [sys.executable, "-m", "pip", "--python", str(python)]
    raise CannotInstall("Neither uv nor pip is here: install python3-venv (or pip, or uv) and start again.")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - logging is not set up before the environment is


def _satisfied(place: Path, group: str) -> bool:
    if not (place / "bin" / "python").exists():
        return False  # never made, or the Python it was made with is gone
    known = _stamped(place)
    return any(known == f"{name} {fingerprint(place, name)}" for name in LOCKS if name in {group, "dev"})


def _stamped(place: Path) -> str:
    try:
        return (place / "rotation-stamp").read_text().strip()
    except OSError:
        return ""


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    except OSError as problem:
        return subprocess.CompletedProcess(command, 127, "", str(problem))


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"it ended with code {done.returncode}."


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One installation at a time, whoever started it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
