"""Limits an operator knows of: so many requests, tokens or seconds of audio of one model in a window.

They are limits of the source "operator" in the deployment's scope, which counts over all accounts. What a provider
itself tells is better known and wins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import models, transaction

from rotation.control.by import By
from rotation.models import Deployment, LearnedLimit

SOURCE = "operator"
AXES = ("requests", "tokens", "audio_seconds")
NAMES = {"axis", "limit", "window_s"}
LONGEST = 366 * 24 * 3600.0  # seconds
SAY = (
    f'Write each limit as {{"axis": "requests", "limit": 60, "window_s": 60}}; axes are {", ".join(AXES)}, windows are '
    "seconds."
)


class Wanted(NamedTuple):
    axis: str
    limit: float
    window_s: float

    @property
    def words(self) -> str:
        return f"{self.limit:g} {self.axis} in {self.window_s:g} s"


def checked(limits: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    """Limits as they can be stored, each axis and window once. Raises ValidationError on `limits`."""
    found: dict[tuple[str, float], Wanted] = {}
    for given in limits:
        if not isinstance(given, Mapping) or set(given) != NAMES or given["axis"] not in AXES:
            raise ValidationError({"limits": SAY})
        limit, window = _positive(given["limit"]), _positive(given["window_s"])
        if limit is None or window is None or window > LONGEST:
            raise ValidationError({"limits": f"A limit and its window are numbers above 0. {SAY}"})
        if (given["axis"], window) in found:
            raise ValidationError({"limits": f"Two limits of {given['axis']} in {window:g} s: leave one."})
        found[given["axis"], window] = Wanted(given["axis"], limit, window)
    return sorted(found.values())


def _positive(value: Any) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    return float(value) if sound else None


def scope_of(deployment: Deployment) -> str:
    return f"deployment:{deployment.pk}"


def of(deployment: Deployment) -> list[Wanted]:
    """What an operator has said of it so far."""
    rows = LearnedLimit.objects.filter(scope=scope_of(deployment), source=SOURCE)
    return sorted(Wanted(row.axis, row.limit, row.window_s) for row in rows)


def set_limits(by: By, deployment: Deployment, limits: Sequence[Mapping[str, Any]]) -> list[Wanted]:
    """Instead of what an operator said before. Raises ValidationError on `limits`."""
    wanted = checked(limits)
    with transaction.atomic():
        before = of(deployment)
        if wanted != before:
            store(deployment, wanted)
            by.turned("set limits", deployment, _told(before), _told(wanted))
    return wanted


def _told(limits: Sequence[Wanted]) -> dict[str, Any]:
    return {"limits": [limit.words for limit in limits]}


def store(deployment: Deployment, wanted: Sequence[Wanted]) -> None:
    """The rows, and the news of them to the gateway: a limit that goes is lifted, one that comes is read again."""
    scope, kept = scope_of(deployment), {(limit.axis, limit.window_s) for limit in wanted}
    for row in LearnedLimit.objects.filter(scope=scope, source=SOURCE):
        if (row.axis, row.window_s) not in kept:
            row.lift()
    for limit in wanted:
        LearnedLimit.objects.update_or_create(
            scope=scope,
            axis=limit.axis,
            window_s=limit.window_s,
            defaults={"limit": limit.limit, "source": SOURCE},
        )
    Deployment.objects.filter(pk=deployment.pk).update(label=models.F("label"))  # raises the configuration's version
