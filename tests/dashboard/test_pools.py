"""Pools, as a person uses the pages."""

from __future__ import annotations

from dataclasses import fields

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from dashboard.forms.pools import PoolForm, read
from dashboard.knobs import ALL, knobs_of, written
from dashboard.queries.pools import merged, shifted
from rotation.core.policy import Policy
from rotation.models import Deployment, Placement, Pool, Role
from rotation.models.pools import placements_in_order
from tests.dashboard.calls import HOSTILE
from tests.dashboard.test_providers import browser_of

SIMPLE = {"strategy": "ordered", "preset": "balanced", "discovery": "propose", "reordering": "automatic",
          "canary_percent": "3"}  # fmt: skip


@pytest.fixture
def auto(world: None) -> Pool:
    return Pool.objects.get(name="auto")


def order_of(pool: Pool, *, simulated: bool = True) -> list[int]:
    rows = placements_in_order(pool).filter(deployment__provider__simulated=simulated)
    return list(rows.values_list("deployment_id", flat=True))


def test_every_knob_of_the_policy_has_its_meaning():
    assert set(ALL) == {knob.name for knob in fields(Policy)}


@given(st.lists(st.integers(0, 50), unique=True, min_size=1), st.data())
def test_moving_what_is_seen_leaves_what_is_not_where_it_stands(full: list[int], data: st.DataObject):
    seen = [one for one in full if data.draw(st.booleans())]
    new = data.draw(st.permutations(seen))
    after = merged(full, new)
    assert [one for one in after if one in seen] == list(new)
    assert all(a == b for a, b in zip(full, after, strict=True) if b not in seen)


@given(st.lists(st.integers(), unique=True, min_size=1), st.data())
def test_one_goes_a_step_or_all_the_way_and_nobody_is_lost(order: list[int], data: st.DataObject):
    one = data.draw(st.sampled_from(order))
    for way, place in {"first": 0, "last": len(order) - 1}.items():
        assert shifted(order, one, way).index(one) == place
    up, down = shifted(order, one, "up"), shifted(order, one, "down")
    assert sorted(up) == sorted(down) == sorted(order)
    assert up.index(one) == max(0, order.index(one) - 1)
    assert down.index(one) == min(len(order) - 1, order.index(one) + 1)


@pytest.mark.django_db
def test_a_button_moves_a_model_and_real_ones_stay_where_they_stand(page: Client, auto: Pool):
    before, real = order_of(auto), order_of(auto, simulated=False)
    url = f"/pools/{auto.pk}/order/"
    page.post(url, {"deployment": before[2], "way": "up", "version": auto.version})
    assert order_of(auto) == [before[0], before[2], before[1], *before[3:]]
    assert order_of(auto, simulated=False) == real


@pytest.mark.django_db
def test_a_row_dragged_is_an_order_sent_and_the_members_come_back_alone(page: Client, auto: Pool):
    wanted = list(reversed(order_of(auto)))
    answer = page.post(
        f"/pools/{auto.pk}/order/",
        {"order": ",".join(map(str, wanted)), "version": auto.version},
        headers={"HX-Target": "live", "HX-Request": "true"},
    )
    assert answer.text.startswith('<div id="live"')
    assert f'hx-get="/pools/{auto.pk}/?state=' in answer.text
    assert order_of(auto) == wanted


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [{"order": "1,2,3"}, {"order": "x"}, {}, {"deployment": "1", "way": "sideways"}])
def test_an_order_that_is_none_changes_nothing_and_says_so(page: Client, auto: Pool, sent: dict[str, str]):
    before = order_of(auto)
    answer = page.post(f"/pools/{auto.pk}/order/", sent, follow=True)
    assert "changed this pool meanwhile" in answer.text
    assert order_of(auto) == before


@pytest.mark.django_db
def test_two_editors_notice_each_other(page: Client, auto: Pool):
    before = order_of(auto)
    sent = {"deployment": before[2], "way": "up", "version": auto.version}
    page.post(f"/pools/{auto.pk}/order/", sent)
    answer = page.post(f"/pools/{auto.pk}/order/", sent, follow=True)
    assert "Somebody else has changed this" in answer.text
    assert order_of(auto).index(before[2]) == 1


@pytest.mark.django_db
def test_a_place_is_pinned_switched_off_made_a_canary_and_given_up(page: Client, auto: Pool):
    place = placements_in_order(auto).filter(deployment__provider__simulated=True)[1]
    for what in ("pinned", "canary"):
        page.post(f"/pools/members/{place.pk}/change/", {"what": what, "on": "1"})
    page.post(f"/pools/members/{place.pk}/change/", {"what": "enabled", "on": "0"})
    place.refresh_from_db()
    assert (place.pinned, place.canary, place.enabled) == (True, auto.canary_share, False)
    text = page.get(f"/pools/{auto.pk}/").text
    assert "canary 3 %" in text
    assert "switched off here" in text
    page.post(f"/pools/members/{place.pk}/remove/")
    assert not Placement.objects.filter(pk=place.pk).exists()


@pytest.mark.django_db
def test_a_model_joins_at_a_place_and_once(page: Client, auto: Pool):
    model = Deployment.objects.filter(provider__simulated=True).exclude(placements__pool=auto).first()
    assert model is not None
    url = f"/pools/{auto.pk}/members/add/"
    wrong = page.post(url, {"deployment": "999999", "position": "0"})
    assert wrong.status_code == 422
    page.post(url, {"deployment": model.pk, "position": "1", "canary": "on"})
    assert order_of(auto)[0] == model.pk
    assert page.post(url, {"deployment": model.pk}).status_code == 422


