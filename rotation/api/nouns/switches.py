"""The choices for the whole installation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from rotation import switches
from rotation.api.problems import Missing
from rotation.api.shapes import Strict
from rotation.api.who import by
from rotation.control import switches as control

router = Router(tags=["switches"])
PLACE = "/v1/switches/{slug:name}"


class SwitchShown(Schema):
    """A choice, what it means, and what holds now."""

    name: str = Field(examples=["keep_prompts"])
    label: str
    meaning: str
    default: bool | int | str
    value: bool | int | str


class Turned(Strict):
    value: bool | int | str


def shown(name: str) -> dict[str, Any]:
    if name not in switches.CHOICES:
        raise Missing(f"There is no choice {name}; there are: {', '.join(switches.CHOICES)}.")
    choice = switches.CHOICES[name]
    told = {key: getattr(choice, key) for key in ("name", "label", "meaning", "default")}
    return {**told, "value": switches.value(name)}


@router.get("/v1/switches", response=list[SwitchShown])
def list_switches(request: HttpRequest) -> Any:
    """Every choice."""
    return [shown(name) for name in switches.CHOICES]


@router.get(PLACE, response=SwitchShown)
def get_switch(request: HttpRequest, name: str) -> Any:
    """One choice."""
    return shown(name)


@router.put(PLACE, response=SwitchShown)
def turn_switch(request: HttpRequest, name: str, body: Turned) -> Any:
    """Choose. Turning `keep_prompts` off erases every prompt that was kept."""
    shown(name)
    control.set_value(by(request), name, body.value)
    return shown(name)
