"""People and tokens as forms. Passwords are never shown again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from dashboard.forms import Form, moment, plain, secret
from rotation.models import Role

MEANS = {
    Role.VIEWER: "Viewer: sees every page",
    Role.OPERATOR: "Operator: also changes orders and pools, tests, resets",
    Role.ADMIN: "Admin: also keys, clients, people and settings",
}
ROLES = [(role.value, MEANS[role]) for role in Role]


def hidden(label: str, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=4096, strip=False, widget=secret(), **options)


class PersonForm(Form):
    username = forms.CharField(label="Username", max_length=150, widget=plain(), help_text="Letters, digits, @ . + - _")
    role = forms.ChoiceField(label="Role", choices=ROLES)
    password = hidden(
        "Password", required=False, help_text="At least 10 characters. Empty: a one-time link lets them choose it."
    )


class RoleForm(Form):
    role = forms.ChoiceField(label="Role", choices=ROLES)


class ChosenPassword(Form):
    """For whoever came by a one-time link."""

    password = hidden("New password", help_text="At least 10 characters.")
    again = hidden("New password again")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, second = cleaned.get("password"), cleaned.get("again")
        if first and second and first != second:
            self.add_error("again", "The two passwords differ.")
        return cleaned


class OwnPassword(ChosenPassword):
    """For whoever is signed in."""

    field_order = ("current", "password", "again")
    current = forms.CharField(label="Present password", max_length=4096, strip=False, widget=secret("current-password"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        if not self.user.check_password(current):
            raise forms.ValidationError("This is not your present password.")
        return current


class TokenForm(Form):
    label = forms.CharField(label="Name", max_length=120, help_text="What it is for.")
    role = forms.ChoiceField(label="Role", choices=ROLES, help_text="At most your own.")
    expires_at = forms.DateTimeField(
        label="Valid until", required=False, widget=moment(), help_text="In your time zone. Empty: for good."
    )
