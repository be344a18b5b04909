"""The lists of the Models page: the registry, and the capability matrix. Both have the same filters."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from dashboard.listing import Choice, Column, Flag, Listing, Text
from dashboard.queries import mode, models
from dashboard.queries.models import ModelRow
from rotation.discovery import lives
from rotation.discovery.verify.suite import SUITE
from rotation.models import DeploymentStatus

STANDING = (("choice", "Verified or canary"), *DeploymentStatus.choices)
SHORT = {
    "short_answer": "Answer",
    "reasoning": "Reason",
    "system_prompt": "System",
    "parallel_tools": "Parallel",
    "json_schema": "JSON",
    "stop": "Stop",
    "streaming": "Stream",
    "long_context": "Long ctx",
    "images": "Vision",
}


def standing(value: str) -> Q:
    if value == "choice":
        return Q(status=DeploymentStatus.VERIFIED) | Q(placements__canary__isnull=False, placements__enabled=True)
    return Q(status=value)


def enriched(deployments: list[Any]) -> list[ModelRow]:
    now = timezone.now()
    return models.rows(deployments, now, lives.lives(now, simulated=mode.simulated()))


FILTERS = (
    Text(key="q", label="Search", fields=("model_id", "label", "family"), placeholder="Model or family"),
    Choice(
        key="provider",
        label="Provider",
        every="All providers",
        field="provider__name",
        choices=lambda: models.providers(simulated=mode.simulated()),
    ),
    Choice(key="status", label="State", every="Any state", choices=STANDING, where=standing),
    Choice(
        key="family",
        label="Family",
        every="All families",
        field="family",
        choices=lambda: models.families(simulated=mode.simulated()),
    ),
    Choice(key="can", label="Proved", every="Any capability", choices=models.capabilities, where=models.can),
    Flag(key="free", label="Free", where=lambda _: Q(free=True)),
)
NAME = Column("model", "Model", sort="model_id", cell=lambda row: row.deployment.model_id,
              template="dashboard/cells/_model.html")  # fmt: skip
STATE = Column("status", "State", sort="status", cell=lambda row: str(row.deployment.status),
               template="dashboard/cells/_model_state.html")  # fmt: skip
PROVIDER = Column("provider", "Provider", cell=lambda row: row.deployment.provider.name, on_page=False)
EMPTY = "No model is known yet. With a provider's key, its listing is read within the hour; Discovery can look now."


def _fact(name: str) -> Any:
    return lambda row: getattr(row.deployment, name)


def _risk(row: ModelRow) -> float | None:
    return None if row.risk is None else round(row.risk.chance, 4)


REGISTRY = Listing(
    name="models",
    columns=(
        NAME,
        PROVIDER,
        Column("family", "Family", sort="family", cell=_fact("family"), wide=True),
        STATE,
        Column("proved", "Proved", cell=lambda row: [cell.capability for cell in row.proved], wide=True,
               template="dashboard/cells/_proved.html"),
        Column("context", "Context", sort="context", cell=_fact("context"), numeric=True,
               template="dashboard/cells/_tokens.html", wide=True),
        Column("price_in", "In, $/M", sort="price_in", cell=_fact("price_in"), numeric=True,
               template="dashboard/cells/_price.html", wide=True),
        Column("price_out", "Out, $/M", sort="price_out", cell=_fact("price_out"), numeric=True,
               template="dashboard/cells/_price.html", wide=True),
        Column("free", "Free", cell=_fact("free"), on_page=False),
        Column("p50", "p50, 7 d", cell=lambda row: row.p50, numeric=True, template="dashboard/cells/_seconds.html"),
        Column("good", "Good, 7 d", cell=lambda row: row.ok / row.tries if row.tries else None, numeric=True,
               template="dashboard/cells/_good.html", wide=True),
        Column("risk", "Risk, 30 d", cell=_risk, numeric=True, template="dashboard/cells/_risk.html", wide=True),
        Column("born", "First listed", sort="born_at", cell=_fact("born_at"), on_page=False),
        Column("listed", "Last listed", sort="listed_at", cell=_fact("listed_at"), on_page=False),
        Column("reason", "Reason", cell=_fact("status_reason"), on_page=False),
    ),
    filters=FILTERS,
    sort="model",
    empty=EMPTY,
    enrich=enriched,
)  # fmt: skip


def _score(capability: str) -> Column:
    """On the page a cell; in files the score, with its interval and verdict in columns of their own."""
    label = SHORT.get(capability, SUITE[capability].label)
    template = "dashboard/cells/_score.html"
    return Column(capability, label, cell=lambda row: row.cells.get(capability), template=template, export=False)


def _part(capability: str, part: str) -> Column:
    name = "at" if part == "seen_at" else part
    return Column(
        f"{capability}_{part}", "", cell=lambda row: getattr(row.cells.get(capability), name, None), on_page=False
    )


MATRIX = Listing(
    name="matrix",
    columns=(
        NAME,
        PROVIDER,
        *(_score(name) for name in SUITE),
        *(_part(name, part) for name in SUITE for part in ("verdict", "score", "low", "high", "seen_at")),
        STATE,
        Column("verified", "Tried", sort="verified_at", cell=_fact("verified_at"), wide=True,
               template="dashboard/cells/_model_ago.html"),
    ),
    filters=FILTERS,
    sort="-verified",
    size=40,
    empty=EMPTY,
    enrich=enriched,
)  # fmt: skip
