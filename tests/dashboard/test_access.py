"""Who comes in: the first account by its link, signing in and out, and a wall before everything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from dashboard import throttle
from dashboard.models import SignInDelay
from rotation import setup_link
from rotation.models import AuditEvent
from tests.dashboard.calls import PASSWORD

pytestmark = pytest.mark.django_db
NEW = {"username": "alice", "password": PASSWORD, "again": PASSWORD}
OPEN = {
    "status",
    "status/badge.svg",
    "status.json",
    "login",
    "logout",
    "password",
    "setup",
    "theme",
    "healthz",
    "readyz",
    "favicon.ico",
    "admin/login",
}
OWN_KEYS = ("v1/", "api/")
EXAMPLES = {"uuid": "00000000-0000-7000-8000-000000000000", "int": "1", "slug": "ladder", "str": "x", "path": "1"}


def addresses(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(path with example values, route) of every pattern of the project."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + filled(route), route


def filled(route: str) -> str:
    parts = route.replace(">", "<").split("<")
    return "".join(EXAMPLES.get(part.split(":")[0], "x") if n % 2 else part for n, part in enumerate(parts))


def test_every_address_asks_for_a_login_unless_it_is_one_of_the_doors(client: Client):
    seen = 0
    for path, route in addresses(get_resolver()):
        if route.startswith(OWN_KEYS) or route.split("<")[0].rstrip("/") in OPEN or "(?P<" in route:
            continue
        for method in (client.get, client.post):
            answer = method(path)
            assert answer.status_code == 302, (route, answer.status_code)
            assert answer["Location"].startswith(("/login/?next=", "/admin/login/?next=")), route
        seen += 1
    assert seen > 40  # the pages and the admin


def test_the_first_account_is_made_by_the_set_up_link_and_is_signed_in(client: Client):
    token = setup_link.make()
    assert token is not None
    assert client.get(setup_link.path(token)).status_code == 200
    answer = client.post(setup_link.path(token), NEW, follow=True)
    assert answer.redirect_chain == [("/start/", 302)]
    user = User.objects.get()
    assert user.is_superuser
    assert user.is_staff
    assert user.password.startswith("argon2")
    event = AuditEvent.objects.about(user).get()
    assert (event.actor, event.door, event.action) == (user.username, "page", "set up")
    assert user.password not in str(event.after)


def test_a_set_up_link_opens_once(client: Client):
    token = setup_link.make()
    assert token is not None
    client.post(setup_link.path(token), NEW)
    again = Client().post(setup_link.path(token), {**NEW, "username": "mallory"})
    assert again.status_code == 403
    assert "has done its work" in again.text
    assert User.objects.count() == 1


@pytest.mark.parametrize("token", ["x", "a:b:c", "../x", "%00"])
def test_a_wrong_set_up_link_is_refused_and_says_what_to_do(client: Client, token: str):
    answer = client.get(f"/setup/{token}/")
    assert answer.status_code in {403, 404}
    if answer.status_code == 403:
        assert "manage.py up" in answer.text


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"username": ""}, "username", "required"),
        ({"username": "no spaces"}, "username", "valid username"),
        ({"password": "short", "again": "short"}, "password", "at least 10"),
        (
            {"username": "administrator", "password": "administrator1", "again": "administrator1"},
            "password",
            "too similar",
        ),
        ({"password": "1234567890", "again": "1234567890"}, "password", "too common"),
        ({"again": "something else"}, "again", "differ"),
        ({"username": "x" * 151}, "username", "150"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    client: Client, change: dict[str, str], field: str, words: str
):
    token = setup_link.make()
    assert token is not None
    answer = client.post(setup_link.path(token), {**NEW, **change})
    assert answer.status_code == 422
    assert any(words in error for error in answer.context["form"].errors[field])
    assert f'id="id_{field}_error"' in answer.text
    for value in {**NEW, **change}.values():
        assert not value or f'value="{value}"' in answer.text
    assert User.objects.count() == 0
    assert "no-store" in answer["Cache-Control"]


def test_signing_in_and_out(client: Client, alice: User):
    assert client.get("/", follow=True).redirect_chain == [("/login/?next=/", 302)]
    answer = client.post("/login/?next=/requests/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"] == "/requests/"
    assert client.get("/requests/").status_code == 200
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("name", ["alice", "nobody", "ALICE"])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(client: Client, alice: User, name: str):
    answer = client.post("/login/", {"username": name, "password": "wrong wrong wrong"})
    assert answer.status_code == 422
    assert "Name and password do not fit together." in answer.text
    assert f'value="{name}"' in answer.text
    assert "wrong wrong wrong" not in answer.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil"]
)
def test_nobody_is_sent_off_to_another_site_after_signing_in(client: Client, alice: User, target: str):
    answer = client.post("/login/", {"username": "alice", "password": PASSWORD, "next": target})
    assert answer["Location"] == "/"
    assert client.post("/theme/", {"theme": "dark", "next": target})["Location"] == "/"


def test_the_login_page_says_so_when_there_is_no_account(client: Client):
    assert "There is no account yet" in client.get("/login/").text


def test_the_admin_has_no_door_of_its_own(client: Client, alice: User):
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")
    posted = client.post("/admin/login/", {"username": "alice", "password": PASSWORD})
    assert posted.status_code == 302
    assert "_auth_user_id" not in client.session


def test_who_may_not_see_the_admin_is_told_and_not_sent_in_a_circle(client: Client, db: None):
    client.force_login(User.objects.create_user("bob", "", PASSWORD))
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 200
    assert len(answer.redirect_chain) <= 2
    assert "You are signed in as <strong>bob</strong>" in answer.text
    assert 'href="/admin/"' not in client.get("/").text


def test_guessing_gets_slower_and_the_right_password_ends_it(client: Client, alice: User):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(throttle.FREE_TRIES):
            assert guess(client, "wrong").status_code == 422
        late = guess(client, PASSWORD)
        assert late.status_code == 429
        assert int(late["Retry-After"]) >= 1
        assert "Too many tries" in late.text
        clock.shift(timedelta(seconds=2))
        assert guess(client, PASSWORD).status_code == 302
        assert not SignInDelay.objects.exists()


def guess(client: Client, password: str, **more: Any) -> Any:
    return client.post("/login/", {"username": "alice", "password": password}, **more)


def test_somebody_else_s_guessing_does_not_lock_alice_out(client: Client, alice: User):
    for _ in range(10):
        guess(client, "wrong", REMOTE_ADDR="203.0.113.9")
    assert guess(client, PASSWORD, REMOTE_ADDR="203.0.113.9").status_code == 429
    assert guess(client, PASSWORD, REMOTE_ADDR="198.51.100.4").status_code == 302


@given(st.integers(0, 10**9))
def test_the_wait_never_shrinks_and_never_passes_its_cap(tries: int):
    assert throttle.delay_after(tries) <= throttle.delay_after(tries + 1) <= throttle.LONGEST
    assert (throttle.delay_after(tries) == timedelta(0)) == (tries < throttle.FREE_TRIES)


def test_a_refused_try_is_not_counted_and_old_ones_are_forgotten():
    now = timezone.now()
    subject = "a" * 64
    for _ in range(throttle.FREE_TRIES):
        assert throttle.ask(subject, now) is None
    assert throttle.ask(subject, now) == timedelta(seconds=1)
    assert SignInDelay.objects.get().tries == throttle.FREE_TRIES
    assert throttle.ask(subject, now + throttle.FORGOTTEN + timedelta(seconds=1)) is None
    assert SignInDelay.objects.get().tries == 1


def test_cookies_and_headers_are_safe(client: Client, alice: User):
    answer = client.post("/login/", {"username": "alice", "password": PASSWORD})
    session = answer.cookies["rotation"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    page = client.get("/")
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


def test_a_page_for_somebody_is_kept_by_nobody_else(page: Client, world: None):
    for path in ("/", "/providers/", "/audit/"):
        assert {"private", "no-cache"} <= set(page.get(path)["Cache-Control"].split(", "))
    assert "no-store" in page.get("/playground/")["Cache-Control"]


def test_no_page_has_inline_script_or_style(page: Client, world: None):
    for path in ("/", "/requests/", "/table/ladder/", "/login/?next=/admin/"):
        text = page.get(path).text
        assert "<script>" not in text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text


def test_theme_and_time_zone_come_from_cookies_and_nonsense_is_passed_over(page: Client, world: None):
    assert "data-theme" not in page.get("/").text.split("<head>")[0]
    page.post("/theme/", {"theme": "dark"})
    page.cookies["tz"] = "Asia%2FTokyo"
    text = page.get("/").text
    assert 'data-theme="dark"' in text
    assert "Times in Asia/Tokyo" in text
    page.cookies["theme"], page.cookies["tz"] = '"><b>', "../../etc/passwd"
    text = page.get("/").text
    assert "<b>" not in text
    assert "Times in UTC" in text
    assert page.post("/theme/", {"theme": "pink"}).cookies.get("theme") is None


def test_a_page_that_is_not_there_looks_like_the_others(page: Client):
    answer = page.get("/nowhere/")
    assert answer.status_code == 404
    assert "No such page" in answer.text


def test_the_names_templates_ask_of_the_admin_exist():
    for name in ("rotation_key_add", "rotation_pool_changelist", "rotation_clientkey_add"):
        assert reverse(f"admin:{name}").startswith("/admin/")
