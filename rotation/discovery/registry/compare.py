"""What differs between two registries, in words, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rotation.discovery.registry.document import Document, Model, Path, Pool, Values
from rotation.discovery.registry.writing import flow

LONGEST = 120  # characters of a value that is shown


class Sign(StrEnum):
    ADDED = "+"
    CHANGED = "~"
    REMOVED = "-"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of one thing. `path` is where it stands in a file; what was added has no `before`."""

    sign: Sign
    path: Path
    before: Any = None
    after: Any = None

    @property
    def name(self) -> str:
        """`groq/llama-3.1-8b-instant context`."""
        kind, *rest = self.path
        if kind == "models":
            return " ".join(["/".join(rest[:2]), *rest[2:]])
        return " ".join(["pool", *(part for part in rest if part != "members")])

    def __str__(self) -> str:
        if self.sign is Sign.CHANGED:
            return f"~ {self.name}: {_shown(self.before)} -> {_shown(self.after)}"
        return f"{self.sign} {self.name}"


def _shown(value: Any) -> str:
    written = "nothing" if value in (None, "", [], {}) else flow(value)
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 1]}…"


def differences(now: Document, wanted: Document) -> list[Difference]:
    """What importing `wanted` would change.

    Models and pools it does not name are left as they are, and so are verdicts; a named pool's members are exactly
    those it names, but for members of providers it says nothing about.
    """
    found: list[Difference] = []
    for provider, models in wanted.models.items():
        for name, model in models.items():
            found += _of_model(("models", provider, name), now.models.get(provider, {}).get(name), model)
    for name, pool in wanted.pools.items():
        found += _of_pool(("pools", name), now.pools.get(name), pool, wanted)
    return found


def left_alone(now: Document, wanted: Document) -> int:
    """Models of the providers a file names that it does not name itself."""
    return sum(len(now.models.get(provider, {}).keys() - models.keys()) for provider, models in wanted.models.items())


def _of_model(path: Path, now: Model | None, wanted: Model) -> Iterator[Difference]:
    if now is None:
        yield Difference(Sign.ADDED, path)
    else:
        yield from _of_values(path, now.fields, wanted.fields)
    for capability, seen in wanted.verdicts.items():
        before = now.verdicts.get(capability) if now else None
        if before != seen:
            at = (*path, seen["verdict"], capability)
            yield Difference(Sign.CHANGED, at, before, seen) if before else Difference(Sign.ADDED, at, after=seen)


def _of_pool(path: Path, now: Pool | None, wanted: Pool, document: Document) -> Iterator[Difference]:
    if now is None:
        yield Difference(Sign.ADDED, path)
        now = Pool()
    else:
        yield from _of_values(path, now.fields, wanted.fields)
    for name, member in wanted.members.items():
        at = (*path, "members", name)
        if name not in now.members:
            yield Difference(Sign.ADDED, at, after=member)
        else:
            yield from _of_values(at, now.members[name], member)
    for name in now.members.keys() - wanted.members.keys():
        if name.partition("/")[0] in document.models:
            yield Difference(Sign.REMOVED, (*path, "members", name), before=now.members[name])


def _of_values(path: Path, now: Values, wanted: Values) -> Iterator[Difference]:
    for name, value in wanted.items():
        if now.get(name) != value:
            yield Difference(Sign.CHANGED, (*path, name), now.get(name), value)
