"""`manage.py registry export|import|diff [FILE]`: the registry of models as a YAML file that can be reviewed in git."""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rotation.control.by import By
from rotation.discovery import registry
from rotation.models import Door

BY = By("command line", Door.COMMAND)


class Command(BaseCommand):
    help = "Write the registry of models to a YAML file, say what a file would change, or bring it in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="write it; comments of an existing file stay")
        export.add_argument("file", nargs="?", default="-", help="where to; without one it is printed")
        export.add_argument("--simulated", action="store_true", help="the simulated providers' instead of the real")
        for name, words in (("diff", "say what importing a file would change"), ("import", "all of it, or nothing")):
            taking = actions.add_parser(name, help=words)
            taking.add_argument("file", help="the file, or - for what is piped in")

    def handle(self, *args: Any, **options: Any) -> None:
        action, file = options["action"], options["file"]
        try:
            if action == "export":
                self.export(file, simulated=options["simulated"])
            elif action == "diff":
                self.tell(registry.compare(read(file)), "Importing it would change", "Importing it changes nothing.")
            else:
                self.tell(registry.bring_in(BY, read(file)), "Changed", "Nothing to change: it is so already.")
        except registry.Refused as refused:
            many = "1 problem" if len(refused.problems) == 1 else f"{len(refused.problems)} problems"
            raise CommandError(f"{file}: {many}, nothing was changed.\n{refused}") from None

    def export(self, file: str, *, simulated: bool) -> None:
        if file == "-":
            self.stdout.write(registry.text(BY, simulated=simulated), ending="")
            return
        before = read(file) if Path(file).exists() else ""
        after = registry.text(BY, existing=before, simulated=simulated)
        if after == before:
            self.stdout.write(f"{file} is up to date.")
            return
        replace(Path(file), after)
        self.stdout.write(f"{file} written.")

    def tell(self, compared: registry.Compared, title: str, nothing: str) -> None:
        if compared.older and compared.differences:
            self.stdout.write("Note: the registry has changed since this file was written; look closely.")
        if compared.left_alone:
            self.stdout.write(f"Models the file does not name, left as they are: {compared.left_alone}")
        if not compared.differences:
            self.stdout.write(nothing)
            return
        self.stdout.write(f"{title} ({len(compared.differences)}):")
        for difference in compared.differences:
            self.stdout.write(f"  {difference}")


def read(file: str) -> str:
    try:
        return (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode()
    except UnicodeDecodeError as wrong:
        raise CommandError(f"{file} is not UTF-8 text (byte {wrong.start}).") from None
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror or error}.") from None


def replace(path: Path, text: str) -> None:
    """Whole or not at all, whatever happens meanwhile; a file that was there keeps its permissions."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as written:
            written.write(text)
        Path(written.name).chmod(mode)
        os.replace(written.name, path)  # noqa: PTH105 - the same, named after what it does
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from None
