"""Makes the database and everything else ready for a start. `up` runs it by itself; services run it before the web."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from rotation import preparation


class Command(BaseCommand):
    help = "Migrate, load the starter data, take in keys from the environment, collect static files."
    requires_system_checks = ["security"]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one line of JSON, with the client key in it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if settings.ROTATION_ROLE == "gateway" and not preparation.up_to_date():
                # Tables and static files belong to all apps, and this role has only the engine: start again with all.
                os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "ROTATION_ROLE": "all"})
            prepared = preparation.prepare()
        except DatabaseError as problem:
            raise CommandError(f"The database cannot be made ready: {str(problem).strip()}") from problem
        if options["json"]:
            self.stdout.write(json.dumps(prepared.as_dict()))
            return
        self.stdout.write("The database is ready.")
        if prepared.setup_path:
            self.stdout.write(f"Make the first account (good for one hour): {prepared.setup_path}")
        if prepared.client_key:
            self.stdout.write(f"The first client key lies in {settings.ROTATION_HOME / 'client_key'}.")
        if prepared.simulated:
            self.stdout.write("No provider key is known: simulated providers answer.")
