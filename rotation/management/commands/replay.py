"""Replays traffic under a candidate: `manage.py replay --pool auto --since 24h --set patience=5`.

`manage.py replay import FILE.csv --name NAME` takes in a trace.
"""

from __future__ import annotations

import json
import re
import sys
import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from rotation.control import laboratory
from rotation.control.by import By
from rotation.models import Door, Pool, Replay, ReplayState, Trace
from rotation.replay import work
from rotation.replay.trace import LARGEST
from rotation.replay.words import lines

ACTOR = "command line"
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Command(BaseCommand):
    help = "Replay recorded traffic under another order or policy, or import a trace of calls."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action", nargs="?", choices=["run", "import"], default="run", help="run (default) or import"
        )
        parser.add_argument("file", nargs="?", help="import: the trace in CSV")
        parser.add_argument("--name", help="import: what the trace is to be called (default: the file's name)")
        parser.add_argument("--pool", default="auto", help="the pool to replay (default: auto)")
        parser.add_argument("--since", default="24h", help="how far back, as 24h, 7d or an ISO time (default: 24h)")
        parser.add_argument("--until", help="the window's end, as 2h (ago) or an ISO time (default: now)")
        parser.add_argument("--trace", help="replay this imported trace in the place of the pool's own calls")
        parser.add_argument("--candidate", metavar="FILE", help="a candidate as JSON, - for the standard input")
        parser.add_argument("--order", help="an order: provider/model, comma-separated, first to last")
        parser.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE", help="one knob of the policy")
        parser.add_argument("--strategy", help="another strategy")
        parser.add_argument("--preset", help="another preset")
        parser.add_argument("--add", action="append", default=[], metavar="MODEL", help="with this member more")
        parser.add_argument("--without", action="append", default=[], metavar="MODEL", help="without this member")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same result (default: 1)")
        parser.add_argument("--json", action="store_true", help="the whole result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["action"] == "import":
                self.take_in(**options)
            else:
                self.run(**options)
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None

    def take_in(self, *, file: str | None, name: str | None, **_: Any) -> None:
        if not file:
            raise CommandError("Name the file: manage.py replay import FILE.csv --name NAME")
        path = Path(file)
        try:
            with path.open("rb") as opened:
                raw = opened.read(LARGEST + 1)
        except OSError as wrong:
            raise CommandError(f"{file} cannot be read: {wrong.strerror}.") from None
        trace = laboratory.import_trace(_by(), name or path.stem[:120], raw)
        span = (trace.ends_at - trace.starts_at) if trace.ends_at and trace.starts_at else timedelta()
        self.stdout.write(f"Imported {trace.calls:,} calls over {span} as {trace.name}.")

    def run(self, **options: Any) -> None:
        pool = Pool.objects.filter(name=options["pool"]).first()
        if pool is None:
            known = ", ".join(Pool.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no pool {options['pool']!r}; there are: {known}.")
        row = laboratory.request(
            _by(), pool, candidate=_candidate(options), trace=_trace(options["trace"]),
            since=_moment(options["since"], "--since"), until=_moment(options["until"], "--until"),
            seed=options["seed"], here=True,
        )  # fmt: skip
        if not work.play(row.pk):
            self._wait(row)
        row = Replay.objects.get(pk=row.pk)
        if row.state == ReplayState.FAILED:
            raise CommandError(row.error)
        if options["json"]:
            self.stdout.write(json.dumps(row.result, ensure_ascii=False, indent=2))
            return
        for line in lines(row.result):
            self.stdout.write(line)

    def _wait(self, row: Replay) -> None:
        """A worker was quicker to take it."""
        going = (ReplayState.WAITING, ReplayState.RUNNING)
        while Replay.objects.filter(pk=row.pk, state__in=going).exists():
            time.sleep(0.2)


def _by() -> By:
    return By(ACTOR, Door.COMMAND)


def _trace(name: str | None) -> Trace | None:
    if name is None:
        return None
    found = Trace.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(Trace.objects.values_list("name", flat=True)[:20]) or "none"
        raise CommandError(f"There is no trace {name!r}; there are: {known}.")
    return found


def _moment(told: str | None, option: str) -> datetime | None:
    if told is None:
        return None
    if found := re.fullmatch(r"(\d{1,6})([mhdw])", told):
        return timezone.now() - timedelta(seconds=int(found[1]) * UNITS[found[2]])
    try:
        moment = parse_datetime(told)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"{option} is so far back, as 24h or 7d, or a time as 2026-01-31T09:00, not {told!r}.")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _candidate(options: dict[str, Any]) -> dict[str, Any]:
    wanted = _read(options["candidate"]) if options["candidate"] else {}
    if options["order"]:
        wanted["order"] = [name.strip() for name in options["order"].split(",") if name.strip()]
    if options["set"]:
        wanted["policy"] = {**(wanted.get("policy") or {}), **dict(map(_knob, options["set"]))}
    told = {"strategy": options["strategy"], "preset": options["preset"], "add": options["add"],
            "leave_out": options["without"]}  # fmt: skip
    return {**wanted, **{part: value for part, value in told.items() if value}}


def _read(name: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text()
        found = json.loads(text)
    except (OSError, ValueError) as wrong:
        raise CommandError(f"{name} cannot be read as a candidate: {wrong}.") from None
    if not isinstance(found, dict):
        raise CommandError(f'{name} must hold a JSON object, for example {{"policy": {{"patience": 5}}}}.')
    return found


def _knob(told: str) -> tuple[str, Any]:
    name, equals, value = told.partition("=")
    if not equals:
        raise CommandError(f"--set wants KNOB=VALUE, for example patience=5, not {told!r}.")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value.strip()
