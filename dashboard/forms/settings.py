"""The choices for the whole installation as one form, made of `rotation.switches.CHOICES`."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.forms import Form, plain
from rotation import switches

SETS = (
    ("Prompts", ("keep_prompts", "keep_prompts_days")),
    ("Answers", ("answer_from_successor",)),
    ("Status page", ("status_page", "status_title")),
    ("Savings", ("savings_model",)),
)


def field_of(choice: switches.Choice) -> forms.Field:
    told: dict[str, Any] = {"label": choice.label, "help_text": choice.meaning, "required": False}
    if isinstance(choice.default, bool):
        return forms.BooleanField(**told)
    if isinstance(choice.default, int):
        return forms.IntegerField(**{**told, "required": True})
    listed = {"list": "models"} if choice.name == "savings_model" else {}
    return forms.CharField(max_length=200, widget=plain(**listed), **told)


class SettingsForm(Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial=switches.values(), **kwargs)
        for name, choice in switches.CHOICES.items():
            self.fields[name] = field_of(choice)
        known = {name for _, names in SETS for name in names}
        rest = tuple(name for name in switches.CHOICES if name not in known)
        self.sets = (*SETS, ("Other", rest)) if rest else SETS  # type: ignore[misc]  # choices may be added
