"""Hidden defects: models that are not what their listing says. None is there until somebody orders it.

A fault is a bad moment of a provider; a defect belongs to a model and stays. Which models get one is decided by the
seed, or said one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

from rotation.simulator.answers import Reply
from rotation.simulator.asks import Ask
from rotation.simulator.catalogue import Model
from rotation.simulator.latency import Timing, uniforms

DAY = 86_400.0
LIVES = 7 * DAY  # how long a model that dies is still answered for
LISTED = 1 * DAY  # and how long after that it stands in the listing
SLOW = 100.0  # seconds a slow one takes before its first token
KEEPS = 1_500  # tokens that one of a short context really reads: the last ones


class Defect(StrEnum):
    LIES_ABOUT_TOOLS = "lies_about_tools"
    BREAKS_JSON = "breaks_json"
    SHORT_CONTEXT = "short_context"
    SLOW = "slow"
    DIES = "dies"
    IGNORES_STOP = "ignores_stop"
    IGNORES_SYSTEM = "ignores_system"
    NO_USAGE = "no_usage"


_NEEDS: Mapping[Defect, str] = {Defect.LIES_ABOUT_TOOLS: "tools", Defect.BREAKS_JSON: "json_schema"}


@dataclass(slots=True)
class Hidden:
    """Who has which defect. Keys are (kind, model id); `since` is simulated epoch seconds."""

    of: dict[tuple[str, str], Defect] = field(default_factory=dict)
    since: dict[tuple[str, str], float] = field(default_factory=dict)

    def hide(self, kind: str, model: str, defect: Defect, now: float) -> None:
        self.of[kind, model] = defect
        self.since[kind, model] = now

    def scatter(self, kind: str, models: Iterable[Model], share: float, *, seed: int, now: float) -> None:
        """Gives that share (0..1) of the chat models a defect each, of those that show in what they claim."""
        for model in models:
            chance, which = uniforms(seed, "defect", kind, model.id)
            fitting = [one for one in Defect if getattr(model, _NEEDS.get(one, "id"))]
            if model.type == "chat" and chance < share:
                self.hide(kind, model.id, fitting[int(which * len(fitting))], now)

    def clear(self) -> None:
        self.of.clear()
        self.since.clear()

    def told(self) -> list[dict[str, Any]]:
        return [{"kind": kind, "model": model, "defect": defect} for (kind, model), defect in self.of.items()]

    def dead(self, kind: str, model: str, now: float, *, after: float = LIVES) -> bool:
        """Whether it is one that dies, and so long has passed."""
        return self.of.get((kind, model)) is Defect.DIES and now >= self.since[kind, model] + after

    def buried(self, kind: str, now: float) -> list[str]:
        """Models that have to go from the listing by now."""
        dying = [model for of, model in self.of if of == kind]
        return [model for model in dying if self.dead(kind, model, now, after=LIVES + LISTED)]

    def heard(self, kind: str, ask: Ask) -> Ask:
        """What the model makes of what it was sent."""
        match self.of.get((kind, ask.model)):
            case Defect.LIES_ABOUT_TOOLS:
                return replace(ask, tools=())
            case Defect.IGNORES_STOP:
                return replace(ask, stop=())
            case Defect.IGNORES_SYSTEM:
                return replace(ask, system="")
            case Defect.SHORT_CONTEXT:
                kept = KEEPS * 4
                return replace(ask, text=ask.text[-kept:], history=ask.history[-kept:], system=ask.system[-kept:])
        return ask

    def said(self, kind: str, ask: Ask, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
        """What comes out of it."""
        broken = self.of.get((kind, ask.model)) is Defect.BREAKS_JSON
        if not broken or (ask.response_format or {}).get("type") not in {"json_schema", "json_object"}:
            return replies
        return tuple(replace(one, text=f"Sure! Here is your JSON:\n{(one.text or '')[:-1]},,") for one in replies)

    def paced(self, kind: str, model: str, timing: Timing) -> Timing:
        if self.of.get((kind, model)) is not Defect.SLOW:
            return timing
        return Timing(timing.first + SLOW, timing.total + SLOW)

    def streamed(self, kind: str, model: str, events: list[bytes]) -> list[bytes]:
        if self.of.get((kind, model)) is not Defect.NO_USAGE:
            return events
        return [bare for event in events if (bare := _without_usage(event))]


def _without_usage(event: bytes) -> bytes:
    """The event without any count of tokens, b"" when it held nothing else."""
    if b'"usage"' not in event:
        return event
    chunk = orjson.loads(event.removeprefix(b"data: "))
    chunk.pop("usage", None)
    if isinstance(extra := chunk.get("x_groq"), dict):
        extra.pop("usage", None)
    return b"data: " + orjson.dumps(chunk) + b"\n\n" if chunk.get("choices") else b""
