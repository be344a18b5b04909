"""Prints a fresh set-up link, when the one printed at the start has expired."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rotation import setup_link


class Command(BaseCommand):
    help = "Print a one-time link that makes the first account (while there is none)."

    def handle(self, *args: Any, **options: Any) -> None:
        token = setup_link.make()
        if token is None:
            raise CommandError("There is an account already: log in, or use `manage.py createsuperuser`.")
        self.stdout.write(f"Open this path on your installation within one hour: {setup_link.path(token)}")
