"""Forms of the doors: the first account, and signing in. What is wrong is said at its field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError


def text(autocomplete: str, **attributes: str) -> forms.TextInput:
    return forms.TextInput(
        attrs={"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false", **attributes}
    )


def secret(autocomplete: str, *, stays: bool = False) -> forms.PasswordInput:
    """`stays`: what was typed is there again when another field was wrong; only for pages that are never stored."""
    return forms.PasswordInput(attrs={"autocomplete": autocomplete}, render_value=stays)


class SignIn(forms.Form):
    """Name and password; whether they fit is for the view to say."""

    username = forms.CharField(label="Username", max_length=150, widget=text("username", autofocus="autofocus"))
    password = forms.CharField(label="Password", max_length=4096, strip=False, widget=secret("current-password"))


class FirstAccount(forms.ModelForm):  # type: ignore[type-arg]  # Django has no subscript for it at run time
    """The account that may do everything."""

    password = forms.CharField(
        label="Password",
        max_length=4096,
        strip=False,
        widget=secret("new-password", stays=True),
        help_text="At least 10 characters.",
    )
    again = forms.CharField(
        label="Password again", max_length=4096, strip=False, widget=secret("new-password", stays=True)
    )

    class Meta:
        model = User
        fields = ["username"]
        widgets = {"username": text("username", autofocus="autofocus")}
        help_texts = {"username": "Letters, digits and @ . + - _"}

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        self.instance.username = self.cleaned_data.get("username", "")  # a password like the name is refused
        password_validation.validate_password(password, self.instance)
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password, again = cleaned.get("password"), cleaned.get("again")
        if password and again and password != again:
            self.add_error("again", ValidationError("The two passwords differ."))
        return cleaned

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        user.is_staff = user.is_superuser = True
        if commit:
            user.save()
        return user
