"""`manage.py ledger`: carries the journal into Postgres until told to stop."""

from __future__ import annotations

import signal
import time
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from rotation.ledger import heartbeat
from rotation.ledger.again import put_back
from rotation.ledger.files import Journal
from rotation.ledger.loop import Ledger, Refused, one_line
from rotation.ledger.session import Held


class Command(BaseCommand):
    help = "Write the gateway's journal into Postgres: rows and roll-ups, each exactly once."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="write what is there now and exit")
        parser.add_argument("--again", action="store_true", help="put back what was set aside, to be read once more")
        parser.add_argument("--check", action="store_true", help="exit 0 when a ledger is at work on this journal")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self.check_heartbeat()
            return
        journal = Journal(settings.ROTATION_JOURNAL_DIR)
        if options["again"]:
            self.put_back(journal)
            if not options["once"]:
                return
        ledger = Ledger(journal, settings.DATABASES["default"])
        if options["once"]:
            self.write_once(ledger)
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ledger.stop())
        ledger.run()

    def put_back(self, journal: Journal) -> None:
        lines = put_back(journal)
        if lines:
            self.stdout.write(f"{lines} lines that were set aside are read once more by the ledger.")
        else:
            self.stdout.write("No line is set aside.")

    def write_once(self, ledger: Ledger) -> None:
        try:
            written = ledger.once()
        except Held:
            raise CommandError("Another ledger reads this journal: it will write what is there.") from None
        except (psycopg.Error, Refused) as error:
            raise CommandError(f"Nothing is lost, but not all could be written: {one_line(error)}") from None
        self.stdout.write(f"{written} lines written, {ledger.bad} set aside.")

    def check_heartbeat(self) -> None:
        beat = heartbeat.latest(settings.ROTATION_JOURNAL_DIR)
        if beat is None or not beat.fresh(time.time()):
            raise CommandError(f"No ledger is at work on {settings.ROTATION_JOURNAL_DIR}.")
        age = time.time() - beat.at
        self.stdout.write(f"{beat.state}, {beat.behind_bytes} bytes behind, heartbeat {age:.0f} s old.")
