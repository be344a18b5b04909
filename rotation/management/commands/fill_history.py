"""`manage.py fill_history --calls 20000 --days 7`: a believable past of simulated calls, for looking and measuring."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from rotation.history.store import fill
from rotation.ledger.session import parameters


class Command(BaseCommand):
    help = "Writes a seeded, believable history of simulated calls. Real numbers are not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--calls", type=int, default=20_000)
        parser.add_argument("--days", type=int, default=7)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        many, days = options["calls"], options["days"]
        if many < 1 or not 1 <= days <= 400:
            raise CommandError("--calls must be at least 1, --days between 1 and 400.")
        began = time.monotonic()
        with psycopg.connect(**parameters(settings.DATABASES["default"]), autocommit=True) as connection:
            connection.execute("SET statement_timeout = 0")  # the ledger's patience is not ours
            try:
                done = fill(
                    connection, many=many, days=days, seed=options["seed"], end=timezone.now(), said=self.stderr.write
                )
            except ValueError as nobody:
                raise CommandError(str(nobody)) from None
            connection.execute("ANALYZE")
        took = time.monotonic() - began
        self.stdout.write(f"{done.calls:,} calls, {done.attempts:,} attempts in {took:.0f} s")
