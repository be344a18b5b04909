"""What a chart shows, as a table of words: one page and one CSV file per chart."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from dashboard.overview import Overview
from dashboard.queries.ladder import Step
from rotation.spreadsheet import harmless


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def ladder_sheet(shown: Overview) -> Sheet:
    columns = (
        "Rank",
        "Model",
        "Provider",
        "Tier",
        "Tries",
        "Good",
        "Rate-limited",
        "Failed",
        "p5 ms",
        "p50 ms",
        "p95 ms",
    )
    drawn = [row.step for row in [*shown.ladder.rows, *shown.ladder.others]]
    rows = [ladder_cells(step) for step in [*drawn, *shown.ladder.more]]
    return Sheet("ladder", f"Latency ladder, {shown.span.range.words}", columns, rows)


def ladder_cells(step: Step) -> list[str]:
    seen = step.measured
    counts = [seen.tries, seen.ok, seen.rate_limited, seen.failed] if seen else [0, 0, 0, 0]
    times = [step.rung.p5, step.rung.p50, step.rung.p95]
    return [
        "" if step.rank is None else str(step.rank),
        step.deployment.model_id,
        step.provider.name,
        step.tier.value if step.tier else "",
        *map(str, counts),
        *("" if ms is None else f"{ms:.0f}" for ms in times),
    ]


def requests_sheet(shown: Overview) -> Sheet:
    columns = ("From", "First try", "After rotation", "Failed", "Refused or cancelled")
    rows = [
        [
            timezone.localtime(bar.at).isoformat(timespec="minutes"),
            *map(str, (bar.first_try, bar.rotated, bar.failed, bar.other)),
        ]
        for bar in shown.bars
    ]
    return Sheet("requests", f"Requests, {shown.span.range.words}", columns, rows)


SHEETS: dict[str, Callable[[Overview], Sheet]] = {"ladder": ladder_sheet, "requests": requests_sheet}


def as_csv(sheet: Sheet) -> str:
    """RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(sheet.columns)
    writer.writerows([[harmless(cell) for cell in row] for row in sheet.rows])
    return out.getvalue()
