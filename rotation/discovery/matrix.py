"""Models x capabilities: what each was seen to be able to do, how surely, how long ago; and which pools that opens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from rotation.core.admission import objections
from rotation.core.lifecycle import Seen
from rotation.discovery.verify.suite import SUITE
from rotation.discovery.wishes import applicant
from rotation.models import Deployment, Pool, Verdict

QUEUED = "queued"
#: A verdict that says something goes before a newer one that does not; then what is being tried; then the rest.
CELLS = """
    SELECT DISTINCT ON (deployment_id, capability) * FROM (
        SELECT deployment_id, capability, verdict, score, low, high, trials, latency_ms, cause, reason, at,
               CASE WHEN verdict IN ('verified', 'incompatible') THEN 0 ELSE 2 END AS rank
        FROM rotation_verification WHERE deployment_id = ANY(%s)
        UNION ALL
        SELECT deployment_id, capability, 'queued', NULL, NULL, NULL, 0, NULL, '', '', due_at, 1
        FROM rotation_verificationtask WHERE state IN ('waiting', 'under_way') AND deployment_id = ANY(%s)
    ) AS known ORDER BY deployment_id, capability, rank, at DESC"""


@dataclass(frozen=True, slots=True)
class Cell:
    """The verdict on one capability: `score` and its 95 % interval are 0..5. `verdict` may also be QUEUED."""

    capability: str
    verdict: str
    score: float | None = None
    low: float | None = None
    high: float | None = None
    trials: int = 0
    latency_ms: float | None = None
    cause: str = ""
    reason: str = ""
    at: datetime | None = None

    @property
    def proved(self) -> bool:
        return self.verdict == Verdict.VERIFIED

    @property
    def label(self) -> str:
        """What the capability is called; one the suite does not know any more by its own name."""
        return SUITE[self.capability].label if self.capability in SUITE else self.capability.replace("_", " ")


Row = Mapping[str, Cell]


def matrix(deployments: Collection[int]) -> dict[int, Row]:
    """One query: by deployment id and capability; the capabilities in the order of the suite, others after them."""
    found: dict[int, dict[str, Cell]] = defaultdict(dict)
    ids = list(deployments)
    with connection.cursor() as cursor:
        cursor.execute(CELLS, [ids, ids])
        for pk, *told, _rank in cursor.fetchall():
            found[pk][told[0]] = Cell(*told)
    order = {name: n for n, name in enumerate(SUITE)}
    return {
        pk: {name: cells[name] for name in sorted(cells, key=lambda name: (order.get(name, len(order)), name))}
        for pk, cells in found.items()
    }


@dataclass(frozen=True, slots=True)
class Opening:
    """A pool and what stands between it and a model; nothing: it is open to it."""

    pool: Pool
    objections: tuple[str, ...]

    @property
    def open(self) -> bool:
        return not self.objections


def openings(deployment: Deployment, row: Row, pools: Iterable[Pool]) -> list[Opening]:
    """By what was proved, not by what its vendor says. Asks the database nothing."""
    seen = {
        name: Seen(cell.verdict, cell.score, cell.low, cell.latency_ms, cell.reason)
        for name, cell in row.items()
        if cell.verdict != QUEUED
    }
    one = applicant(deployment, seen)
    return [Opening(pool, tuple(objections(pool.admits, one))) for pool in pools]
