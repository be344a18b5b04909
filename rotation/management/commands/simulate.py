"""`manage.py simulate`: simulated providers on one address, until Ctrl-C."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rotation.simulator.__main__ import add_arguments, run


class Command(BaseCommand):
    help = "Serves simulated OpenRouter, Groq, OpenAI, Together and a generic server, with limits, faults and a ledger."
    requires_system_checks: list[str] = []  # it needs neither the database nor the settings

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        trouble = run(
            host=options["host"],
            port=options["port"],
            socket=options["socket"],
            seed=options["seed"],
            speed=options["speed"],
            limits=not options["no_limits"],
        )
        if trouble:
            raise CommandError(trouble)
