from __future__ import annotations

import datetime as dt
import json
import math
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from rotation.models import AuditEvent, Request
from rotation.models.audit import changed, picture
from rotation.models.columns import storable
from rotation.models.scopes import in_words
from tests.models import rows

pytestmark = pytest.mark.django_db


def test_a_picture_is_plain_json_with_its_secrets_hidden_but_their_change_seen():
    key = rows.key()
    before = picture(key)
    assert json.loads(json.dumps(before)) == before
    assert key.sealed not in str(before)
    assert key.fingerprint not in str(before)
    key.put_secret("sk-another-0123456789abcdef")
    then, now = changed(before, picture(key))
    assert {"sealed", "fingerprint", "last4"} <= set(now)
    assert then["sealed"].startswith("(hidden, #")
    assert then["sealed"] != now["sealed"]


def test_every_kind_of_value_has_its_place_in_a_picture():
    request = Request(at=timezone.now(), id=uuid.uuid4(), cost="0.1", trace=[{"a": 1}])
    assert json.dumps(picture(request))
    deployment = rows.deployment(price_in="0.05", listed_at=dt.datetime(2025, 10, 25, tzinfo=dt.UTC))
    assert picture(deployment)["listed_at"] == "2025-10-25T00:00:00+00:00"


def test_an_event_knows_what_it_is_about_and_what_differs():
    pool = rows.pool()
    event = AuditEvent.objects.record("olga", "change", pool, before={"a": 1, "b": 2}, after={"a": 1, "b": 3})
    assert list(AuditEvent.objects.about(pool)) == [event]
    assert event.differences == [("b", 2, 3)]
    assert str(event) == f"olga change pool {pool.pk}"


def test_scopes_are_named_with_one_query_per_kind(django_assert_num_queries):
    keys = [rows.key(account=rows.account(provider=rows.provider(name=f"groq{n}", label=f"Groq {n}"))) for n in "123"]
    deployment = rows.deployment(provider=keys[0].account.provider, model_id="llama")
    scopes = [f"key:{key.pk}/deployment:{deployment.pk}" for key in keys]
    scopes += [
        f"account:{keys[0].account_id}/free",
        f"provider:{keys[0].account.provider_id}",
        "key:0",
        "nonsense",
        "a:b",
    ]
    with django_assert_num_queries(4):
        words = in_words(scopes)
    assert words[scopes[0]] == "Groq 1 · main · key …ghij · groq1/llama"
    assert words[scopes[3]] == "Groq 1 · main · free"
    assert words[scopes[4]] == "Groq 1"
    assert [words[scope] for scope in ("key:0", "nonsense", "a:b")] == ["key:0", "nonsense", "a:b"]


@pytest.mark.parametrize("value", [math.nan, {"a": math.inf}, ["\ud800"], {"\0": 1}, {"a": ["b\0"]}])
def test_json_that_postgres_cannot_keep_is_refused(value):
    with pytest.raises(ValidationError, match="cannot be stored"):
        storable(value)


@pytest.mark.parametrize("value", [{}, [], None, {"a": [1, 2.5, "é", "😀", None, True]}])
def test_other_json_is_fine(value):
    storable(value)
