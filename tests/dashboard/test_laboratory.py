"""The laboratory's pages: a candidate is written, replayed, read and adopted; traces come and go."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from rotation.control import laboratory as control
from rotation.control.by import By
from rotation.models import Door, Pool, Replay, ReplayState, Role, Trace
from rotation.replay import work
from tests.replay.test_trace import GOOD
from tests.replay.yesterday import Yesterday

pytestmark = pytest.mark.django_db
BY = By("olga", Door.PAGE)
QUICK_FIRST = "groq/quick\ngroq/slow\ngroq/spare"


@pytest.fixture
def yesterday():
    return Yesterday()


@pytest.fixture
def viewer(client, django_user_model):
    from rotation.roles import give

    user = django_user_model.objects.create_user("vera")
    give(user, Role.VIEWER)
    client.force_login(user)
    return client


def said(response):
    return response.content.decode()


def sent(page, **more):
    return page.post(reverse("laboratory"), {"traffic": "1", "order": QUICK_FIRST, "seed": "1", **more})


def done(yesterday, **candidate):
    row = control.request(BY, yesterday.pool, candidate=candidate or {"order": ["quick"]}, here=True)
    work.play(row.pk)
    row.refresh_from_db()
    assert row.state == ReplayState.DONE, row.error
    return row


def test_the_form_starts_from_the_present_order(page, yesterday):
    shown = said(page.get(reverse("laboratory")))
    assert "groq/slow\ngroq/quick\ngroq/spare" in shown
    assert "Nothing was replayed yet" in shown


def test_a_hand_made_order_is_asked_for(page, yesterday):
    yesterday.calls(20)
    answer = sent(page, knobs="patience = 4\nmax_attempts=3", strategy="fastest")
    row = Replay.objects.get()
    assert answer.url == reverse("replay", args=[row.pk])
    assert row.candidate == {
        "order": QUICK_FIRST.split("\n"),
        "add": [],
        "leave_out": [],
        "strategy": "fastest",
        "policy": {"patience": 4, "max_attempts": 3},
    }
    assert (row.by, row.state) == ("alice", ReplayState.WAITING)


def test_a_line_taken_out_leaves_a_model_out_and_a_new_one_adds_it(page, yesterday):
    yesterday.calls(20)
    sent(page, order="groq/other\ngroq/slow")
    found = Replay.objects.get().candidate
    assert (found["add"], found["leave_out"]) == (["groq/other"], ["groq/quick", "groq/spare"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"order": "groq/slow\ngroq/quick\ngroq/spare"}, "how the pool works already"),
        ({"order": "groq/quack"}, "There is no model"),
        ({"knobs": "patience"}, "Write a knob as name = value"),
        ({"knobs": "colour = red"}, "unknown policy knob"),
        ({"traffic": "99"}, "Select a valid choice"),
        ({"seed": "-1"}, "greater than or equal to 0"),
        ({"order": "nul\0"}, "Null characters are not allowed"),
    ],
    ids=["same", "unknown", "knob", "colour", "traffic", "seed", "nul"],
)
def test_what_cannot_be_replayed_is_said_beside_its_field(page, yesterday, wrong, words):
    yesterday.calls(5)
    answer = sent(page, **wrong)
    assert answer.status_code == 422
    assert words in said(answer)
    assert not Replay.objects.exists()


def test_an_empty_window_is_said(page, yesterday):
    assert "had no calls from" in said(sent(page))


def test_progress_is_shown_until_it_is_done(page, yesterday):
    yesterday.calls(20)
    row = control.request(BY, yesterday.pool, candidate={"order": ["quick"]}, here=True)
    shown = said(page.get(reverse("replay", args=[row.pk])))
    assert "Waiting for a worker" in shown
    assert "data-live" in shown
    Replay.objects.filter(pk=row.pk).update(state=ReplayState.RUNNING, progress=0.42)
    assert 'value="42"' in said(page.get(reverse("replay", args=[row.pk])))
    Replay.objects.filter(pk=row.pk).update(state=ReplayState.FAILED, error="The pool auto had no calls.")
    shown = said(page.get(reverse("replay", args=[row.pk])))
    assert "The pool auto had no calls." in shown
    assert "data-live" not in shown


def test_the_result_has_figures_intervals_coverage_and_charts(page, yesterday):
    yesterday.calls(120)
    row = done(yesterday)
    shown = said(page.get(reverse("replay", args=[row.pk])))
    for words in (
        "Mean time to the answer",
        "95 % interval",
        "Coverage: for",
        "better",
        'class="compare"',
        "whisker",
        "Who answered",
        "Quota spent",
        "order: groq/quick, groq/slow, groq/spare",
        "Seed 1",
    ):
        assert words in shown, words
    assert "to an answer, better" in said(page.get(reverse("laboratory")))


def test_the_result_as_files(page, yesterday):
    yesterday.calls(60)
    address = reverse("replay", args=[done(yesterday).pk])
    text = b"".join(page.get(address, {"format": "csv"}).streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    mean = next(row for row in rows if row["figure"] == "mean")
    assert float(mean["difference_low"]) < float(mean["difference"]) < float(mean["difference_high"]) < 0
    told = json.loads(page.get(address, {"format": "json"}).content)
    assert told["result"]["calls"] == 60


def test_adopting_changes_the_pool(page, yesterday):
    yesterday.calls(60)
    row = done(yesterday)
    answer = page.post(reverse("adopt_replay", args=[row.pk]))
    assert answer.url == f"{reverse('rotation')}?pool=auto"
    first = yesterday.pool.placements.order_by("position").first()
    assert first.deployment == yesterday.quick
    page.post(reverse("adopt_replay", args=[row.pk]))
    assert "how the pool works already" in said(page.get(reverse("replay", args=[row.pk])))


def test_a_replay_and_a_trace_are_removed_after_a_question(page, yesterday):
    yesterday.calls(20)
    row, trace = done(yesterday), control.import_trace(BY, "azure", GOOD)
    for address in (reverse("remove_replay", args=[row.pk]), reverse("remove_trace", args=[trace.pk])):
        assert "Remove" in said(page.get(address))
        assert page.post(address).url == reverse("laboratory")
    assert (Replay.objects.count(), Trace.objects.count()) == (0, 0)


def test_a_trace_is_imported_and_offered(page, yesterday):
    address = reverse("import_trace")
    assert 'enctype="multipart/form-data"' in said(page.get(address))
    page.post(address, {"name": "azure", "file": SimpleUploadedFile("a.csv", GOOD)})
    assert "Trace azure (2 calls)" in said(page.get(reverse("laboratory")))
    sent(page, traffic=f"trace:{Trace.objects.get().pk}")
    assert Replay.objects.get().trace.name == "azure"


def test_a_broken_trace_says_which_lines(page, yesterday):
    broken = SimpleUploadedFile("a.csv", b"time,prompt,answer\n1,1,1\nx,1,1\n")
    answer = page.post(reverse("import_trace"), {"name": "azure", "file": broken})
    assert answer.status_code == 422
    assert "line 3: &#x27;x&#x27; is no time" in said(answer)
    assert not Trace.objects.exists()


def test_hostile_names_are_shown_as_text(page, yesterday):
    yesterday.calls(30)
    hostile = "<script>alert(1)</script>\u202e" + "x" * 80
    control.import_trace(BY, hostile[:120], GOOD)
    yesterday.quick.model_id = hostile
    yesterday.quick.save()
    row = done(yesterday, order=[yesterday.quick.pk])
    for address in (reverse("laboratory"), reverse("replay", args=[row.pk])):
        shown = said(page.get(address))
        assert "<script>alert" not in shown


def test_who_may_only_look_sees_results_and_changes_nothing(viewer, yesterday):
    yesterday.calls(20)
    row = done(yesterday)
    shown = said(viewer.get(reverse("laboratory")))
    assert 'id="replay-now"' not in shown
    assert 'id="adopt"' not in said(viewer.get(reverse("replay", args=[row.pk])))
    for address in (
        reverse("laboratory"),
        reverse("adopt_replay", args=[row.pk]),
        reverse("import_trace"),
        reverse("remove_replay", args=[row.pk]),
    ):
        assert viewer.post(address).status_code == 403


def test_without_any_pool_the_next_step_is_told(page):
    Pool.objects.all().delete()
    assert "There is no pool yet" in said(page.get(reverse("laboratory")))
