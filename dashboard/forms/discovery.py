"""What a person says of a model: into which pool it shall come, and how carefully."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.forms import Form, plain
from rotation.models import Deployment, Pool


class AdoptForm(Form):
    pool = forms.ModelChoiceField(Pool.objects.none(), label="Pool", empty_label=None)
    canary = forms.BooleanField(
        label="As a canary first",
        required=False,
        initial=True,
        help_text="It answers a small share of the pool's calls until it has shown that it works.",
    )
    why = forms.CharField(label="Why", max_length=300, required=False, widget=plain(), help_text="For the audit.")

    def __init__(self, *args: Any, deployment: Deployment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        there = deployment.placements.filter(enabled=True).values("pool")
        pool = self.fields["pool"]
        assert isinstance(pool, forms.ModelChoiceField)
        pool.queryset = Pool.objects.exclude(pk__in=there).order_by("name")


class ReasonForm(Form):
    why = forms.CharField(label="Why", max_length=300, required=False, widget=plain(), help_text="For the audit.")
