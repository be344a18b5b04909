"""The registry as a file: out and in again, by hand and by chance."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rotation.control.by import By
from rotation.discovery import registry
from rotation.discovery.registry.comments import Comments, written
from rotation.discovery.registry.document import Document, Model, Pool
from rotation.discovery.registry.reading import read
from rotation.discovery.registry.stored import stored
from rotation.discovery.registry.writing import lines
from rotation.models import (
    AuditEvent,
    Deployment,
    DeploymentStatus,
    Door,
    LifeStep,
    Placement,
    RegistryEdition,
    Verification,
)
from rotation.models import Pool as PoolRow
from tests.models import rows

pytestmark = pytest.mark.django_db
BY = By("git", Door.COMMAND)
NO_SHRINKING = [Phase.explicit, Phase.reuse, Phase.generate]  # documents are large: it would take minutes
THEN = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
names = texts.map(lambda text: text + "x")
moments = st.integers(1_700_000_000, 1_900_000_000).map(lambda at: dt.datetime.fromtimestamp(at, dt.UTC))
maybe_flag = st.sampled_from([None, True, False])
prices = st.none() | st.decimals(0, 1000, places=6).map(lambda p: p.normalize() + 0)
scores = st.none() | st.floats(0, 5).map(lambda s: round(s, 2))
wholes = st.integers(0, 2**31 - 1)
floats = st.floats(-1e6, 1e6).map(lambda f: round(f, 6) + 0.0)
json_leaves = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts | floats
json = st.dictionaries(texts, json_leaves | st.lists(json_leaves, max_size=3), max_size=3)
verdict = st.fixed_dictionaries({
    "verdict": st.sampled_from(["verified", "incompatible"]), "score": scores, "low": scores, "high": scores,
    "trials": wholes, "latency_ms": st.none() | st.integers(0, 10**6).map(float), "first_ms": st.none(),
    "cause": texts, "reason": texts, "at": moments,
})  # fmt: skip
model = st.builds(
    Model,
    st.fixed_dictionaries({
        "label": texts, "family": texts, "status": st.sampled_from(DeploymentStatus.values), "reason": texts,
        "context": st.none() | wholes, "max_output": st.none() | wholes, "input": st.lists(names, max_size=3),
        "tools": maybe_flag, "parallel_tools": maybe_flag, "json_schema": maybe_flag, "images": maybe_flag,
        "reasoning": st.booleans(), "free": st.booleans(), "price_in": prices, "price_out": prices,
        "price_source": st.sampled_from(["", "operator", "listing"]),
        "starting_latency_s": st.none() | st.floats(0, 900).map(lambda s: round(s, 4)),
        "tags": st.lists(names, max_size=2), "lacks": st.lists(names, max_size=2), "born_at": st.none() | moments,
        "expires_on": st.none() | st.dates(dt.date(2024, 1, 1)),
    }),
    st.dictionaries(names, verdict, max_size=3),
)  # fmt: skip
pool_fields = st.fixed_dictionaries({
    "label": texts, "strategy": st.sampled_from(["ordered", "fastest"]), "preset": st.just("balanced"),
    "policy": st.just({}) | st.just({"patience": 5.5}), "discovery": st.sampled_from(["automatic", "off", "propose"]),
    "admits": json, "canary_share": st.sampled_from([0.01, 0.03, 0.05]), "reordering": st.just("propose"),
})  # fmt: skip
member = st.fixed_dictionaries({
    "position": st.integers(-5, 999), "pinned": st.booleans(), "enabled": st.booleans(),
    "canary": st.none() | st.sampled_from([0.01, 0.05]), "why": texts,
})  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> Document:
    models = {p: draw(st.dictionaries(names, model, max_size=3)) for p in ("groq", "openrouter")}
    known = [f"{provider}/{name}" for provider, many in models.items() for name in many]
    members = st.dictionaries(st.sampled_from(known), member, max_size=4) if known else st.just({})
    pools = draw(st.dictionaries(st.sampled_from(["auto", "code"]), st.builds(Pool, pool_fields, members), max_size=2))
    return Document(draw(st.integers(1, 99)), models, pools)


def text_of(document: Document) -> str:
    return written(lines(document), Comments())


@settings(phases=NO_SHRINKING)
@given(documents())
def test_what_is_written_reads_the_same(document):
    text = text_of(document)
    assert read(text) == document
    assert text_of(read(text)) == text
    assert all(line.isprintable() or line == "" for line in text.split("\n"))


@settings(max_examples=20, phases=NO_SHRINKING)
@given(documents(), documents())
def test_a_file_that_was_brought_in_comes_out_again_and_changes_nothing(first, second):
    with transaction.atomic():
        for name in ("groq", "openrouter"):
            rows.provider(name=name)
        registry.bring_in(BY, text_of(first))
        assert stored() == Document(0, first.models, first.pools)
        exported = registry.text(BY, existing=text_of(first))
        assert exported == text_of(first)
        assert registry.compare(exported).differences == []
        registry.bring_in(BY, text_of(second))
        now = stored()
        assert {n: now.pools[n] for n in second.pools} == second.pools
        assert all(
            now.models[p][m].fields == one.fields for p, many in second.models.items() for m, one in many.items()
        )
        assert registry.bring_in(BY, text_of(second)).differences == []
        transaction.set_rollback(True)


@pytest.fixture
def groq(db):
    provider = rows.provider(name="groq")
    quick = rows.deployment(provider=provider, model_id="quick-8b", family="quick", context=8192, free=True,
                            price_in=Decimal("0.05"), status="verified")  # fmt: skip
    Verification.objects.create(deployment=quick, capability="tools", verdict="verified", score=4.9, low=4.6, high=5,
                                trials=5, latency_ms=812.4, at=THEN)  # fmt: skip
    Verification.objects.create(deployment=quick, capability="vision", verdict="incompatible", cause="feature missing",
                                reason="says: no images, please", at=THEN)  # fmt: skip
    rows.pool(name="auto").place(quick, position=1, why="quickest")
    return provider


def test_a_file_is_read_by_people(groq):
    assert registry.text(BY).split("\n", 2)[2] == (
        "version: 1\n"
        "models:\n"
        "  groq:\n"
        "    quick-8b:\n"
        "      family: quick\n"
        "      status: verified\n"
        "      context: 8192\n"
        "      free: true\n"
        "      price_in: 0.05\n"
        "      verified:\n"
        "        tools: {score: 4.9, low: 4.6, high: 5, trials: 5, latency_ms: 812, at: 2026-03-01T12:00:00Z}\n"
        "      incompatible:\n"
        '        vision: {cause: feature missing, reason: "says: no images, please", at: 2026-03-01T12:00:00Z}\n'
        "pools:\n"
        "  auto:\n"
        "    strategy: ordered\n"
        "    members:\n"
        "    - model: groq/quick-8b\n"
        "      position: 1\n"
        "      why: quickest\n"
    )


def test_the_version_rises_with_a_real_change_and_only_then(groq):
    first = registry.text(BY)
    assert registry.text(BY, existing=first) == first == registry.text(BY)
    Deployment.objects.update(context=16_384)
    second = registry.text(BY, existing=first)
    differing = [pair for pair in zip(first.splitlines(), second.splitlines(), strict=True) if pair[0] != pair[1]]
    assert differing == [("version: 1", "version: 2"), ("      context: 8192", "      context: 16384")]
    Deployment.objects.update(context=32_768)
    assert "version: 3\n" in registry.text(BY)
    assert list(RegistryEdition.objects.values_list("version", flat=True)) == [3, 2, 1]


def test_comments_stay_where_they_were_written_and_none_is_lost(groq):
    text = registry.text(BY)
    text = text.replace("    quick-8b:", "    # our favourite\n    quick-8b:")
    text = text.replace("context: 8192", "context: 8192  # they say # twice")
    text = text.replace("        vision:", "        # asked them in March\n        vision:") + "# the end\n"
    assert registry.text(BY, existing=text) == text
    Verification.objects.filter(capability="vision").delete()
    rows.deployment(provider=groq, model_id="a-first")
    again = registry.text(BY, existing=text)
    for comment in ("# our favourite\n", "8192  # they say # twice", "# asked them in March", "# the end"):
        assert comment in again
    assert registry.text(BY, existing=again) == again


def test_bringing_in_changes_signs_and_tells(groq):
    text = registry.text(BY).replace("context: 8192", "context: 4096").replace("status: verified", "status: archived")
    text = text.replace("price_in: 0.05", "price_in: 0.06").replace("position: 1", "position: 7")
    text += "  night:\n    members: [{model: groq/quick-8b, position: 1, canary: 0.02}]\n"
    found = registry.bring_in(BY, text)
    assert sorted(map(str, found.differences)) == [
        "+ pool night",
        "+ pool night groq/quick-8b",
        "~ groq/quick-8b context: 8192 -> 4096",
        "~ groq/quick-8b price_in: 0.05 -> 0.06",
        "~ groq/quick-8b status: verified -> archived",
        "~ pool auto groq/quick-8b position: 1 -> 7",
    ]
    row = Deployment.objects.get()
    assert (row.context, row.status, row.price_in) == (4096, "archived", Decimal("0.06"))
    assert LifeStep.objects.get().step == "archived"
    assert Placement.objects.get(pool__name="night").canary == 0.02
    told = AuditEvent.objects.filter(door="command", actor="git")
    assert sorted(told.values_list("action", "object_type")) == [
        ("change", "deployment"),
        ("change", "placement"),
        ("import", "pool"),
        ("import registry", "registryedition"),
        ("place", "placement"),
    ]


def test_a_member_that_is_not_named_leaves_the_pool_and_other_providers_members_stay(groq):
    text = registry.text(BY)
    auto = PoolRow.objects.get(name="auto")
    auto.place(rows.deployment(provider=groq, model_id="later"))
    auto.place(rows.deployment(provider=rows.provider(name="sim-x", simulated=True), model_id="twin"))
    assert [str(one) for one in registry.bring_in(BY, text).differences] == ["- pool auto groq/later"]
    assert {p.deployment.model_id for p in auto.placements.all()} == {"quick-8b", "twin"}
    assert Deployment.objects.filter(model_id="later").exists()


def test_comparing_changes_nothing(groq):
    text = registry.text(BY).replace("8192", "1")
    before = AuditEvent.objects.count()
    assert len(registry.compare(text).differences) == 1
    assert (Deployment.objects.get().context, AuditEvent.objects.count()) == (8192, before)


def test_an_older_file_says_so(groq):
    text = registry.text(BY)
    Deployment.objects.update(context=1)
    registry.text(BY)
    assert registry.compare(text).older
