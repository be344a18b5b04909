"""What everybody may do with their own account: another password, tokens for programs; and the one-time link's page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from dashboard.acting import acted, by, form_page, gone_to, shown_once
from dashboard.forms.people import ChosenPassword, OwnPassword, TokenForm
from dashboard.listing import Choice, Column, Listing, Text, answer
from rotation.control import people, tokens
from rotation.control.by import By
from rotation.models import ApiToken, Door, Role
from rotation.roles import role_of

FORM = ["GET", "HEAD", "POST"]
STATES = (("live", "In use"), ("revoked", "Revoked"), ("expired", "Expired"))


def of_state(state: str) -> Q:
    expired = Q(enabled=True, expires_at__lte=timezone.now())
    return {"live": Q(enabled=True) & ~expired, "revoked": Q(enabled=False), "expired": expired}[state]


def state_of(token: ApiToken) -> str:
    return "in use" if token.live() else "expired" if token.enabled else "revoked"


LISTING = Listing(
    name="tokens",
    columns=(
        Column("label", "Token", sort="label"),
        Column("state", "State", cell=state_of, template="dashboard/cells/token_state.html"),
        Column("role", "Role", sort="role", template="dashboard/cells/role.html"),
        Column("token", "Begins", cell=lambda token: token.masked, template="dashboard/cells/mono.html", wide=True),
        Column("owner", "Of", sort="owner__username"),
        Column("last_used", "Last used", sort="last_used_at", template="dashboard/cells/ago.html"),
        Column("expires", "Until", sort="expires_at", template="dashboard/cells/day.html", wide=True),
        Column("created", "Made", sort="created_at", template="dashboard/cells/day.html", wide=True),
        Column("do", "Do", template="dashboard/cells/token_do.html", export=False, hidden=True),
    ),
    filters=(
        Text(key="q", label="Search", fields=("label", "prefix", "owner__username"), placeholder="Name or owner"),
        Choice(key="state", label="State", choices=STATES, where=of_state),
    ),
    sort="-created",
    empty="No API token yet. A program that configures Rotation, instead of calling models, needs one.",
)


def visible(request: HttpRequest) -> QuerySet[ApiToken, ApiToken]:
    """An admin sees all, everybody else their own."""
    rows = ApiToken.objects.select_related("owner")
    return rows if role_of(request.user) is Role.ADMIN else rows.filter(owner=me(request))


@require_safe
def account_tokens(request: HttpRequest) -> HttpResponseBase:
    return answer(request, LISTING, visible(request), "dashboard/tokens.html", {"now": timezone.now()})


def me(request: HttpRequest) -> User:
    """Who is signed in; the login wall let nobody else in."""
    return User.objects.get(username=request.user.get_username())


@never_cache
@require_http_methods(FORM)
def add_token(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    form = TokenForm(request.POST or None)
    if done := acted(request, form, lambda: tokens.issue(by(request), me(request), **form.cleaned_data)):
        token, plain = done.value
        return shown_once(request, plain, title=f"Token {token.label}", back="/tokens/")
    lead = "For the management API, whose documentation is at /api/docs. It may never do more than you."
    return form_page(request, form, title="Make an API token", button="Make it", back="tokens", lead=lead)


@require_http_methods(FORM)
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse | HttpResponseBase:
    token = get_object_or_404(visible(request), pk=pk)
    if request.method == "POST":
        tokens.revoke(by(request), token)
        messages.success(request, f"{token.label} is revoked.")
        return gone_to(request, "tokens")
    lead = "Whatever uses it is refused from now on. It stays in the list."
    return form_page(request, title=f"Revoke {token.label}?", button="Revoke", back="tokens", lead=lead, danger=True)


@sensitive_post_parameters()
@never_cache
@require_http_methods(FORM)
def own_password(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    """Another password for whoever is signed in; their other sessions end."""
    user = me(request)
    form = OwnPassword(request.POST or None, user=user)
    if acted(request, form, lambda: people.set_password(by(request), user, form.cleaned_data["password"])):
        update_session_auth_hash(request, user)
        messages.success(request, "Your password is changed; your other sessions have ended.")
        return gone_to(request, "tokens")
    return form_page(request, form, title="Change your password", button="Change", back="tokens")


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(FORM)
def password(request: HttpRequest, name: str, token: str) -> HttpResponse | HttpResponseBase:
    """Who has a one-time link chooses a password. 403 when it is used up, too old or wrong."""
    user = people.by_link(name, token)
    if user is None:
        raise PermissionDenied("This link is used up, too old or was cut; ask an admin for another.")
    form = ChosenPassword(request.POST or None)
    signed = By(user.username, Door.PAGE)
    if acted(request, form, lambda: people.set_password(signed, user, form.cleaned_data["password"])):
        messages.success(request, "Your password is set: sign in with it.")
        return redirect("login")
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/password.html", {"form": form, "name": user.username}, status=status)
