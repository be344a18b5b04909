"""Accounts and their keys: added, asked about, switched, replaced, removed; what was learned of them, taken back."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.acting import acted, by, form_page, gone_to, said
from dashboard.forms.providers import AccountForm, KeyForm, KeysForm, ReplaceForm
from rotation.control import accounts, health
from rotation.control import keys as control
from rotation.models import Account, Cooldown, Key, LearnedLimit, Provider

FORM = ["GET", "HEAD", "POST"]


def page_of(provider: Provider) -> str:
    return reverse("provider", args=[provider.pk])


def key_of(pk: int) -> Key:
    return get_object_or_404(Key.objects.select_related("account__provider"), pk=pk)


@sensitive_post_parameters("secrets")
@never_cache
@require_http_methods(FORM)
def add_keys(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    """One or several keys for a provider, in an account that is there or a new one."""
    provider = get_object_or_404(Provider, pk=pk)
    chosen = {"account": request.GET.get("account")}
    form = KeysForm(request.POST or None, provider=provider, initial=chosen if chosen["account"] else None)
    if done := acted(request, form, lambda: stored(request, provider, form)):
        words = "The key is" if len(done.value) == 1 else f"{len(done.value)} keys are"
        messages.success(request, f"{words} stored. Validate asks {provider} whether it takes it.")
        return gone_to(request, page_of(provider))
    title = f"Add a key for {provider}"
    return form_page(request, form, title=title, button="Store", back=page_of(provider))


@transaction.atomic
def stored(request: HttpRequest, provider: Provider, form: KeysForm) -> list[Key]:
    """All or nothing: neither an account without its keys nor half of them."""
    wanted = form.cleaned_data
    chosen = provider.accounts.filter(pk=wanted["account"]).first() if wanted.get("account") else None
    if chosen is None:
        try:
            chosen = accounts.add(by(request), provider, label=wanted["new_account"], plan=wanted["plan"])
        except ValidationError as wrong:
            raise ValidationError({"new_account": wrong.messages}) from None
    return control.add(by(request), chosen, wanted["secrets"], label=wanted["label"])


@require_POST
def validate_key(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Ask the provider now, and say what it said."""
    key = key_of(pk)
    told = control.validate(by(request), key)
    say = messages.success if told.works else messages.error
    say(request, f"{key}: {told.words}")
    return gone_to(request, said(request, page_of(key.account.provider)))


@require_POST
def revive_key(request: HttpRequest, pk: int) -> HttpResponseBase:
    key = key_of(pk)
    control.revive(by(request), key)
    messages.success(request, f"{key} counts as ready again.")
    return gone_to(request, said(request, page_of(key.account.provider)))


@require_POST
def switch_key(request: HttpRequest, pk: int) -> HttpResponseBase:
    key = key_of(pk)
    on = request.POST.get("on") == "1"
    try:
        control.change(by(request), key, enabled=on)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        messages.success(request, f"{key} is switched {'on' if on else 'off: no call uses it'}.")
    return gone_to(request, said(request, page_of(key.account.provider)))


@require_http_methods(FORM)
def change_key(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    key = key_of(pk)
    form = KeyForm(request.POST or None, initial={"label": key.label, "enabled": key.enabled})
    back = page_of(key.account.provider)
    if acted(request, form, lambda: control.change(by(request), key, **form.changes)):
        messages.success(request, f"{key} is changed.")
        return gone_to(request, back)
    return form_page(request, form, title=f"Change {key}", button="Save", back=back)


@sensitive_post_parameters("secret")
@never_cache
@require_http_methods(FORM)
def replace_key(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    key = key_of(pk)
    form = ReplaceForm(request.POST or None)
    back = page_of(key.account.provider)
    if acted(request, form, lambda: control.replace(by(request), key, form.cleaned_data["secret"])):
        messages.success(request, f"{key} is stored in its place.")
        return gone_to(request, back)
    lead = f"Of {key.account}; its label, its account and its history stay."
    return form_page(request, form, title=f"Replace {key}", button="Replace", back=back, lead=lead)


@require_http_methods(FORM)
def remove_key(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    key = key_of(pk)
    back = page_of(key.account.provider)
    if request.method == "POST":
        control.remove(by(request), key)
        messages.success(request, f"{key} is removed.")
        return gone_to(request, back)
    lead = f"Of {key.account}. Its secret is erased; the calls made with it stay in the log."
    return form_page(request, title=f"Remove {key}?", button="Remove", back=back, lead=lead, danger=True)


@require_http_methods(FORM)
def change_account(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    account = get_object_or_404(Account.objects.select_related("provider"), pk=pk)
    told = {name: getattr(account, name) for name in accounts.FIELDS}
    form = AccountForm(request.POST or None, initial=told)
    back = page_of(account.provider)
    if acted(request, form, lambda: accounts.change(by(request), account, **form.changes)):
        messages.success(request, f"{account} is changed.")
        return gone_to(request, back)
    return form_page(request, form, title=f"Account {account}", button="Save", back=back)


@require_http_methods(FORM)
def remove_account(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    account = get_object_or_404(Account.objects.select_related("provider"), pk=pk)
    back = page_of(account.provider)
    if request.method == "POST":
        accounts.remove(by(request), account)
        messages.success(request, f"{account} is removed.")
        return gone_to(request, back)
    lead = f"With it go: {', '.join(accounts.goes_with(account)) or 'nothing else'}."
    return form_page(request, title=f"Remove {account}?", button="Remove", back=back, lead=lead, danger=True)


@require_POST
def lift_cooldown(request: HttpRequest, pk: int) -> HttpResponseBase:
    cooldown = Cooldown.objects.filter(pk=pk).first()
    if cooldown:
        health.lift_cooldown(by(request), cooldown)
    messages.success(request, "The cooldown is over: it may be asked again.")
    return gone_to(request, said(request, reverse("providers")))


@require_POST
def lift_limit(request: HttpRequest, pk: int) -> HttpResponseBase:
    limit = LearnedLimit.objects.filter(pk=pk).first()
    if limit:
        health.lift_limit(by(request), limit)
    messages.success(request, "The limit is forgotten; the provider may tell it again.")
    return gone_to(request, said(request, reverse("providers")))
