"""Providers, accounts and keys as forms. A secret goes in and never comes back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify

from dashboard.forms import Form, Json, SecretLines, lines, plain, secret
from rotation.models import Provider
from rotation.models.catalog import provider_kinds

LABELS = {
    "openrouter": "OpenRouter",
    "groq": "Groq",
    "openai": "OpenAI",
    "together": "Together",
    "generic": "Any OpenAI-compatible server",
}
MIB = "max_upload_mib"


def kinds() -> list[tuple[str, str]]:
    """Generic first: the others are there from the start."""
    return sorted(((kind, LABELS.get(kind, kind)) for kind in provider_kinds()), key=lambda pair: pair[0] != "generic")


class ProviderForm(Form):
    """A new provider, or a changed one (`provider`, whose kind and name stay)."""

    sets = (
        ("Connection", ("kind", "base_url", "secret", "local")),
        ("Details", ("name", "priority", "max_upload_mib", "options")),
    )
    label = forms.CharField(label="Name", max_length=120, help_text="As people call it: My Ollama.")
    kind = forms.ChoiceField(label="Kind", choices=kinds, help_text="Which dialect it speaks.")
    base_url = forms.CharField(
        label="Base URL",
        max_length=500,
        widget=plain(inputmode="url", placeholder="https://api.example.com/v1"),
        help_text="Up to and including the version.",
    )
    secret = forms.CharField(label="Key", max_length=4096, required=False, strip=True, widget=secret())
    local = forms.BooleanField(
        label="It stands in my own network",
        required=False,
        help_text="Allows private addresses, and leaves it untouched by rate-limit guesses.",
    )
    name = forms.SlugField(
        label="Short name",
        max_length=60,
        required=False,
        widget=plain(),
        help_text="Clients write it before the model: name/model. Empty: made from the name.",
    )
    priority = forms.IntegerField(
        label="Priority", initial=100, help_text="Lower is tried first where nothing else decides."
    )
    max_upload_mib = forms.FloatField(
        label="Largest upload (MiB)", required=False, min_value=0.1, help_text="Of audio; empty: 25 MiB, or as learned."
    )
    options = Json(label="More options", required=False, widget=lines(2), help_text="A JSON object; empty for none.")

    def __init__(self, *args: Any, provider: Provider | None = None, **kwargs: Any) -> None:
        self.provider = provider
        super().__init__(*args, initial=_told(provider) if provider else kwargs.pop("initial", None), **kwargs)
        if provider:
            for name in ("kind", "name"):
                del self.fields[name]
            self.fields["secret"].help_text = "Only when the address changes, or to add one more key."
            if provider.simulated:
                for name in ("base_url", "secret", "local"):
                    del self.fields[name]
        else:
            self.fields["secret"].help_text = "Stored sealed; only its last four characters are shown again."

    def clean_options(self) -> dict[str, Any]:
        options = self.cleaned_data.get("options") or {}
        if not isinstance(options, dict):
            raise forms.ValidationError('Write a JSON object, for example {"timeout": 30}, or leave it empty.')
        return options

    @property
    def wanted(self) -> dict[str, Any]:
        """What the control functions are given; the secret is None when nothing was typed."""
        found = {key: value for key, value in self.cleaned_data.items() if key not in {"local", MIB}}
        options = dict(found.pop("options"))
        if self.cleaned_data.get("local"):
            options["local"] = True
        if self.cleaned_data.get(MIB):
            options[MIB] = self.cleaned_data[MIB]
        if "name" in found:
            found["name"] = found["name"] or slugify(found["label"])[:60]
        if "secret" in found:
            found["secret"] = found["secret"] or None
        return {**found, "options": options}

    @property
    def unsaved(self) -> tuple[Provider, str | None]:
        """(a provider as the form says it, for a test; the secret typed). No row is touched."""
        wanted = self.wanted
        typed: str | None = wanted.pop("secret", None)
        kept = Provider.objects.get(pk=self.provider.pk) if self.provider else Provider()
        for key, value in wanted.items():
            setattr(kept, key, value)
        return kept, typed


def _told(provider: Provider) -> dict[str, Any]:
    options = dict(provider.options) if isinstance(provider.options, dict) else {}
    local, most = options.pop("local", False) is True, options.pop(MIB, None)
    return {
        "label": provider.label,
        "base_url": provider.base_url,
        "priority": provider.priority,
        "local": local,
        MIB: most,
        "options": options or None,
    }


class KeysForm(Form):
    """One or several keys for an account: one that is there, or a new one."""

    secrets = forms.CharField(
        label="Key",
        max_length=200_000,
        widget=SecretLines(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "none"}),
        help_text="Several: one per line. Stored sealed; only the last four characters are shown again.",
    )
    account = forms.ChoiceField(
        label="Account", help_text="What the provider bills and limits: keys of one account share its limits."
    )
    new_account = forms.CharField(label="Name of the new account", max_length=120, required=False, widget=plain())
    plan = forms.CharField(
        label="Plan of the new account",
        max_length=120,
        required=False,
        widget=plain(placeholder="free"),
        help_text="As the provider calls it; known plans bring their published limits.",
    )
    label = forms.CharField(label="Label", max_length=120, required=False, help_text="To tell keys apart.")

    def __init__(self, *args: Any, provider: Provider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        known = [(str(pk), label) for pk, label in provider.accounts.order_by("id").values_list("pk", "label")]
        self.fields["account"].choices = [*known, ("", "A new account")]  # type: ignore[attr-defined]  # a choice field
        self.fields["account"].required = False
        self.fields["account"].initial = known[0][0] if known else ""
        if not known:
            del self.fields["account"]
            self.fields["new_account"].initial = "main"
        if provider.kind == "generic":
            self.fields["secrets"].required = False
            self.fields["secrets"].help_text = "Empty when the server wants none. Several: one per line."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("account") and not cleaned.get("new_account"):
            self.add_error("new_account", "Give the new account a name.")
        return cleaned


class AccountForm(Form):
    label = forms.CharField(label="Name", max_length=120, widget=plain())
    plan = forms.CharField(
        label="Plan",
        max_length=120,
        required=False,
        widget=plain(placeholder="free"),
        help_text="As the provider calls it. Known plans (Groq free, OpenRouter free or credits) bring their limits.",
    )
    verify_share = forms.FloatField(
        label="Share for verification",
        initial=0.2,
        min_value=0,
        max_value=1,
        help_text="How much of each day's requests may go into verifying new models, 0 to 1.",
    )
    enabled = forms.BooleanField(label="Switched on", required=False, initial=True)


class KeyForm(Form):
    label = forms.CharField(label="Label", max_length=120, required=False, help_text="To tell keys apart.")
    enabled = forms.BooleanField(label="Switched on", required=False)


class ReplaceForm(Form):
    secret = forms.CharField(
        label="New key", max_length=4096, widget=secret(), help_text="Takes the place of the stored one at once."
    )
