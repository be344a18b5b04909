"""JSON in a form, whatever somebody typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput


class JsonField(forms.JSONField):
    """Like Django's, which fails on numbers of thousands of digits and on what is nested without an end."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            wrong = self.error_messages["invalid"]
            raise forms.ValidationError(wrong, code="invalid", params={"value": ""}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, to be shown again."""
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)
