"""A registry as values: models by provider with what was seen of them, and pools with their members.

The same shape whether it was read from a file or from the tables, so that comparing two is comparing values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]
Path = tuple[str, ...]


@dataclass(slots=True)
class Model:
    """`fields` by their names in the file; `verdicts` by capability, each with its `verdict`."""

    fields: Values = field(default_factory=dict)
    verdicts: dict[str, Values] = field(default_factory=dict)


@dataclass(slots=True)
class Pool:
    """`members` by `provider/model`."""

    fields: Values = field(default_factory=dict)
    members: dict[str, Values] = field(default_factory=dict)

    def in_order(self) -> list[tuple[str, Values]]:
        return sorted(self.members.items(), key=lambda one: (one[1]["position"], one[0]))


@dataclass(slots=True)
class Document:
    """`lines` says where in the file something stands; empty for what comes from the tables."""

    version: int = 0
    models: dict[str, dict[str, Model]] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    lines: Mapping[Path, int] = field(default_factory=dict, compare=False)

    def line(self, *path: str) -> int:
        """Where this stands, or what it stands in; 0 when the document has no lines."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)
