"""A process that is run once for what it prints: one line of JSON on stdout, everything else in a log."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotation.embedded.child import dies_with_parent
from rotation.embedded.supervisor import StartFailed


class Once:
    """Started at once; `ended()` never waits."""

    def __init__(self, argv: list[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        self.printed = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process; without a name
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                argv,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=self.printed,
                stderr=errors,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - we are single-threaded
            )

    def ended(self) -> bool:
        return self.process.poll() is not None

    def end(self) -> None:
        if not self.ended():
            self.process.kill()
            self.process.wait()

    def result(self) -> dict[str, Any]:
        """What it printed; raises StartFailed with its last words."""
        self.printed.seek(0)
        lines = self.printed.read().splitlines()
        self.printed.close()
        if self.process.returncode or not lines:
            said = last_message(self.log.read_text(errors="replace"))
            raise StartFailed(said or f"the preparation ended with code {self.process.returncode}. See {self.log}.")
        found: dict[str, Any] = json.loads(lines[-1])
        return found


def last_message(text: str) -> str:
    """What an error says, without the traceback above it: the last line that is not indented, and what follows."""
    lines = text.strip().splitlines()
    flush = [n for n, line in enumerate(lines) if line and not line[0].isspace()]
    return "\n".join(lines[flush[-1] :]) if flush else ""
