"""The Rotation page: the order with its reasons, moved by hand; proposals decided; changes with their difference."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from rotation.models import AuditEvent, Placement, Pool, RegretReport, Reordering, ReorderingState, Replay, Role
from rotation.reorder.orders import picture
from tests.models import rows
from tests.replay.yesterday import Yesterday

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\u202e" + "x" * 3000


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


def order(pool):
    return list(pool.placements.order_by("position").values_list("deployment__model_id", flat=True))


def proposal(yesterday, **more):
    placed = list(yesterday.pool.placements.select_related("deployment__provider").order_by("position"))
    before = picture(placed)
    turned = [placed[1], placed[0], placed[2]]
    after = [{**one, "position": before[n]["position"]} for n, one in enumerate(picture(turned))]
    after[0]["why"] = "2025-10-13 12:00 UTC: quick is quicker: 1.0 s against 3.0 s"
    evidence = {
        "hours": 24,
        "deployments": [
            {"name": "groq/quick", "ok": 90, "failed": 7, "rate_limited": 3, "mean_ms": 1000, "expected_ms": 1100}
        ],
        "swaps": [{"up_name": "groq/quick", "down_name": "groq/slow", "confidence": 0.993, "hours": 9, "made": True}],
    }
    return Reordering.objects.create(
        **{
            "pool": yesterday.pool,
            "before": before,
            "after": after,
            "evidence": evidence,
            "confidence": 0.993,
            "reason": "groq/quick from place 2 to 1",
            **more,
        }
    )


def said(response):
    return response.content.decode()


def test_the_order_stands_there_with_its_reasons(page, yesterday):
    Placement.objects.filter(deployment=yesterday.quick).update(why="measured: 1.0 s to an answer", pinned=True)
    Placement.objects.filter(deployment=yesterday.spare).update(canary=0.03)
    shown = said(page.get(reverse("rotation")))
    assert shown.index("slow") < shown.index("quick") < shown.index("spare")
    for words in ("measured: 1.0 s to an answer", "pinned", "canary 3", "Move slow down", "Look now", "Exploration"):
        assert words in shown, words


def test_moved_by_button_without_a_script(page, yesterday):
    answer = page.post(
        reverse("order_rotation", args=[yesterday.pool.pk]), {"deployment": yesterday.quick.pk, "way": "up"}
    )
    assert answer.status_code == 302
    assert answer.url == f"{reverse('rotation')}?pool=auto"
    assert order(yesterday.pool) == ["quick", "slow", "spare"]
    assert AuditEvent.objects.filter(action="arrange", actor="alice", door="page").exists()
    assert Reordering.objects.get().reason.endswith("put in order by alice")


def test_dragged_with_a_script_the_list_comes_back_alone(page, yesterday):
    ids = [yesterday.spare.pk, yesterday.slow.pk, yesterday.quick.pk]
    answer = page.post(
        reverse("order_rotation", args=[yesterday.pool.pk]),
        {"order": ",".join(map(str, ids)), "version": yesterday.pool.version},
        headers={"HX-Request": "true", "HX-Target": "live"},
    )
    assert "<html" not in said(answer)
    assert order(yesterday.pool) == ["spare", "slow", "quick"]


@pytest.mark.parametrize(
    "sent",
    [{"order": "1,2"}, {"order": "x"}, {}, {"deployment": "9" * 30, "way": "up"}],
    ids=["part", "text", "none", "long"],
)
def test_an_order_of_somebody_else_s_pool_is_not_taken(page, yesterday, sent):
    page.post(reverse("order_rotation", args=[yesterday.pool.pk]), sent)
    assert order(yesterday.pool) == ["slow", "quick", "spare"]
    assert "Somebody has changed this pool meanwhile" in said(page.get(reverse("rotation")))


def test_a_stale_version_changes_nothing(page, yesterday):
    seen = yesterday.pool.version
    yesterday.pool.touch()
    ids = [yesterday.spare.pk, yesterday.slow.pk, yesterday.quick.pk]
    page.post(reverse("order_rotation", args=[yesterday.pool.pk]), {"order": ",".join(map(str, ids)), "version": seen})
    assert order(yesterday.pool) == ["slow", "quick", "spare"]


def test_pinned_and_loosened(page, yesterday):
    place = yesterday.pool.placements.get(deployment=yesterday.slow)
    for on in ("1", "0"):
        page.post(reverse("pin_place", args=[place.pk]), {"on": on})
        place.refresh_from_db()
        assert place.pinned is (on == "1")


@pytest.mark.parametrize(("decision", "state"), [("apply", "applied"), ("hold", "held"), ("reject", "rejected")])
def test_a_proposal_is_decided(page, yesterday, decision, state):
    change = proposal(yesterday)
    shown = said(page.get(reverse("rotation")))
    assert "Proposed order" in shown
    assert "quick is quicker: 1.0 s against 3.0 s" in shown
    page.post(reverse("decide_order", args=[change.pk, decision]))
    change.refresh_from_db()
    assert (change.state, change.decided_by) == (state, "alice")
    assert order(yesterday.pool)[0] == ("quick" if decision == "apply" else "slow")


def test_an_applied_change_is_undone_and_said_to_be(page, yesterday):
    change = proposal(yesterday)
    page.post(reverse("decide_order", args=[change.pk, "apply"]))
    assert f'id="undo-{change.pk}"' in said(page.get(reverse("rotation")))
    page.post(reverse("decide_order", args=[change.pk, "undo"]))
    assert order(yesterday.pool) == ["slow", "quick", "spare"]
    assert "undone by alice" in said(page.get(reverse("rotation")))
    page.post(reverse("decide_order", args=[change.pk, "undo"]))
    assert "was undone already" in said(page.get(reverse("rotation")))
    assert page.post(reverse("decide_order", args=[change.pk, "explode"])).status_code == 404


def test_a_proposal_is_replayed_on_yesterday(page, yesterday):
    yesterday.calls(30)
    change = proposal(yesterday)
    answer = page.post(reverse("replay_order", args=[change.pk]))
    assert answer.url == reverse("replay", args=[Replay.objects.get().pk])
    assert Replay.objects.get().candidate["order"][0] == yesterday.quick.pk


def test_without_calls_the_replay_says_why_not(page, yesterday):
    page.post(reverse("replay_order", args=[proposal(yesterday).pk]))
    assert "had no calls from" in said(page.get(reverse("rotation")))
    assert not Replay.objects.exists()


def test_looking_now_says_what_was_found(page, yesterday):
    page.post(reverse("look_at_order", args=[yesterday.pool.pk]))
    assert "no other order is likely enough" in said(page.get(reverse("rotation")))


def test_one_change_with_its_difference_and_evidence(page, yesterday):
    change = proposal(yesterday, state=ReorderingState.ROLLED_BACK, watched={"words": "1.9 s against 1.2 s before"})
    shown = said(page.get(reverse("order_change", args=[change.pk])))
    for words in (
        "rolled back",
        "Before and after",
        "<ins>1</ins>",
        "<del>2</del>",
        "What was measured",
        "Pairs compared",
        "99.3",
        '<td class="num">100</td>',
        "1.9 s against 1.2 s before",
    ):
        assert words in shown, words


def test_the_history_is_a_list_with_files(page, yesterday):
    proposal(yesterday, state=ReorderingState.KEPT)
    proposal(yesterday, state=ReorderingState.REJECTED)
    shown = said(page.get(reverse("order_history"), {"state": "kept"}))
    assert "groq/quick from place 2 to 1" in shown
    told = page.get(reverse("order_history"), {"format": "csv"})
    assert len(b"".join(told.streaming_content).splitlines()) == 3


def test_the_regret_is_told(page, yesterday):
    words = "A call took 2.70 s; the best fixed order in hindsight, with groq/quick first, 1.00 s"
    RegretReport.objects.create(
        pool=yesterday.pool, week="2025-10-13", result={"words": words, "rule": "all 400 calls"}
    )
    assert words in said(page.get(reverse("rotation")))


def test_this_week_s_regret_on_demand(page, yesterday):
    page.post(reverse("report_regret", args=[yesterday.pool.pk]))
    assert "at least a hundred calls" in said(page.get(reverse("rotation")))


def test_hostile_names_and_broken_records_are_shown_as_text(page, yesterday):
    yesterday.slow.model_id = HOSTILE[:255]
    yesterday.slow.save()
    Placement.objects.update(why=HOSTILE)
    for broken in (
        {"before": [{"deployment": 1}], "after": "x", "evidence": [1]},
        {"reason": HOSTILE},
        {"evidence": {"deployments": [3, {"name": HOSTILE}], "swaps": [{"up_name": None}]}, "watched": [1]},
    ):
        change = proposal(yesterday, state=ReorderingState.KEPT, **broken)
        shown = said(page.get(reverse("order_change", args=[change.pk])))
        assert "<script>alert" not in shown
    for name in ("rotation", "order_history"):
        answer = page.get(reverse(name))
        assert answer.status_code == 200
        assert "<script>alert" not in said(answer)


def test_who_may_only_look_sees_no_button_and_moves_nothing(viewer, yesterday):
    change = proposal(yesterday)
    shown = said(viewer.get(reverse("rotation")))
    assert "Proposed order" in shown
    for words in ("Apply</button>", "Look now", "data-order", "Move slow down", "Report this week"):
        assert words not in shown, words
    for address in (
        reverse("decide_order", args=[change.pk, "apply"]),
        reverse("look_at_order", args=[yesterday.pool.pk]),
        reverse("order_rotation", args=[yesterday.pool.pk]),
    ):
        assert viewer.post(address).status_code == 403
    assert order(yesterday.pool) == ["slow", "quick", "spare"]


def test_pools_have_tabs_and_an_unknown_one_is_not_found(page, yesterday):
    rows.pool(name="zebra")
    shown = said(page.get(reverse("rotation"), {"pool": "zebra"}))
    assert "Nobody stands in it" in shown
    assert page.get(reverse("rotation"), {"pool": "nix"}).status_code == 404


def test_without_any_pool_the_next_step_is_told(page):
    Pool.objects.all().delete()
    assert "There is no pool yet" in said(page.get(reverse("rotation")))


def test_the_page_is_sent_again_only_when_something_changed(page, yesterday):
    shown = said(page.get(reverse("rotation")))
    state = shown.partition("state=")[2].partition('"')[0].partition("&")[0]
    told = {"HX-Request": "true", "HX-Target": "live"}
    assert page.get(reverse("rotation"), {"state": state}, headers=told).status_code == 204
    Reordering.objects.create(pool=yesterday.pool, at=timezone.now() - timedelta(hours=1))
    assert page.get(reverse("rotation"), {"state": state}, headers=told).status_code == 200


def test_an_order_shown_again_asks_for_its_next_self_at_the_address_of_its_pool(page, world):
    pool = Pool.objects.get(name="code")
    first = pool.placements.select_related("deployment").order_by("position", "pk")[0]
    told = {"deployment": first.deployment_id, "way": "down"}
    text = page.post(f"/rotation/{pool.pk}/order/", told, headers={"HX-Request": "true", "HX-Target": "live"}).text
    address = text.split('data-live hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert address.startswith("/rotation/?pool=code&state=")
    assert page.get(address, headers={"HX-Request": "true", "HX-Target": "live"}).status_code == 204
