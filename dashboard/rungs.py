"""The latency ladder as the page shows it: what was measured, drawn, with what benches each deployment now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from dashboard import figures
from dashboard.charts import ladder as drawing
from dashboard.charts.axis import LogAxis, axis_for
from dashboard.queries.health import Benched, Health
from dashboard.queries.ladder import Step

OTHERS = 4  # rungs below the rotation's own


@dataclass(frozen=True, slots=True)
class LadderRow:
    step: Step
    drawn: SafeString
    benched: Benched | None

    @property
    def share(self) -> str:
        return figures.percent(self.step.rung.ok, self.step.rung.attempts)


@dataclass(frozen=True, slots=True)
class Ladder:
    rows: list[LadderRow]
    others: list[LadderRow]
    more: list[Step]  # rungs left out below
    mixed: bool  # the rotation itself spans several providers
    symbol: SafeString
    head: SafeString
    foot: SafeString


def drawn_ladder(steps: Sequence[Step], now_benched: Health, accounts: dict[int, set[int]]) -> Ladder:
    ranked = [step for step in steps if step.rank is not None]
    rest = [step for step in steps if step.rank is None]
    shown = [*ranked, *rest[:OTHERS]]
    axis = axis_for([ms for step in shown for ms in (step.rung.p5, step.rung.p95, step.rung.seed) if ms])
    most = max((step.rung.attempts for step in shown), default=0)
    rows = [ladder_row(step, axis, most, now_benched, accounts) for step in shown]
    return Ladder(
        rows=rows[: len(ranked)],
        others=rows[len(ranked) :],
        more=rest[OTHERS:],
        mixed=len({step.deployment.provider_id for step in ranked}) > 1,
        symbol=drawing.bands(axis),
        head=drawing.head(axis),
        foot=drawing.foot(axis),
    )


def ladder_row(step: Step, axis: LogAxis, most: int, now_benched: Health, accounts: dict[int, set[int]]) -> LadderRow:
    theirs = accounts.get(step.deployment.provider_id, set())
    benched = now_benched.of_deployment(step.deployment.pk, theirs)
    return LadderRow(step, drawing.row(step.rung, axis, most=most), benched)
