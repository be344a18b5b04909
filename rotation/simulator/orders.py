"""Reads what the control plane was sent, value by value, with one clear line for a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotation.simulator.catalogue import Catalogue
from rotation.simulator.defects import Defect
from rotation.simulator.plans import PLANS


class BadOrder(ValueError):
    """What is wrong with an order given to the control plane."""


def object_of(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise BadOrder("send a JSON object")
    return body


def number(wanted: Mapping[str, Any], name: str, present: float) -> float:
    value = wanted.get(name, present)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise BadOrder(f"{name} must be a number from 0 up")
    return float(value)


def whole(wanted: Mapping[str, Any], name: str) -> int | None:
    value = wanted.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise BadOrder(f"{name} must be a whole number")
    return value


def switch(wanted: Mapping[str, Any], name: str, present: bool) -> bool:
    value = wanted.get(name, present)
    if not isinstance(value, bool):
        raise BadOrder(f"{name} must be true or false")
    return value


def plans_of(given: Any) -> dict[str, str]:
    plans = object_of(given)
    for who, plan in plans.items():
        known = PLANS.get(who.partition("/")[0])
        if known is None or plan not in known:
            raise BadOrder(f"plans: {who} has no plan {plan!r}; known are {PLANS}")
    return plans


def defects_of(body: Any, catalogues: Mapping[str, Catalogue]) -> list[tuple[str, str, Defect | None, float]]:
    """(kind, model, defect, share) of each order; the defect is None where a share of a kind's models is meant."""
    found: list[tuple[str, str, Defect | None, float]] = []
    for given in body if isinstance(body, list) else [body]:
        wanted = object_of(given)
        kind, model, defect = (wanted.get(name) for name in ("kind", "model", "defect"))
        if kind is not None and kind not in catalogues:
            raise BadOrder(f"kind must be one of {', '.join(catalogues)}")
        if "share" in wanted:
            share = min(number(wanted, "share", 0.0), 1.0)
            found += [(one, "", None, share) for one in ([kind] if kind else catalogues)]
        elif defect not in set(Defect) or kind is None or catalogues[kind].get(str(model)) is None:
            raise BadOrder(f"name a kind, one of its models and a defect, one of {', '.join(Defect)}; or a share")
        else:
            found.append((kind, str(model), Defect(defect), 0.0))
    return found
