"""Forms of the pages: `Form` is what each is made of.

Three things hold for all of them. What is wrong is said beside its field (`dashboard/_fields.html` renders that); what
was typed stays, but for secrets; and nothing is saved here: a view gives what was read to a function of
`rotation.control`, whose refusals come back to the fields by `Form.take`. See `dashboard.acting` for the way of a view.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from rotation.json_form import JsonField

SMALLEST, LONG = 2, 4000


@dataclass(frozen=True, slots=True)
class FieldSet:
    """Fields that belong together; without a legend they stand first, without a frame."""

    legend: str
    fields: Sequence[forms.BoundField]
    hint: str = ""


class Form(forms.Form):
    """`sets` puts fields into frames: (legend, names) or (legend, names, hint); fields named in none come first."""

    sets: ClassVar[Sequence[tuple[Any, ...]]] = ()
    use_required_attribute = False  # the server says what is missing, in our words, for every browser alike

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """No text holds NUL characters or halves of characters: neither can be stored."""
        cleaned = super().clean() or {}
        for name, value in list(cleaned.items()):
            if isinstance(value, str) and not storable(value):
                self.add_error(name, "This text holds a NUL or half a character, which cannot be stored.")
        return cleaned

    def take(self, wrong: ValidationError) -> None:
        """What a control function refused, beside the fields it names; what names none of ours stands above them."""
        if not hasattr(wrong, "error_dict"):
            self.add_error(None, wrong)
            return
        for name, errors in wrong.error_dict.items():
            if name in self.fields:
                self.add_error(name, errors)
            else:
                texts = [line for error in errors for line in error.messages]
                said = texts if name == NON_FIELD_ERRORS else [f"{name}: {line}" for line in texts]
                self.add_error(None, ValidationError(list(said)))

    @property
    def changes(self) -> dict[str, Any]:
        """Only what is not as it was when the form was made: nobody else's change is undone, nothing is claimed."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}

    def framed(self) -> Iterator[FieldSet]:
        """The visible fields in their frames, for the template."""
        named = {name for frame in self.sets for name in frame[1]}
        loose = [field for field in self.visible_fields() if field.name not in named]
        if loose:
            yield FieldSet("", loose)
        for frame in self.sets:
            present = [self[name] for name in frame[1] if name in self.fields]
            if present:
                yield FieldSet(str(frame[0]), present, str(frame[2]) if len(frame) > SMALLEST else "")


def storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def plain(**attributes: Any) -> forms.TextInput:
    """For names, addresses, ids: nothing is corrected or capitalised."""
    return forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", **attributes})


def secret(autocomplete: str = "new-password") -> forms.PasswordInput:
    """Never shown again, not even after an error."""
    return forms.PasswordInput(attrs={"autocomplete": autocomplete}, render_value=False)


class SecretLines(forms.Textarea):
    """Several secrets, one per line; never shown again, not even after an error."""

    def format_value(self, value: Any) -> str | None:
        return None


def lines(rows: int = 4, **attributes: Any) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "spellcheck": "false", **attributes})


def moment() -> forms.DateTimeInput:
    """A date and a time, in the reader's zone."""
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class Json(JsonField):
    """JSON of several lines; nothing is written as nothing."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value in (None, {}) else super().prepare_value(value)


class Ticks(forms.CheckboxSelectMultiple):
    """Several of a few."""


class Confirm(Form):
    """No field: the button is the answer."""
