"""The choices for the whole installation: which there are, what they mean, and what holds until somebody chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.models.office import Switch


@dataclass(frozen=True, slots=True)
class Choice:
    """`default` also says the type: a bool, a whole number or a text."""

    name: str
    label: str
    meaning: str
    default: bool | int | str


CHOICES: Mapping[str, Choice] = {
    choice.name: choice
    for choice in (
        Choice(
            "keep_prompts",
            "Keep prompts",
            "Bodies of calls are kept, sealed, for asking the same again. Off: no prompt is ever stored.",
            default=False,
        ),
        Choice("keep_prompts_days", "Days prompts are kept", "After that they are erased.", default=7),
        Choice(
            "answer_from_successor",
            "Answer for models that are gone",
            "A call for a model that is gone is answered by its nearest living relative; a header says so.",
            default=False,
        ),
        Choice("status_page", "Public status page", "Anybody may see at /status which pools work.", default=False),
        Choice("status_title", "Title of the status page", "What it calls this place.", default="Rotation"),
        Choice("savings_model", "Model to compare costs with", "provider/model of a paid model.", default=""),
    )
}


def value(name: str) -> Any:
    """What holds. Raises KeyError for a choice that does not exist."""
    return values()[name]


def values() -> dict[str, Any]:
    """All of them, in one query."""
    stored = dict(Switch.objects.values_list("name", "value"))
    return {name: stored.get(name, choice.default) for name, choice in CHOICES.items()}


def checked(name: str, text: Any) -> Any:
    """A value of the choice's type. Raises ValueError saying what to write, KeyError for an unknown choice."""
    kind = type(CHOICES[name].default)
    if type(text) is kind:
        return text
    raise ValueError({bool: "Write true or false.", int: "Write a whole number.", str: "Write a text."}[kind])
