"""Every page of the admin, at once: it opens, keeps to the content policy, and asks the same whatever it shows."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from rotation import client_keys
from rotation.admin.audited import ReadOnly
from rotation.models import (
    AuditEvent,
    BreakerState,
    CatalogueChange,
    Cooldown,
    DiscoveryRun,
    JobRun,
    JournalFile,
    LearnedLimit,
    Reordering,
    Trip,
    Verification,
)
from tests.models import rows

PAGES = sorted(admin.site._registry, key=lambda model: model._meta.label)
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)


def furnish(times: int) -> None:
    """One row of everything, so many times."""
    now = timezone.now()
    for _ in range(times):
        key = rows.key(account=rows.account())
        deployment = rows.deployment(provider=key.account.provider)
        pool = rows.pool()
        pool.place(deployment)
        pool.place(rows.deployment())
        client_keys.issue("client")
        scope = f"account:{key.account_id}/deployment:{deployment.pk}"
        Cooldown.objects.create(scope=scope, until=now)
        BreakerState.objects.create(scope=f"key:{key.pk}", state="open")
        LearnedLimit.objects.create(scope=scope, axis="requests", limit=30, window_s=60)
        Trip.objects.create(scope=f"provider:{key.account.provider_id}", before="closed", after="open")
        JournalFile.objects.create(name=str(uuid.uuid4()))
        JobRun.objects.create(job=str(uuid.uuid4()), slot=now, ended_at=now)
        run = DiscoveryRun.objects.create(provider=key.account.provider)
        CatalogueChange.objects.create(run=run, provider=run.provider, model_id="m", change="price", before={"in": 1})
        Verification.objects.create(deployment=deployment, capability="tools", verdict="verified")
        Reordering.objects.create(pool=pool)
        AuditEvent.objects.record("olga", "change", pool, before={"a": 1}, after={"a": 2})
        every, _ = IntervalSchedule.objects.get_or_create(every=times, period="hours")
        crontab, _ = CrontabSchedule.objects.get_or_create(minute="0")
        PeriodicTask.objects.create(name=str(uuid.uuid4()), task="x", interval=every)
        PeriodicTask.objects.create(name=str(uuid.uuid4()), task="x", crontab=crontab)


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def opened(browser: Client, url: str, **query: str) -> str:
    response = browser.get(url, query)
    assert response.status_code == 200, url
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    html = response.content.decode()
    assert not INLINE.search(html), f"{url}: {INLINE.search(html)}"
    return html


def test_every_page_opens_and_keeps_to_the_content_policy(browser):
    furnish(2)
    for model in PAGES:
        page = admin.site._registry[model]
        opened(browser, address(model, "changelist"), **({"q": "\0'; --" + "é" * 500} if page.search_fields else {}))
        request = browser.get(address(model, "changelist")).wsgi_request
        if page.has_add_permission(request):
            opened(browser, address(model, "add"))
        if row := model.objects.first():
            opened(browser, address(model, "change", row.pk))
            if page.has_delete_permission(request, row):
                opened(browser, address(model, "delete", row.pk))


def test_a_longer_list_asks_the_database_no_more(browser):
    def asked(model: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            browser.get(address(model, "changelist"))
        return len(queries)

    furnish(2)
    for model in PAGES:
        asked(model)  # content types are remembered from now on
    short = {model: asked(model) for model in PAGES}
    furnish(5)
    long = {model: asked(model) for model in PAGES}
    assert {model: asks for model, asks in long.items() if asks > short[model]} == {}


def test_what_only_the_engine_writes_cannot_be_changed_by_hand(browser):
    furnish(1)
    read_only = [model for model in PAGES if isinstance(admin.site._registry[model], ReadOnly)]
    assert len(read_only) == 11
    for model in read_only:
        row = model.objects.first()
        assert browser.get(address(model, "add")).status_code == 403
        assert browser.post(address(model, "change", row.pk), {"reason": "x"}).status_code == 403
        assert browser.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_the_admin_is_closed_to_strangers_and_to_accounts_without_the_right(client, django_user_model):
    url = reverse("admin:rotation_key_changelist")
    assert client.get(url).status_code == 302
    client.force_login(django_user_model.objects.create(username="viewer"))
    assert client.get(url).status_code == 302
    client.force_login(django_user_model.objects.create(username="clerk", is_staff=True))
    assert client.get(url).status_code == 403


def test_a_pool_of_any_length_opens_with_the_same_number_of_questions(browser):
    pool = rows.pool()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            browser.get(reverse("admin:rotation_pool_change", args=[pool.pk]))
        return len(queries)

    pool.place(rows.deployment())
    asked()
    short = asked()
    for _ in range(10):
        pool.place(rows.deployment())
    assert asked() <= short


def test_scopes_are_said_in_words(browser):
    key = rows.key(account=rows.account(provider=rows.provider(name="groq", label="Groq")))
    deployment = rows.deployment(provider=key.account.provider, model_id="llama")
    until = timezone.now() + dt.timedelta(minutes=1)
    Cooldown.objects.create(scope=f"account:{key.account_id}/deployment:{deployment.pk}", until=until)
    Cooldown.objects.create(scope="key:99999999999999999999/free", until=until)
    html = opened(browser, reverse("admin:rotation_cooldown_changelist"))
    assert "Groq · main · groq/llama" in html
    assert "key:99999999999999999999" in html
