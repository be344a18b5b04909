"""Simulated providers follow what is done to real keys: they go off with the first, and on again after the last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest

from rotation import starter
from rotation.admin.audited import Audited


class DecidesSimulation(Audited):
    """For what a real key hangs on: providers, accounts, keys."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with _follows(request):
            super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        with _follows(request):
            super().save_formset(request, form, formset, change)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        with _follows(request):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with _follows(request):
            super().delete_queryset(request, queryset)


@contextmanager
def _follows(request: HttpRequest) -> Iterator[None]:
    """Only a turn of the tide counts: who switches a simulated provider on beside real ones is left alone."""
    before = starter.simulation_wanted()
    yield
    if starter.simulation_wanted() != before:
        on = starter.sync_simulation()
        told = "on: no real key is left" if on else "off: there is a real key now"
        messages.info(request, f"Simulated providers are switched {told}.")
