"""`manage.py discover`: look at the providers' listings now, and say what changed and why.

Ends with 0 when every listing that was asked for was believed, 1 when one was not, 2 when nobody could be asked.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from rotation.discovery import life, looks, report
from rotation.discovery.verify import runs
from rotation.jobs import public_prices
from rotation.models import Deployment, DeploymentStatus, Provider, VerificationRun

WIDE = 30  # characters of the bar
BY = "command line"


class Command(BaseCommand):
    help = "Read what the providers list now; with --verify also try out the new candidates."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--provider", action="append", metavar="NAME", help="only this one; may be repeated")
        parser.add_argument("--verify", action="store_true", help="then verify candidates nobody has tried yet")
        parser.add_argument(
            "--believe", action="store_true", help="take a listing that lost half of its models as true"
        )
        parser.add_argument("--all", action="store_true", help="show every change, not the first few of each kind")
        parser.add_argument("--json", action="store_true", help="the same for programs, as one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        providers = self.chosen(options["provider"])
        self.quiet, self.everything = options["json"], options["all"]
        bar = _Bar(self, len(providers), quiet=self.quiet)
        found = looks.sweep(providers, believe=options["believe"], seen=lambda look: self.seen(bar, look))
        bar.clear()
        self.skipped(found)
        filled = public_prices.fill()
        self.say(f"Prices of {filled} models nobody lists were taken from public data." if filled else "")
        doings = life.consider()
        run = self.verify(providers) if options["verify"] else None
        if run is not None:
            more = life.consider()
            doings.taken, doings.proposed, doings.notes = (
                doings.taken + more.taken, doings.proposed + more.proposed, [*dict.fromkeys(doings.notes + more.notes)],
            )  # fmt: skip
        self.say(f"What follows: {doings.words}")
        for line in report.step_lines(doings, everything=self.everything):
            self.say(line)
        if self.quiet:
            self.stdout.write(json.dumps(self.document(found, doings, run), indent=2))
        self.end(found)

    def chosen(self, names: list[str] | None) -> list[Provider]:
        enabled = list(Provider.objects.filter(enabled=True))
        if names is None:
            return enabled
        known = {provider.name: provider for provider in enabled}
        for name in names:
            if name not in known:
                why = "is not enabled" if Provider.objects.filter(name=name).exists() else "is not known"
                raise CommandError(f"{name} {why}. Enabled are: {', '.join(known) or 'none'}.", returncode=2)
        return [known[name] for name in dict.fromkeys(names)]

    def seen(self, bar: _Bar, look: looks.Look) -> None:
        bar.clear()
        for line in report.lines(look, everything=self.everything) if look.run else ():
            self.say(self.style.ERROR(line) if look.problem else line)
        bar.step(str(look.provider))

    def skipped(self, found: list[looks.Look]) -> None:
        why: dict[str, list[str]] = {}
        for look in found:
            if not look.run:
                why.setdefault(look.problem, []).append(str(look.provider))
        for problem, names in why.items():
            self.say(f"Not asked, {problem}: {', '.join(names)}")

    def say(self, line: str) -> None:
        if line and not self.quiet:
            self.stdout.write(line)

    def verify(self, providers: list[Provider]) -> VerificationRun | None:
        """Candidates of these providers that nobody has tried."""
        waiting = Deployment.objects.filter(
            provider__in=providers, status=DeploymentStatus.CANDIDATE, verified_at=None
        ).select_related("provider")
        if not waiting:
            self.say("Nothing to verify: no candidate is untried.")
            return None
        try:
            run = runs.start(BY, waiting, about=f"{len(waiting)} candidates, from the command line")
        except ValidationError as why:
            self.say(f"Nothing to verify: {' '.join(why.messages)}")
            return None
        self.say(f"Verifying {len(waiting)} candidates. {self.outlook(run)}")
        watch = _Watch(self, run)
        try:
            told = runs.work(run, progress=watch.line)
        except KeyboardInterrupt:
            told = f"Interrupted. {self.outlook(run)}"
        watch.bar.clear()
        self.say(told)
        return run

    def outlook(self, run: VerificationRun) -> str:
        """What is left of a verification, and what becomes of it without us."""
        ahead = runs.outlook(run)
        ends = f", until about {ahead.ends_at:%Y-%m-%d %H:%M} UTC" if ahead.ends_at else ""
        why = f" ({ahead.why})" if ahead.why else ""
        return f"{ahead.left} questions are left{ends}{why}. Ctrl-C is safe: the job `verify` goes on with them."

    def document(self, found: list[looks.Look], doings: Any, run: VerificationRun | None) -> dict[str, Any]:
        return {
            "providers": [report.as_json(look) for look in found],
            "steps": report.steps_as_json([*doings.taken, *doings.proposed]),
            "notes": doings.notes,
            "verification": None if run is None else {"id": run.pk, "about": run.about},
        }

    def end(self, found: list[looks.Look]) -> None:
        asked = [look for look in found if look.run]
        if not asked:
            raise CommandError("No provider could be asked: enable one that has a usable key.", returncode=2)
        if failed := [look.provider.name for look in asked if look.problem]:
            raise CommandError(f"Not believed, so nothing of it changed: {', '.join(failed)}.", returncode=1)


class _Bar:
    """A bar on a terminal; nothing anywhere else, where the lines speak for themselves."""

    def __init__(self, command: BaseCommand, total: int, *, quiet: bool) -> None:
        self.out, self.total, self.done = command.stderr, max(total, 1), 0
        self.shown = not quiet and bool(command.stderr.isatty())

    def step(self, about: str) -> None:
        self.show((self.done + 1) / self.total, about)
        self.done += 1

    def show(self, share: float, about: str) -> None:
        if self.shown:
            full = round(min(share, 1.0) * WIDE)
            text = f"\r[{'#' * full}{'.' * (WIDE - full)}] {share:4.0%} {report.printable(about)[:40]:40}"
            self.out.write(text, str, ending="")
            self.out.flush()

    def clear(self) -> None:
        if self.shown:
            self.out.write("\r" + " " * (WIDE + 50) + "\r", str, ending="")
            self.out.flush()


class _Watch:
    """The progress of a verification: a bar on a terminal, a line each elsewhere."""

    def __init__(self, command: Command, run: VerificationRun) -> None:
        self.command, self.run, self.at = command, run, 0.0
        self.bar = _Bar(command, 1, quiet=command.quiet)

    def line(self, text: str) -> None:
        if not self.bar.shown:
            self.command.say(f"  {report.printable(text)}")
        elif time.monotonic() - self.at > 1.0:
            self.at = time.monotonic()
            self.bar.show(runs.outlook(self.run).share, text)
