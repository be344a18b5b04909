"""Seals every stored secret again under the first of ROTATION_SECRETS_KEY.

Add a new key in front of the old one, restart, run this, then take the old one away. Works in small batches while
everything runs; when it is interrupted, it goes on where it was, because what is done already is left alone.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from rotation import sealing
from rotation.control.by import By
from rotation.models import Door, Key


class Command(BaseCommand):
    help = "Seal all provider keys again under the first of ROTATION_SECRETS_KEY."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=100, help="rows per transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        done, locked, last = 0, [], 0
        while True:
            with transaction.atomic():
                batch = self.batch_after(last, max(1, options["batch"]))
                for key in batch:
                    outcome = self.reseal(key)
                    done += outcome is True
                    locked += [key] if outcome is None else []
            if not batch:
                break
            last = batch[-1].pk
        if done:
            By("command line", Door.COMMAND).told("seal again", "key", f"{done} keys")
        self.stdout.write(f"{done} sealed again, {self.sealed().count() - done - len(locked)} were already.")
        if locked:
            names = ", ".join(f"{key} of {key.account} (id {key.pk})" for key in locked)
            raise CommandError(f"{len(locked)} could not be opened; enter these keys again: {names}.")

    def batch_after(self, last: int, size: int) -> list[Key]:
        rows = self.sealed().filter(pk__gt=last).order_by("pk").select_for_update(of=("self",))
        return list(rows.select_related("account__provider")[:size])

    @staticmethod
    def sealed() -> Any:
        return Key.objects.exclude(sealed="")

    @staticmethod
    def reseal(key: Key) -> bool | None:
        """True when it was sealed again, False when there was nothing to do, None when it cannot be opened."""
        try:
            token = sealing.reseal(key.sealed)
        except sealing.Locked:
            return None
        if token == key.sealed:
            return False
        key.sealed = token
        key.save(update_fields=["sealed"])
        return True
