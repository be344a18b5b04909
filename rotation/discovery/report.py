"""What looks and steps brought, for people in a terminal and for programs as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rotation.discovery.looks import Look
from rotation.discovery.steps import Doings
from rotation.models import CatalogueChange, Change, Deployment, LifeStep

SHOWN = 8  # changes of one kind; of more their number is told
FIRST = "first seen"
PRICES = ("price_in", "price_out")


def lines(look: Look, *, everything: bool = False) -> Iterator[str]:
    """The line of one look, and under it what changed, by kind."""
    yield f"{look.provider}: {look.words}"
    statuses = _statuses(look)
    by_kind: dict[str, list[CatalogueChange]] = {}
    for change in look.changes:
        by_kind.setdefault(str(change.change), []).append(change)
    for kind, changes in by_kind.items():
        if kind == Change.NEW:  # the wanted ones first
            changes.sort(key=lambda change: (not statuses.get(change.model_id, "").startswith("candidate"), change.id))
        shown = changes if everything else changes[:SHOWN]
        for change in shown:
            yield f"  {kind:9} {printable(change.model_id)}{_told(change, statuses)}"
        if len(changes) > len(shown):
            yield f"  {'':9} ... and {len(changes) - len(shown)} more (--all shows every one)"


def _statuses(look: Look) -> dict[str, str]:
    """Where the models that are new, back or gone stand, with the reason."""
    kinds = (Change.NEW, Change.BACK, Change.VANISHED)
    models = [change.model_id for change in look.changes if change.change in kinds]
    rows = Deployment.objects.filter(provider=look.provider, model_id__in=models)
    return {one.model_id: f"{one.status}: {one.status_reason}" for one in rows}


def _told(change: CatalogueChange, statuses: Mapping[str, str]) -> str:
    if change.change in {Change.NEW, Change.BACK, Change.VANISHED}:
        return f"  {statuses.get(change.model_id, '')}".rstrip()
    before, after = change.before or {}, change.after or {}
    pairs = (
        f"{name.replace('_', ' ')} {_value(name, before.get(name))} -> {_value(name, after[name])}" for name in after
    )
    unit = " USD per million tokens" if change.change == Change.PRICE else ""
    return f"  {', '.join(pairs)}{unit}"


def _value(name: str, value: Any) -> str:
    if value is None:
        return "none" if name == "expires_on" else "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in PRICES:
        return f"{float(value):g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else printable(str(value))


def printable(text: str) -> str:
    """What comes from outside, fit for a terminal: nothing in it moves the cursor."""
    return "".join(char if char.isprintable() else "�" for char in text)


def step_lines(doings: Doings, *, everything: bool = False) -> Iterator[str]:
    """The steps taken and proposed, in words."""
    for how, steps in (("taken", doings.taken), ("proposed", doings.proposed)):
        shown = steps if everything else steps[: SHOWN * 2]
        for step in shown:
            pool = f" in {step.pool}" if step.pool else ""
            verb = f"{step.step}{pool}" if how == "taken" else f"{step.step}{pool}?"
            yield f"  {verb:20} {printable(str(step.deployment))}: {printable(step.reason)}"
        if len(steps) > len(shown):
            yield f"  ... and {len(steps) - len(shown)} more {how}"
    yield from (f"  {printable(note)}" for note in doings.notes)


def as_json(look: Look) -> dict[str, Any]:
    """One look as plain JSON values."""
    return {
        "provider": look.provider.name,
        "asked": look.run is not None,
        "believed": look.run is not None and not look.problem,
        "problem": look.problem or None,
        "listed": look.run.listed if look.run else None,
        "seconds": round(look.seconds, 3),
        "notes": list(look.notes),
        "changes": [
            {"model": one.model_id, "change": str(one.change), "before": one.before, "after": one.after}
            for one in look.changes
        ],
    }


def steps_as_json(steps: Sequence[LifeStep]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.pk,
            "model": str(one.deployment),
            "pool": one.pool.name if one.pool else None,
            "step": str(one.step),
            "state": str(one.state),
            "reason": one.reason,
            "evidence": one.evidence,
        }
        for one in steps
    ]