@pytest.mark.django_db
def test_a_pool_is_made_changed_and_removed_and_auto_stays(page: Client, auto: Pool):
    wrong = page.post("/pools/add/", {**SIMPLE, "name": "a b", "canary_percent": "9", "label": "Typed"})
    assert wrong.status_code == 422
    assert 'value="Typed"' in wrong.text
    page.post("/pools/add/", {**SIMPLE, "name": "mine", "free": "on", "families": "llama, qwen", "context": "32000"})
    pool = Pool.objects.get(name="mine")
    assert pool.admits == {"free": True, "families": ["llama", "qwen"], "context": 32_000}
    page.post(f"/pools/{pool.pk}/change/", {**SIMPLE, "name": "mine", "strategy": "fastest", "canary_percent": "5"})
    pool.refresh_from_db()
    assert (pool.strategy, pool.canary_share, pool.admits) == ("fastest", 0.05, {})
    page.post(f"/pools/{pool.pk}/remove/")
    assert not Pool.objects.filter(pk=pool.pk).exists()
    assert "auto stays" in page.post(f"/pools/{auto.pk}/remove/", follow=True).text


@pytest.mark.django_db
def test_a_form_gives_back_what_a_pool_holds_also_wishes_it_does_not_know(auto: Pool):
    auto.admits = {"free": True, "capabilities": ["tools"], "max_price_in": 0.5, "new": 1}
    told = PoolForm(pool=auto).initial
    form = PoolForm({**told, "more": '{"new": 1}', "canary_percent": 3}, pool=auto)
    assert form.is_valid(), form.errors
    assert form.wanted["admits"] == auto.admits


@pytest.mark.django_db
def test_single_knobs_are_turned_beside_what_the_preset_says(page: Client, auto: Pool):
    url = f"/pools/{auto.pk}/policy/"
    wrong = page.post(url, {"patience": "soon", "max_attempts": "0", "failure_share": "off"})
    assert wrong.status_code == 422
    assert "Write a number." in wrong.text
    assert 'value="soon"' in wrong.text
    assert page.post(url, {"max_attempts": "0"}).status_code == 422  # a knob no policy can have
    page.post(url, {"patience": "5", "failure_share": "off", "panic": "false", "breaker_scope": "pool", "rest": ""})
    auto.refresh_from_db()
    assert auto.policy == {"patience": 5.0, "failure_share": None, "panic": False, "breaker_scope": "pool"}
    turned = {t.name: t for _, group in knobs_of(auto) for t in group}
    assert (turned["patience"].own, turned["patience"].words, turned["patience"].preset_words) == (True, "5 s", "10 s")
    assert not turned["rest"].own
    assert "preset: 10 s" in page.get(f"/pools/{auto.pk}/").text
    page.post(url, {"rest": ""})
    auto.refresh_from_db()
    assert auto.policy == {}


def test_knobs_are_read_and_written_in_the_words_of_people():
    assert (read("failure_share", "off"), read("patience", "1,5"), read("panic", "true")) == (None, 1.5, True)
    assert [written(v, u) for v, u in ((None, "share"), (0.5, "share"), (30.0, "s"), (True, ""), ("pool", ""))] == [
        "off", "50 %", "30 s", "yes", "the whole pool",
    ]  # fmt: skip


@pytest.mark.django_db
def test_hostile_reasons_and_names_are_text(page: Client, auto: Pool):
    Placement.objects.update(why=HOSTILE)
    Deployment.objects.filter(placements__pool=auto).update(label=HOSTILE[:200])
    Pool.objects.update(label=HOSTILE[:120])
    for url in ("/pools/", f"/pools/{auto.pk}/", f"/pools/{auto.pk}/members/add/"):
        text = page.get(url).text
        assert "<script>alert" not in text
        assert "x" * 400 not in text


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.OPERATOR, 302), (Role.ADMIN, 302)])
def test_operators_put_pools_in_order_viewers_look(auto: Pool, role: Role, status: int):
    browser = browser_of(role)
    text = browser.get(f"/pools/{auto.pk}/").text
    assert ("data-order" in text) is (status == 302)
    assert browser.post(f"/pools/{auto.pk}/order/", {"order": ""}).status_code == status


@pytest.mark.parametrize("page_of", ["/pools/{}/order/", "/rotation/{}/order/"])
@pytest.mark.parametrize(
    "sent", [{"deployment": "9" * 5000, "way": "up"}, {"order": "9" * 5000}, {"deployment": "٣", "way": "up"}],
    ids=["endless", "endless order", "Arabic digits"],
)  # fmt: skip
def test_an_order_that_cannot_be_meant_changes_nothing(page: Client, auto: Pool, page_of: str, sent: dict[str, str]):
    before = order_of(auto)
    assert page.post(page_of.format(auto.pk), {**sent, "version": "9" * 5000}).status_code == 302
    assert order_of(auto) == before


def test_who_joins_is_looked_for_whatever_was_typed(page: Client, auto: Pool):
    assert page.get(f"/pools/{auto.pk}/members/add/", {"q": "\0"}).status_code == 200
