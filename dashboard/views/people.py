"""People: who has an account and what they may; added, given a role, locked out, removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.acting import acted, by, form_page, gone_to, shown_once
from dashboard.forms.people import PersonForm, RoleForm
from dashboard.listing import Choice, Column, Listing, Text, answer
from rotation.control import people as control
from rotation.models import Role
from rotation.roles import role_of

FORM = ["GET", "HEAD", "POST"]


def of_role(role: str) -> Q:
    admin, operator = Q(is_superuser=True), Q(groups__name=Role.OPERATOR)
    return {Role.ADMIN: admin, Role.OPERATOR: operator & ~admin, Role.VIEWER: ~admin & ~operator}[Role(role)]


def role_word(user: User) -> str:
    """Its role from what one query brought; of somebody locked the one they would have."""
    named = {group.name for group in user.groups.all()}
    return "admin" if user.is_superuser or "admin" in named else "operator" if "operator" in named else "viewer"


LISTING = Listing(
    name="people",
    columns=(
        Column("username", "Account", sort="username", template="dashboard/cells/person.html"),
        Column("role", "Role", cell=role_word, template="dashboard/cells/role.html"),
        Column("active", "State", cell=lambda user: "in" if user.is_active else "locked out"),
        Column("tokens", "API tokens", sort="live_tokens", numeric=True, wide=True),
        Column("last_login", "Last sign-in", sort="last_login", template="dashboard/cells/ago.html", wide=True),
        Column("joined", "Since", sort="date_joined", template="dashboard/cells/day.html", wide=True),
        Column("do", "Do", template="dashboard/cells/person_do.html", export=False, hidden=True),
    ),
    filters=(
        Text(key="q", label="Search", fields=("username",), placeholder="Name"),
        Choice(key="role", label="Role", choices=[(r.value, r.label) for r in Role], where=of_role),
        Choice(
            key="state",
            label="State",
            choices=[("in", "May come in"), ("locked", "Locked out")],
            where=lambda state: Q(is_active=state == "in"),
        ),
    ),
    sort="username",
)


def everybody() -> QuerySet[User, User]:
    live = Q(api_tokens__enabled=True)
    return User.objects.prefetch_related("groups").annotate(live_tokens=Count("api_tokens", filter=live, distinct=True))


@require_safe
def people(request: HttpRequest) -> HttpResponseBase:
    return answer(request, LISTING, everybody(), "dashboard/people.html", {"now": timezone.now()})


def link_shown(request: HttpRequest, user: User) -> HttpResponse:
    """Whoever opens it chooses the password, once, within three days."""
    plain = request.build_absolute_uri(control.link(by(request), user))
    return shown_once(request, plain, title=f"Link for {user.username}", back=reverse("people"))


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(FORM)
def add_person(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    form = PersonForm(request.POST or None)

    def act() -> User:
        wanted = form.cleaned_data
        return control.add(
            by(request), role=wanted["role"], password=wanted["password"] or None, username=wanted["username"]
        )

    if done := acted(request, form, act):
        if not form.cleaned_data["password"]:
            return link_shown(request, done.value)
        messages.success(request, f"{done.value.username} may come in.")
        return gone_to(request, "people")
    return form_page(request, form, title="Add a person", button="Add", back="people")


@require_http_methods(FORM)
def change_role(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    user = get_object_or_404(User, pk=pk)
    form = RoleForm(request.POST or None, initial={"role": role_of(user) or Role.VIEWER})
    if acted(request, form, lambda: control.give_role(by(request), user, form.cleaned_data["role"])):
        messages.success(request, f"{user.username} is {form.cleaned_data['role']} now.")
        return gone_to(request, "people")
    return form_page(request, form, title=f"Role of {user.username}", button="Save", back="people")


@never_cache
@require_http_methods(FORM)
def link_person(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    user = get_object_or_404(User, pk=pk)
    if request.method == "POST":
        return link_shown(request, user)
    lead = (
        "Whoever opens it chooses this account's password, once, within three days. Their present one works until then."
    )
    title = f"A link for {user.username}"
    return form_page(request, title=title, button="Make the link", back="people", lead=lead)


def _turned(request: HttpRequest, act: Callable[[], Any], words: str) -> HttpResponseBase:
    """Does something that may be refused, and says what came of it."""
    try:
        with transaction.atomic():
            act()
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        messages.success(request, words)
    return gone_to(request, "people")


@require_POST
def lock_person(request: HttpRequest, pk: int) -> HttpResponseBase:
    """`on=1` locks them out, `on=0` lets them in again."""
    user = get_object_or_404(User, pk=pk)
    if request.POST.get("on") == "1":
        words = f"{user.username} is locked out, with all sessions and tokens."
        return _turned(request, lambda: control.lock(by(request), user), words)
    return _turned(request, lambda: control.unlock(by(request), user), f"{user.username} may come in again.")


@require_http_methods(FORM)
def remove_person(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    user = get_object_or_404(User, pk=pk)
    if request.method == "POST":
        words = f"{user.username} is removed; what they did stays in the audit."
        return _turned(request, lambda: control.remove(by(request), user), words)
    lead = "Their API tokens go with the account. What they did stays in the audit. To keep the account, lock it out."
    title = f"Remove {user.username}?"
    return form_page(request, title=title, button="Remove", back="people", lead=lead, danger=True)
