"""Makes, lists and revokes client keys: `manage.py client_key create laptop --pool fast`."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from rotation.control import clients
from rotation.control.by import By
from rotation.models import ClientKey, Door, Pool

BY = By("command line", Door.COMMAND)


class Command(BaseCommand):
    help = "Make, list and revoke the keys that programs call with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it, this once")
        create.add_argument("label", help="whose it is")
        create.add_argument("--pool", action="append", default=[], help="a pool it may ask for (default: all)")
        create.add_argument("--days", type=int, help="how long it is good (default: for ever)")
        actions.add_parser("list", help="show every key by its public part and tail")
        revoke = actions.add_parser("revoke", help="stop accepting a key")
        revoke.add_argument("key", help="its public part (the eight characters after rk_), or its id")

    def handle(self, *args: Any, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {"create": self.create, "list": self.show, "revoke": self.revoke}
        actions[options["action"]](**options)

    def create(self, *, label: str, pool: list[str], days: int | None, **_: Any) -> None:
        known = set(Pool.objects.values_list("name", flat=True))
        if unknown := sorted(set(pool) - known):
            raise CommandError(f"There is no pool {unknown[0]!r}; there are: {', '.join(sorted(known)) or 'none'}.")
        if days is not None and days < 1:
            raise CommandError("A key is good for at least one day.")
        expires = timezone.now() + dt.timedelta(days=days) if days else None
        try:
            plain = clients.issue(BY, label=label, pools=pool, expires_at=expires)[1]
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        self.stderr.write("This key is shown once; keep it now:")
        self.stdout.write(plain)

    def show(self, **_: Any) -> None:
        for key in ClientKey.objects.all():
            state = "live" if key.live() else "expired" if key.enabled else "revoked"
            pools = ",".join(key.pools) or "all pools"
            self.stdout.write(f"{key.pk}\t{key.masked}\t{state}\t{pools}\t{key.label}")

    def revoke(self, *, key: str, **_: Any) -> None:
        found = ClientKey.objects.filter(prefix=key.removeprefix("rk_")[:8])
        if not found and key.isdecimal():
            found = ClientKey.objects.filter(pk=int(key))
        if len(found) != 1:
            raise CommandError(f"{len(found)} keys go by {key!r}; `client_key list` shows them, revoke by id.")
        try:
            clients.revoke(BY, found[0])
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        self.stdout.write(f"{found[0]} is revoked.")
