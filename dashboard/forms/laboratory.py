"""The laboratory's forms: what to replay beside the present, and a trace to take in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from dashboard.forms import Form, lines, plain
from dashboard.knobs import PRESET_WORDS, STRATEGIES
from rotation.models import Pool, Trace
from rotation.replay.trace import LARGEST

DAYS = {
    "1": "Yesterday: the last 24 hours",
    "3": "The last three days",
    "7": "The last week",
    "28": "The last four weeks",
}
TRACE = "trace:"
LONGEST = 20_000  # characters of an order
AS_IT_IS = ("", "As it is")
MOST_SEED = 2**63 - 1


def traffics() -> list[tuple[str, str]]:
    kept = Trace.objects.only("pk", "name", "calls").order_by("-at")
    return [*DAYS.items(), *((f"{TRACE}{row.pk}", f"Trace {row.name[:60]} ({row.calls:,} calls)") for row in kept)]


class ReplayForm(Form):
    """A hand-made candidate. `present` are the pool's models in order: the order is shown to be edited."""

    sets = (("Rules", ("strategy", "preset", "knobs"), "Empty means as the pool has them."),)
    traffic = forms.ChoiceField(label="Calls", choices=traffics, initial="1", help_text="Recorded here, or a trace.")
    order = forms.CharField(
        label="Order", required=False, max_length=LONGEST, widget=lines(9),
        help_text="One model a line, the first one first. A line taken out leaves the model out, a new one adds it.",
    )  # fmt: skip
    strategy = forms.ChoiceField(label="Strategy", required=False, choices=[AS_IT_IS, *STRATEGIES.items()])
    preset = forms.ChoiceField(label="Policy", required=False, choices=[AS_IT_IS, *PRESET_WORDS.items()])
    knobs = forms.CharField(
        label="Knobs", required=False, max_length=LONGEST, widget=lines(3),
        help_text="One a line, for example: patience = 5",
    )  # fmt: skip
    seed = forms.IntegerField(
        label="Seed", min_value=0, max_value=MOST_SEED, initial=1, help_text="The same seed, the same result."
    )

    def __init__(self, *args: Any, present: Sequence[str] = (), **kwargs: Any) -> None:
        self.present = list(present)
        super().__init__(*args, **kwargs)
        self.fields["order"].initial = "\n".join(self.present)

    def clean_knobs(self) -> dict[str, Any]:
        return dict(_knob(line) for line in self.cleaned_data["knobs"].splitlines() if line.strip())

    @property
    def candidate(self) -> dict[str, Any]:
        """As `rotation.replay.candidate` wants it: only what differs."""
        told = self.cleaned_data
        named = [line.strip() for line in told["order"].splitlines() if line.strip()]
        wanted: dict[str, Any] = {part: told[part] for part in ("strategy", "preset") if told[part]}
        if told["knobs"]:
            wanted["policy"] = told["knobs"]
        if named and named != self.present:
            known = set(self.present)
            wanted |= {"order": named, "add": [n for n in named if n not in known],
                       "leave_out": [n for n in self.present if n not in set(named)]}  # fmt: skip
        return wanted

    @property
    def window(self) -> dict[str, Any]:
        """`trace`, or `since`."""
        chosen = self.cleaned_data["traffic"]
        if chosen.startswith(TRACE):
            return {"trace": Trace.objects.filter(pk=int(chosen.removeprefix(TRACE))).first()}
        return {"since": timezone.now() - timedelta(days=int(chosen))}

    def take(self, wrong: ValidationError) -> None:
        """A candidate's parts are other fields here."""
        moved = {"policy": "knobs", "add": "order", "leave_out": "order", "candidate": "order", "since": "traffic",
                 "until": "traffic"}  # fmt: skip
        if hasattr(wrong, "error_dict"):
            wrong = ValidationError({moved.get(name, name): errors for name, errors in wrong.error_dict.items()})
        super().take(wrong)


def _knob(line: str) -> tuple[str, Any]:
    name, equals, value = line.partition("=")
    if not equals:
        raise ValidationError(f"Write a knob as name = value, not {line.strip()[:60]}.")
    try:
        return name.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return name.strip(), value.strip()


class TraceForm(Form):
    """A file of calls."""

    name = forms.CharField(label="Name", max_length=120, widget=plain())
    file = forms.FileField(
        label="File", help_text="CSV with a time, prompt tokens and answer tokens, for example TIMESTAMP,ContextTokens,"
        "GeneratedTokens.",
    )  # fmt: skip

    def clean_file(self) -> bytes:
        given = self.cleaned_data["file"]
        if given.size > LARGEST:
            raise ValidationError(f"The file has {given.size / 2**20:.0f} MiB; a trace may have {LARGEST / 2**20:.0f}.")
        return bytes(given.read())


def pools() -> list[Pool]:
    return sorted(Pool.objects.all(), key=lambda pool: (pool.name != "auto", pool.name))
