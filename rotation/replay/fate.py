"""What comes of one attempt: drawn from the evidence by the seed, the same for whoever sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rotation.core.failures import FailureKind
from rotation.replay.chance import drawn, unit
from rotation.replay.evidence import DAY, HOUR, SLOT, Known, Level
from rotation.replay.traffic import Asked, Seen

NOBODY = -1
SILENT = float("inf")
#: Kinds of which all that is known is that nothing came while somebody waited.
WAITED = frozenset({FailureKind.TIMED_OUT})


class Fate(NamedTuple):
    """`kind` None: answered, after `first` seconds to the first content and `total` in all.

    `row` is the measured attempt it was drawn from, `NOBODY` for a prior or the call's own. `rests_on` is the slot of
    time that is from, `NOBODY` when it is the call's: what is drawn from the same rows goes wrong together.
    `status` is what the provider said, where it said anything.
    """

    kind: FailureKind | None
    first: float
    total: float
    level: Level
    row: int
    rests_on: int
    status: int | None = None
    retry_after: float | None = None


class Fates:
    """Draws for one replay. `own` are the attempts that were really made, by (call, deployment)."""

    def __init__(
        self, known: Mapping[int, Known], seed: int, own: Mapping[tuple[int, int], Seen] | None = None
    ) -> None:
        self.known, self._seed, self._own = known, seed, own or {}

    def of(self, call: int, asked: Asked, deployment: int, visit: int, now: float) -> Fate:
        """Of the `visit`-th attempt (from 0) of this call at this deployment, sent at `now`."""
        known = self.known[deployment]
        if not visit and (really := self._own.get((call, deployment))) is not None:
            first = really.first if really.first is not None else really.total
            total = SILENT if really.kind in WAITED else really.total
            return Fate(really.kind, first, total, Level.OWN, NOBODY, NOBODY, really.status, really.retry_after)
        bits = drawn(self._seed, call, deployment, visit)
        index, level = self._row(known, bits, now)
        row, drawn_from = known.rows[index], index if level is not Level.PRIOR else NOBODY
        rests_on = known.slots[index]
        if rests_on == int(now // SLOT):
            rests_on = NOBODY
        if row.kind is not None:
            total = SILENT if row.kind in WAITED else row.total
            return Fate(row.kind, row.first or total, total, level, drawn_from, rests_on, row.status, row.retry_after)
        prompt = asked.needs.prompt_tokens
        total = known.total[index] * known.whole.seconds(prompt, asked.answer)
        luck = known.first[index] or known.total[index]
        return Fate(None, min(luck * known.begun.seconds(prompt, 0), total), total, level, drawn_from, rests_on, 200)

    def _row(self, known: Known, bits: int, now: float) -> tuple[int, Level]:
        share = unit(bits)
        prior = known.prior_share
        if prior and unit((bits * 0x9E3779B97F4A7C15) & ((1 << 64) - 1)) < prior:
            return known.measured + int(share * (len(known.rows) - known.measured)), Level.PRIOR
        cell = known.near.get(int(now // SLOT))
        if cell is not None:
            return cell[int(share * len(cell))], Level.NEAR
        cell = known.hourly.get(int(now % DAY // HOUR))
        if cell is not None:
            return cell[int(share * len(cell))], Level.HOUR
        return int(share * known.measured), Level.ALL
