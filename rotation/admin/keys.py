"""Accounts and keys. A secret goes in through a password field and never comes out again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count
from django.http import HttpRequest

from rotation.admin.audited import Form
from rotation.admin.simulation import DecidesSimulation
from rotation.models import Account, Key


@admin.register(Account)
class AccountAdmin(DecidesSimulation):
    list_display = ("label", "provider", "plan", "enabled", "key_count")
    list_filter = ("enabled", "provider")
    list_select_related = ("provider",)
    search_fields = ("label", "plan", "provider__name", "provider__label")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(held=Count("keys"))

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        return ("provider",) if obj else ()  # its keys belong to that provider's address

    @admin.display(description="keys", ordering="held")
    def key_count(self, account: Any) -> int:
        return int(account.held)


class KeyForm(Form):
    secret = forms.CharField(
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
        help_text="Stored sealed; only its last four characters are shown again. Leave empty to keep what is there.",
    )

    class Meta:
        model = Key
        fields = ("account", "label", "enabled")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        account = cleaned.get("account") or (self.instance.account if self.instance.pk else None)
        if account is None or "secret" in self.errors:
            return cleaned
        secret = cleaned.get("secret", "")
        if secret or not self.instance.pk:
            self._put(account, secret)
        if cleaned.get("enabled") and not secret and not self.instance.sealed and account.provider.kind != "generic":
            self.add_error("secret", f"{account.provider} wants a key: enter it, or leave this one disabled.")
        return cleaned

    def _put(self, account: Account, secret: str) -> None:
        try:
            self.instance.put_secret(secret)
        except ValidationError as wrong:
            self.add_error("secret", wrong)
            return
        same = Key.objects.filter(account=account, fingerprint=self.instance.fingerprint).exclude(pk=self.instance.pk)
        if known := same.first():
            self.add_error("secret", f"{account} already holds this key: {known}.")


@admin.register(Key)
class KeyAdmin(DecidesSimulation):
    form = KeyForm
    list_display = ("masked", "label", "account", "standing", "enabled", "checked_at", "source")
    list_display_links = ("masked", "label")
    list_filter = ("enabled", "state", "source", "account__provider")
    list_select_related = ("account__provider",)
    search_fields = ("label", "last4", "account__label", "account__provider__name", "account__provider__label")
    fields = ("account", "label", "secret", "enabled", "masked", "standing", "state_since", "checked_at", "source")
    shown = ("masked", "standing", "state_since", "checked_at", "source")
    actions = ("as_ready",)

    def get_fields(self, request: HttpRequest, obj: Key | None = None) -> Any:
        return self.fields if obj else ("account", "label", "secret", "enabled")

    def get_readonly_fields(self, request: HttpRequest, obj: Key | None = None) -> tuple[str, ...]:
        return ("account", *self.shown) if obj else ()  # a sealed key is not carried to another account

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("account__provider")

    @admin.display(description="key", ordering="last4")
    def masked(self, key: Key) -> str:
        return key.masked

    @admin.display(description="state", ordering="state")
    def standing(self, key: Key) -> str:
        if key.locked:
            return "locked: sealed with a key that is not in ROTATION_SECRETS_KEY; enter it again"
        return f"{key.get_state_display()}: {key.state_reason}" if key.state_reason else key.get_state_display()

    @admin.action(description="Mark as ready again")
    def as_ready(self, request: HttpRequest, queryset: models.QuerySet[Key]) -> None:
        for key in queryset:
            key.revive(f"marked by {request.user.get_username()}")
        self.message_user(request, f"{len(queryset)} marked as ready.")
