from __future__ import annotations

from typing import Any

from rotation.models import Pool
from tests.admin.forms import errors, formset
from tests.models import rows

RULES = {"discovery": "propose", "reordering": "automatic", "canary_share": "0.03", "admits": "{}"}


def sent(pool: Pool, new: list[dict[str, Any]] | None = None, **changed: Any) -> dict[str, Any]:
    standing = [
        {"id": p.pk, "pool": pool.pk, "position": p.position, "enabled": "on" if p.enabled else "", "why": p.why}
        for p in pool.placements.order_by("position", "id")
    ]
    start = {"name": pool.name, "label": "", "strategy": "ordered", "preset": "balanced", "policy": "{}", **RULES}
    return {
        **start,
        **formset("placements", standing, initial=len(standing)),
        **formset("placements-2", new),
        **changed,
    }


def test_a_pool_is_made_with_its_places(browser, at, audited):
    deployments = [rows.deployment() for _ in range(2)]
    new = [{"position": n, "deployment": d.pk, "enabled": "on"} for n, d in enumerate(deployments, 1)]
    data = {"name": "quick", "strategy": "fastest", "preset": "seed", "policy": '{"patience": 5}', **RULES}
    # the two inlines share their model: a new pool has both, the first one empty
    response = browser.post(at("pool", "add"), {**data, **formset("placements"), **formset("placements-2", new)})
    assert response.status_code == 302, errors(response)
    pool = Pool.objects.get()
    assert [p.deployment for p in pool.placements.all()] == deployments
    assert audited() == [("olga", "add", "placement"), ("olga", "add", "placement"), ("olga", "add", "pool")]


def test_places_are_moved_switched_off_and_taken_away_and_the_version_rises(browser, at, audited):
    pool = rows.pool()
    first, second, third = (pool.place(rows.deployment()) for _ in range(3))
    version = pool.version
    moved = {"placements-0-position": 9, "placements-1-enabled": "", "placements-2-DELETE": "on"}
    data = sent(pool) | formset("placements-2") | moved
    data["placements-TOTAL_FORMS"] = 3
    assert browser.post(at("pool", "change", pool.pk), data).status_code == 302
    pool.refresh_from_db()
    assert [(p.pk, p.position, p.enabled) for p in pool.placements.all()] == [
        (second.pk, 2, False),
        (first.pk, 9, True),
    ]
    assert pool.version == version + 1
    assert sorted(action for _, action, kind in audited() if kind == "placement") == ["change", "change", "delete"]
    assert third.deployment is not None


def test_saving_a_pool_as_it_is_changes_no_version(browser, at, audited):
    pool = rows.pool()
    pool.place(rows.deployment())
    version = pool.version
    assert browser.post(at("pool", "change", pool.pk), sent(pool)).status_code == 302
    pool.refresh_from_db()
    assert pool.version == version
    assert audited() == []


def test_a_place_is_added_and_a_second_one_for_the_same_deployment_refused(browser, at):
    pool, deployment = rows.pool(), rows.deployment()
    url = at("pool", "change", pool.pk)
    new = [{"position": 1, "deployment": deployment.pk, "enabled": "on"}]
    assert browser.post(url, sent(pool, new)).status_code == 302
    again = browser.post(url, sent(pool, new))
    assert again.status_code == 200
    assert "already has a place" in again.content.decode()
    assert pool.placements.count() == 1


def test_a_policy_knob_that_does_not_exist_is_said_and_stays_as_typed(browser, at):
    pool = rows.pool()
    response = browser.post(at("pool", "change", pool.pk), sent(pool, policy='{"patiense": 5}'))
    assert "patiense" in errors(response)["policy"][0]
    assert "patiense" in response.context["adminform"].form["policy"].value()


def test_deployments_are_found_by_typing(browser, at):
    rows.deployment(model_id="meta-llama/llama-3.3-8b-instruct:free", provider=rows.provider(name="openrouter"))
    query = {"app_label": "rotation", "model_name": "placement", "field_name": "deployment", "term": "3.3-8b"}
    answer = browser.get("/admin/autocomplete/", query).json()
    assert [row["text"] for row in answer["results"]] == ["openrouter/meta-llama/llama-3.3-8b-instruct:free"]
