"""Coming in: the first account by its set-up link, signing in and out, the theme.

These are the only pages without a login (`@login_not_required`); every other view of the project is behind it.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import figures, throttle
from dashboard.acting import safe_next
from dashboard.forms.doors import FirstAccount, SignIn
from dashboard.frame import THEMES
from rotation import setup_link
from rotation.control.by import By
from rotation.models import Door

log = logging.getLogger(__name__)


def no_accounts() -> bool:
    return not User.objects.exists()


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """The first account. 403 when the link is not the valid one, or an account exists."""
    if not no_accounts() or not setup_link.check(token):
        return render(request, "dashboard/setup_closed.html", {"no_accounts": no_accounts()}, status=403)
    form = FirstAccount(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = first_account(form, token)
        if user is None:
            return render(request, "dashboard/setup_closed.html", {"no_accounts": False}, status=403)
        login(request, user, "django.contrib.auth.backends.ModelBackend")
        log.info("the first account was made")
        return redirect("start")
    return render(request, "dashboard/setup.html", {"form": form}, status=422 if form.errors else 200)


@transaction.atomic
def first_account(form: FirstAccount, token: str) -> User | None:
    """Saves the form's account unless somebody with the same link was quicker."""
    if not setup_link.claim(token):
        return None
    user: User = form.save()
    By(user.get_username(), Door.PAGE).added(user, "set up")
    return user


@login_not_required
@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Somebody signed in who comes here by a page they may not see is told so, and not sent in a circle."""
    target = safe_next(request)
    if request.user.is_authenticated and request.method != "POST" and not target:
        return redirect("overview")
    form = SignIn(request.POST or None)
    status = 200
    if request.method == "POST":
        wait = tried(request, form) if form.is_valid() else None
        if form.is_valid():
            return HttpResponseRedirect(target or settings.LOGIN_REDIRECT_URL)
        status = 422 if wait is None else 429
    context = {"form": form, "next": target, "no_accounts": no_accounts()}
    response = render(request, "dashboard/login.html", context, status=status)
    if status == 429:
        response["Retry-After"] = str(max(1, round(wait.total_seconds()))) if wait else "1"
    return response


def tried(request: HttpRequest, form: SignIn) -> timedelta | None:
    """Signs in, or puts the error on the form; how long to wait when it was too many tries."""
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    subject = throttle.subject_of(request, name)
    wait = throttle.ask(subject, timezone.now())
    if wait is not None:
        form.add_error(None, f"Too many tries with this name. Wait {figures.countdown(wait)} and try again.")
        return wait
    user = authenticate(request, username=name, password=password)  # as slow for a name that does not exist
    if user is None:
        form.add_error(None, "Name and password do not fit together.")
        log.warning("a sign-in failed from %s", request.META.get("REMOTE_ADDR", "?"))
        return None
    throttle.forget(subject)
    login(request, user)
    return None


@login_not_required
def admin_door(request: HttpRequest) -> HttpResponse:
    """The admin's own login page knows no throttle: there is one door, ours."""
    query = {"next": safe_next(request) or reverse("admin:index")}
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode(query)}")


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("login")


@login_not_required
def icon(request: HttpRequest) -> HttpResponse:
    """For pages that name no icon, like the admin's."""
    return HttpResponseRedirect(static("img/icon.svg"))


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remembers light, dark or auto for this browser; scripts do the same without the round trip."""
    response = HttpResponseRedirect(safe_next(request) or settings.LOGIN_REDIRECT_URL)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        year = 365 * 24 * 3600
        response.set_cookie("theme", chosen, max_age=year, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    return response
