"""The way of every view that changes something: read the form, ask one control function, say what came of it.

    @require_http_methods(["GET", "HEAD", "POST"])
    def add_client(request):
        form = ClientForm(request.POST or None)
        if done := acted(request, form, lambda: clients.add(by(request), **form.cleaned_data)):
            messages.success(request, f"{done.value} added.")
            return gone_to(request, "clients")
        return form_page(request, form, title="Add a client key", button="Add", back="clients")

The same view is a page of its own and, opened through a link with `data-dialog`, a dialog: it knows no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from dashboard.forms import Confirm, Form
from dashboard.frame import in_dialog
from rotation.control.by import By
from rotation.models import Door

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """It happened; `value` is what the control function gave."""

    value: Value


def by(request: HttpRequest) -> By:
    """Who asks, through the pages."""
    return By(request.user.get_username(), Door.PAGE)


def acted(request: HttpRequest, form: Form, act: Callable[[], Value]) -> Done[Value] | None:
    """Does it when the form was sent and is in order. None when there is (still) a form to show: what was refused then
    stands beside its fields."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return Done(act())
    except ValidationError as wrong:
        form.take(wrong)
        return None


def gone_to(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """A redirect, for the browser or for the script that sent the form."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponseClientRedirect(resolve_url(to, *args, **kwargs))
    away: HttpResponseBase = redirect(to, *args, **kwargs)
    return away


def said(request: HttpRequest, otherwise: str) -> str:
    """The page of ours a form said it stands on (`next`), else another one."""
    return safe_next(request) or otherwise


def safe_next(request: HttpRequest) -> str:
    """Where the form was asked to lead, if that is one of our own pages; else ""."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else ""


def form_page(
    request: HttpRequest,
    form: Form | None = None,
    *,
    title: str,
    button: str,
    back: str,
    lead: str = "",
    danger: bool = False,
    template: str = "dashboard/form_page.html",
    **more: Any,
) -> HttpResponse:
    """A form as a page or a dialog; 422 when something in it is wrong. `back` is an address or the name of a route."""
    form = form or Confirm()
    context = {
        "form": form,
        "title": title,
        "lead": lead,
        "button": button,
        "danger": danger,
        "back": resolve_url(back),
        "dialog": in_dialog(request),
        **more,
    }
    return render(request, template, context, status=422 if form.is_bound and form.errors else 200)


def shown_once(request: HttpRequest, plain: str, *, title: str, back: str, curl: bool = False) -> HttpResponse:
    """The one answer that shows a new key, token or link: no redirect, so that it is kept in no cookie and session."""
    context = {
        "plain": plain,
        "title": title,
        "back": back,
        "dialog": in_dialog(request),
        "endpoint": request.build_absolute_uri("/v1/chat/completions") if curl else "",
    }
    response = render(request, "dashboard/shown_once.html", context)
    response["Cache-Control"] = "no-store"
    return response
