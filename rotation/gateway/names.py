"""What is said of a name that leads nowhere: that it is gone or was never here, and which living ones are like it."""

from __future__ import annotations

from functools import lru_cache

from rotation.core.likeness import nearest
from rotation.gateway.envelope import Refusal

LONGEST_NAME = 200
NOT_FOUND = "model_not_found"


class Gone(Refusal):
    """404 for a model that was here once."""


def unknown(name: str, names: tuple[str, ...], pools: tuple[str, ...]) -> Refusal:
    """404 that names the nearest of `names`, also as `nearest` in the error; without any, the pools."""
    near = near_names(name, names)
    hint = f" Near it: {', '.join(near)}." if near else f" Pools: {', '.join(pools)}."
    message = f"The model '{cut(name)}' is not known here.{hint} GET /v1/models lists all."
    return Refusal(404, message, NOT_FOUND, "model", more={"nearest": near})


def gone(name: str, names: tuple[str, ...]) -> Gone:
    """404 that says so and names the nearest of `names`."""
    near = near_names(name, names)
    hint = f" Near it: {', '.join(near)}." if near else ""
    message = f"The model '{cut(name)}' is gone: its provider no longer offers it.{hint} GET /v1/models lists all."
    return Gone(404, message, NOT_FOUND, "model", headers={"x-should-retry": "false"}, more={"nearest": near})


def cut(name: str) -> str:
    """A name from outside, fit for a message."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def near_names(name: str, names: tuple[str, ...]) -> list[str]:
    """Up to three of `names` like this one, the likeliest first."""
    return list(_near(name[:LONGEST_NAME], names))


@lru_cache(maxsize=256)  # whoever asks for a name that is gone asks again; comparing takes milliseconds
def _near(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(nearest(name, names))
