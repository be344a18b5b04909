"""Providers and deployments."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest

from rotation import addresses
from rotation.admin.audited import Audited, Form, Rows
from rotation.admin.breakers import ACTIONS as BREAKER_ACTIONS
from rotation.admin.breakers import HasBreaker
from rotation.admin.simulation import DecidesSimulation
from rotation.control.by import By
from rotation.models import Account, Deployment, DeploymentStatus, Door, PriceSource, Provider
from rotation.models.catalog import provider_kinds


class ProviderForm(Form):
    kind = forms.ChoiceField(choices=lambda: [(kind, kind) for kind in provider_kinds()])

    class Meta:
        model = Provider
        fields = ("kind", "name", "label", "base_url", "enabled", "priority", "options")


class AccountForm(Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.initial["label"] = ""  # a new row left at its defaults would count as not filled in


class AccountRows(Rows):
    model = Account
    form = AccountForm
    fields = ("label", "plan", "enabled")
    extra = 0
    show_change_link = True


@admin.register(Provider)
class ProviderAdmin(HasBreaker, DecidesSimulation):
    breaker_of = "provider"
    actions = BREAKER_ACTIONS
    form = ProviderForm
    inlines = (AccountRows,)
    list_display = ("label", "name", "kind", "base_url", "enabled", "simulated", "usable_keys", "models_offered")
    list_filter = ("enabled", "simulated", "kind")
    search_fields = ("name", "label", "base_url")
    prepopulated_fields = {"name": ("label",)}

    def get_queryset(self, request: HttpRequest) -> Any:
        usable = Q(accounts__enabled=True, accounts__keys__enabled=True)
        return (
            super()
            .get_queryset(request)
            .annotate(
                key_count=Count("accounts__keys", filter=usable, distinct=True),
                model_count=Count("deployments", distinct=True),
            )
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Provider | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("kind", "simulated", "base_url", "created_at") if obj.simulated else ("kind", "created_at")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Provider | None = None) -> dict[str, Any]:
        return {} if obj else {"name": ("label",)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        moved = change and "base_url" in form.changed_data
        old = str(form.initial.get("base_url", ""))
        super().save_model(request, obj, form, change)
        if moved and addresses.origin(old) != addresses.origin(obj.base_url):
            self._forget_keys(request, obj, old)

    def _forget_keys(self, request: HttpRequest, provider: Provider, old: str) -> None:
        keys = list(provider.keys().exclude(sealed=""))
        by = By(request.user.get_username(), Door.ADMIN)
        for key in keys:
            with by.changing(key, "erase secret"):
                key.forget_secret(f"given for {addresses.origin(old)}; the provider moved to another address")
        if keys:
            messages.warning(request, f"The secrets of {len(keys)} disabled key(s) are erased: enter them again.")

    @admin.display(description="keys", ordering="key_count")
    def usable_keys(self, provider: Any) -> int:
        return int(provider.key_count)

    @admin.display(description="models", ordering="model_count")
    def models_offered(self, provider: Any) -> int:
        return int(provider.model_count)


@admin.register(Deployment)
class DeploymentAdmin(HasBreaker, Audited):
    breaker_of = "deployment"
    list_display = (
        "model_id",
        "provider",
        "family",
        "status",
        "context",
        "free",
        "price_in",
        "price_out",
        "tools",
        "images",
    )
    list_filter = ("provider", "status", "free", "reasoning", "tools", "images")
    search_fields = ("model_id", "label", "family", "provider__name", "provider__label")
    readonly_fields = ("price_source", "listed_at", "created_at")
    actions = ("as_verified", "as_candidate", "as_incompatible", *BREAKER_ACTIONS)
    fieldsets = (
        (None, {"fields": ("provider", "model_id", "label", "family", "tags")}),
        ("Standing", {"fields": ("status", "status_reason", "seed_latency_s", "listed_at", "created_at")}),
        ("Size and price", {"fields": ("context", "max_output", "free", "price_in", "price_out", "price_source")}),
        (
            "Features (unknown: benefit of the doubt)",
            {"fields": ("tools", "parallel_tools", "json_schema", "images", "reasoning", "input_modalities", "lacks")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("provider")

    def get_readonly_fields(self, request: HttpRequest, obj: Deployment | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "provider") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if {"price_in", "price_out"} & set(form.changed_data):
            obj.price_source = PriceSource.OPERATOR
        super().save_model(request, obj, form, change)

    @admin.action(description="Mark as verified")
    def as_verified(self, request: HttpRequest, queryset: models.QuerySet[Deployment]) -> None:
        self._mark(request, queryset, DeploymentStatus.VERIFIED)

    @admin.action(description="Mark as candidate (and forget what it lacks)")
    def as_candidate(self, request: HttpRequest, queryset: models.QuerySet[Deployment]) -> None:
        queryset.update(lacks=[])
        self._mark(request, queryset, DeploymentStatus.CANDIDATE)

    @admin.action(description="Mark as incompatible")
    def as_incompatible(self, request: HttpRequest, queryset: models.QuerySet[Deployment]) -> None:
        self._mark(request, queryset, DeploymentStatus.INCOMPATIBLE)

    def _mark(self, request: HttpRequest, queryset: models.QuerySet[Deployment], status: DeploymentStatus) -> None:
        marked = queryset.update(status=status, status_reason=f"marked by {request.user.get_username()}")
        messages.success(request, f"{marked} marked as {status}.")
