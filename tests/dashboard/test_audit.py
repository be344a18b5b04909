from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard.views.audit import differences, told
from rotation import roles
from rotation.control.by import By
from rotation.models import AuditEvent, Door, Pool, Role
from tests.dashboard.calls import HOSTILE

pytestmark = pytest.mark.django_db


@pytest.fixture
def changes(world: None) -> Pool:
    """A pool changed by Alice in the browser, and by a job before her."""
    pool = Pool.objects.get(name="auto")
    for by, strategy in ((By("rotation", Door.JOB), "fastest"), (By("alice", Door.PAGE), "cheapest")):
        with by.changing(pool):
            pool.strategy = strategy
            pool.save()
    return pool


def test_a_change_says_who_how_what_and_from_what_to_what(page: Client, changes: Pool):
    text = page.get("/audit/").text
    assert "strategy: fastest → cheapest" in text
    assert "alice" in text
    assert "change pool" in text


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ("door=job", "ordered → fastest", "fastest → cheapest"),
        ("q=alice", "fastest → cheapest", "ordered → fastest"),
        ("kind=pool", "fastest → cheapest", "no such text"),
        ("at_to=2020-01-01T00:00", "Nothing fits these filters", "fastest"),
        ("door=window&kind=%00&at=never", "fastest → cheapest", "no such text"),
    ],
)
def test_it_is_searched_by_person_door_thing_and_time(page: Client, changes: Pool, query: str, seen: str, unseen: str):
    table = page.get(f"/audit/?{query}", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="listing-audit").text
    assert seen in table
    assert unseen not in table


def test_one_change_is_shown_whole_as_a_page_and_as_a_dialog(page: Client, changes: Pool):
    event = AuditEvent.objects.about(changes).first()
    assert event is not None
    whole = page.get(f"/audit/{event.pk}/").text
    assert '<del class="quote">fastest</del>' in whole
    assert '<ins class="quote">cheapest</ins>' in whole
    assert "<html" in whole
    assert "<html" not in page.get(f"/audit/{event.pk}/", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="dialog").text
    assert page.get("/audit/999999999/").status_code == 404


def test_files_hold_both_sides_whole(page: Client, changes: Pool):
    answer: Any = page.get("/audit/?format=csv&q=alice")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert json.loads(rows[0]["before"])["strategy"] == "fastest"
    assert rows[0]["door"] == "Page"


def test_what_was_made_or_removed_has_no_line_of_differences():
    made = AuditEvent(action="add", before=None, after={"name": "x", "enabled": True})
    assert told(made) == ""
    assert [(d.name, d.before, d.after) for d in differences(made)] == [("name", None, "x"), ("enabled", None, "true")]


def test_many_and_long_differences_are_cut_in_the_line_and_whole_on_the_page():
    event = AuditEvent(before={str(n): "b" * 500 for n in range(9)}, after={str(n): None for n in range(9)})
    assert told(event).endswith("and 6 more")
    assert len(told(event)) < 400
    assert differences(event)[0].before == "b" * 500


def test_hostile_names_are_text(page: Client, world: None):
    event = AuditEvent.objects.create(
        actor=HOSTILE[:150], action="x", about=HOSTILE[:300], before={"n": HOSTILE}, after={}
    )
    assert "<script>alert" not in page.get("/audit/").text
    assert "<script>alert" not in page.get(f"/audit/{event.pk}/").text


def test_a_viewer_does_not_see_it_and_an_operator_does(client: Client, db: None):
    bob = User.objects.create(username="bob")
    client.force_login(bob)
    assert client.get("/audit/").status_code == 403
    roles.give(bob, Role.OPERATOR)
    assert client.get("/audit/").status_code == 200


def test_an_empty_audit_says_what_will_be_there(page: Client):
    assert "Nothing was changed yet" in page.get("/audit/").text


def test_pages_follow_each_other_without_doubles(page: Client, db: None):
    now = timezone.now()
    AuditEvent.objects.bulk_create(
        [AuditEvent(actor="a", action=f"did{n}", at=now - timedelta(seconds=n // 10)) for n in range(120)]
    )
    seen: list[str] = []
    address = "/audit/"
    while address:
        text = page.get(address).text
        seen += [part.split("<")[0].split()[0] for part in text.split('<td class="break">did')[1:]]
        more = text.split('">Next')[0].rpartition('href="')[2] if '">Next' in text else ""
        address = f"/audit/{more}".replace("&amp;", "&") if more else ""
    assert sorted(map(int, seen)) == list(range(120))
