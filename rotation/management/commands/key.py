"""Takes in a provider's key: `manage.py key add groq`, which asks for it, or reads it from a pipe.

Never from the command line itself, where every process list and shell history would show it.
"""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from rotation import starter
from rotation.control.by import By
from rotation.models import Account, Door, Key, Provider


class Command(BaseCommand):
    help = "Take in a provider's key, read from a prompt or a pipe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="store a key, sealed")
        add.add_argument("provider", help="the provider's name, for example groq")
        add.add_argument("--account", default="main", help='the account it belongs to (default: "main")')
        add.add_argument("--label", default="", help="a word to know it by")

    def handle(self, *args: Any, **options: Any) -> None:
        provider = Provider.objects.filter(name=options["provider"]).first()
        if provider is None:
            known = ", ".join(Provider.objects.values_list("name", flat=True))
            raise CommandError(f"There is no provider {options['provider']!r}; there are: {known or 'none'}.")
        key, new = self.take_in(provider, self.ask(provider), options["account"], options["label"])
        if not new:
            raise CommandError(f"{key.account} already holds this key ({key.masked}).")
        simulated = " Simulated providers are off from now on." if not starter.sync_simulation() else ""
        self.stdout.write(f"{key.account} has taken in {key.masked}.{simulated}")

    def ask(self, provider: Provider) -> str:
        text = getpass.getpass(f"Key for {provider}: ") if sys.stdin.isatty() else sys.stdin.read()
        if not text.strip() and provider.kind != "generic":
            raise CommandError("No key was given: type it at the prompt, or pipe it in.")
        return text

    @staticmethod
    @transaction.atomic
    def take_in(provider: Provider, secret: str, account: str, label: str) -> tuple[Key, bool]:
        try:
            owner, _ = Account.objects.get_or_create(provider=provider, label=account)
            key, new = Key.objects.take_in(owner, secret, label=label)
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        if new:
            By("command line", Door.COMMAND).added(key)
        return key, new
