from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from rotation.models import AuditEvent, BreakerState, Cooldown, LearnedLimit
from tests.models import rows


@pytest.fixture
def trouble(db):
    later = timezone.now() + dt.timedelta(hours=1)
    return (
        Cooldown.objects.create(scope="key:1", until=later),
        BreakerState.objects.create(scope="deployment:2", state="open", until=later, opens=3),
        LearnedLimit.objects.create(scope="account:3", axis="requests", limit=20, window_s=60),
    )


def lift(browser, at, row):
    return browser.post(at(row._meta.model_name), {"action": "lift", "_selected_action": [row.pk]}, follow=True)


def test_trouble_is_lifted_and_written_down(browser, at, trouble, audited):
    for row in trouble:
        assert "1 lifted" in lift(browser, at, row).content.decode()
    assert not Cooldown.objects.get().cooling
    assert BreakerState.objects.get().state == "closed"
    assert not LearnedLimit.objects.exists()
    assert audited() == [
        ("olga", "lift", "cooldown"),
        ("olga", "lift", "breakerstate"),
        ("olga", "lift", "learnedlimit"),
    ]


def act(browser, at, row, action):
    return browser.post(at(row._meta.model_name), {"action": action, "_selected_action": [row.pk]}, follow=True)


def test_a_breaker_is_forced_open_switched_off_and_set_back(browser, at, trouble, audited):
    row = trouble[1]
    for action, state in (("force_open", "forced_open"), ("switch_off", "disabled"), ("lift", "closed")):
        act(browser, at, row, action)
        row.refresh_from_db()
        assert (row.state, row.until, row.opens) == (state, None, 0)
    assert audited() == [("olga", action, "breakerstate") for action in ("force_open", "switch_off", "lift")]


@pytest.mark.parametrize("kind", ["deployment", "provider"])
def test_a_breaker_is_set_where_what_it_stands_for_is_listed(browser, at, audited, kind):
    deployment = rows.deployment()
    row = deployment if kind == "deployment" else deployment.provider
    for action, state in (("force_open", "forced_open"), ("switch_off", "disabled"), ("back_to_normal", "closed")):
        assert "1 set to" in act(browser, at, row, action).content.decode()
        assert BreakerState.objects.get(scope=f"{kind}:{row.pk}").state == state
    assert [kind for _, _, kind in audited()] == ["breakerstate"] * 3


def test_who_may_change_models_only_cannot_touch_their_breakers(at, db):
    row = rows.deployment()
    editor = User.objects.create(username="editor", is_staff=True)
    editor.user_permissions.add(*Permission.objects.filter(codename__in=["view_deployment", "change_deployment"]))
    browser = Client()
    browser.force_login(editor)
    act(browser, at, row, "force_open")
    assert not BreakerState.objects.exists()


def test_who_may_only_look_cannot_lift(at, trouble):
    viewer = User.objects.create(username="viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_cooldown"))
    browser = Client()
    browser.force_login(viewer)
    assert browser.get(at("cooldown")).status_code == 200
    lift(browser, at, trouble[0])
    assert Cooldown.objects.get().cooling


def test_an_audit_event_shows_what_changed_and_escapes_it(browser, at, trouble):
    event = AuditEvent.objects.record(
        "olga", "change", trouble[0], before={"label": "<script>alert(1)</script>"}, after={"label": "b"}
    )
    html = browser.get(at("auditevent", "change", event.pk)).content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html


def test_what_is_done_to_schedules_and_people_is_written_down_too(browser, audited):
    every = IntervalSchedule.objects.create(every=1, period="hours")
    task = PeriodicTask.objects.create(name="prune", task="x", interval=every)
    url = "/admin/django_celery_beat/periodictask/"
    browser.post(url, {"action": "disable_tasks", "_selected_action": [task.pk]})
    task.refresh_from_db()
    assert not task.enabled
    person = {"username": "peter", "password1": "a-long-password-1", "password2": "a-long-password-1"}
    assert browser.post("/admin/auth/user/add/", {**person, "usable_password": "true"}).status_code == 302
    peter = User.objects.get(username="peter")
    new = {"password1": "another-password-2", "password2": "another-password-2", "usable_password": "true"}
    assert browser.post(f"/admin/auth/user/{peter.pk}/password/", new).status_code == 302
    assert audited() == [("olga", "disable_tasks", "periodictask"), ("olga", "add", "user"), ("olga", "change", "user")]
    assert "argon2" not in str(list(AuditEvent.objects.values()))
