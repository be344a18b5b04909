#!/usr/bin/env python3
"""The one door: `python3 manage.py up`, `python3 manage.py test`, and every Django command.

Needs nothing but Python 3.11 or newer: when it does not run inside the project's `.venv`, it makes it, installs the
hash-locked requirements and starts again inside. A second start finds everything in place and loses no time.
"""

from __future__ import annotations

import os
import shutil
import sys

OLDEST = (3, 11)
KNOWN = ("python3.14", "python3.13", "python3.12", "python3.11")
HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - runs on old Pythons too, to say so
USAGE = """Rotation: one OpenAI-compatible address that keeps answering.

  python3 manage.py up            start everything; Ctrl-C stops it
  python3 manage.py test          run every test (what follows goes to pytest)
  python3 manage.py help          list every other command
"""


def insist_on_python() -> None:
    """Starts again with a newer Python when this one is too old; says so when there is none."""
    if sys.version_info[:2] >= OLDEST:
        return
    for name in KNOWN:
        path = shutil.which(name)
        if path:
            os.execv(path, [path, *sys.argv])
    this = ".".join(str(part) for part in sys.version_info[:3])
    sys.exit(f"Rotation needs Python 3.11 or newer, this is {this}: install python3.11 and start again.")


def test_command(arguments: list[str]) -> list[str]:
    """pytest over two or more processes, unless the arguments say how many."""
    told = any(word.startswith(("-n", "--numprocesses", "--pdb")) for word in arguments)
    processes = max(2, min(8, len(os.sched_getaffinity(0))))
    spread = [] if told else ["-n", str(processes)]
    share = ["--dist", "loadscope", "--no-loadscope-reorder"]  # see tests/shares.py
    return [sys.executable, "-m", "pytest", *share, *spread, *arguments]


def main() -> None:
    insist_on_python()
    sys.path.insert(0, HERE)
    from rotation.embedded import bootstrap  # noqa: PLC0415 - an old Python could not even read it

    command, *arguments = sys.argv[1:] or ["--usage"]
    if command == "--usage":
        sys.exit(USAGE)
    bootstrap.enter(sys.argv, group="dev" if command == "test" else "run")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rotation.settings")
    if command == "up":
        from rotation.embedded import up  # noqa: PLC0415 - only once its libraries are there

        sys.exit(up.main(arguments))
    if command == "test":
        os.chdir(HERE)
        os.execv(sys.executable, test_command(arguments))
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
