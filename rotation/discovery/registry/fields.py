"""The fields of a registry file: how each is read, what holds when it is left out, which column it fills.

One table per kind of thing, in the order in which they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rotation.discovery.registry.readers import (
    LARGEST,
    Reader,
    choice,
    day,
    flag,
    mapping,
    moment,
    number,
    price,
    text,
    whole,
    words,
)
from rotation.models import DeploymentStatus, Mode, Preset, PriceSource, Strategy


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    read: Reader
    default: Any = None
    column: str = ""

    @property
    def stored(self) -> str:
        """The name of its column."""
        return self.column or self.name


LONG = 20_000
MODEL = (
    Field("label", text(255), ""),
    Field("family", text(120), ""),
    Field("status", choice(*DeploymentStatus.values), DeploymentStatus.CANDIDATE.value),
    Field("reason", text(LONG), "", "status_reason"),
    Field("context", whole()),
    Field("max_output", whole()),
    Field("input", words, [], "input_modalities"),
    Field("tools", flag),
    Field("parallel_tools", flag),
    Field("json_schema", flag),
    Field("images", flag),
    Field("reasoning", flag, default=False),
    Field("free", flag, default=False),
    Field("price_in", price),
    Field("price_out", price),
    Field("price_source", choice(*PriceSource.values), ""),
    Field("starting_latency_s", number(0), None, "seed_latency_s"),
    Field("tags", words, []),
    Field("lacks", words, []),
    Field("born_at", moment),
    Field("expires_on", day),
)
VERDICT = (
    Field("score", number(0, 5, 2)),
    Field("low", number(0, 5, 2)),
    Field("high", number(0, 5, 2)),
    Field("trials", whole(), 0),
    Field("latency_ms", number(0, digits=0)),
    Field("first_ms", number(0, digits=0)),
    Field("cause", text(40), ""),
    Field("reason", text(LONG), ""),
    Field("at", moment),
)
POOL = (
    Field("label", text(120), ""),
    Field("strategy", choice(*Strategy.values), Strategy.ORDERED.value),
    Field("preset", choice(*Preset.values), Preset.BALANCED.value),
    Field("policy", mapping, {}),
    Field("discovery", choice(*Mode.values), Mode.PROPOSE.value),
    Field("admits", mapping, {}),
    Field("canary_share", number(0.01, 0.05), 0.03),
    Field("reordering", choice(*Mode.values), Mode.AUTOMATIC.value),
)
MEMBER = (
    Field("position", whole(-LARGEST)),
    Field("pinned", flag, default=False),
    Field("enabled", flag, default=True),
    Field("canary", number(0, 1)),
    Field("why", text(LONG), ""),
)
