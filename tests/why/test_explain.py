"""Why this model: from what was stored, in words with numbers; nothing that came later counts."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from rotation.models import Request
from rotation.why import NotStored, explain, explained
from rotation.why.stored import deployments_of, needs_of, policy_of, rows_of
from tests.dashboard.calls import HOSTILE, attempt, call, ledger
from tests.why.world import NEEDS, World

pytestmark = pytest.mark.django_db


def test_the_answer_says_place_numbers_and_quota(world: World):
    world.past(world.bob, ["ok"] * 19 + ["overloaded"], hours=3, total=1_700)
    found = explain(world.rotated())
    place, numbers, quota = found.chosen.words
    assert place == (
        "It was 2nd in the order of the pool code (policy v41). "
        "Before it: groq/maker/ada was tried: rate-limited: 60 requests per minute."
    )
    assert numbers.startswith("In the 24 hours before, 95.0% of 20 attempts were answered, half of them within 1.")
    assert quota == "Of its limits, 5,400 of 12,000 tokens left this minute, this call needs about 2,060."
    assert found.chosen.row is found.rows[1]
    assert found.rows[1].words.startswith("next in order; 95.0% of 20 in 24 h, p50 1.")
    assert found.rows[1].words.endswith("5,400 of 12,000 tokens left this minute, this call needs about 2,060")
    assert [(row.place, row.state) for row in found.rows] == [(1, "tried"), (2, "answered")]
    assert [(t.n, t.outcome, t.start_ms, t.total_ms) for t in found.tries] == [
        (1, "rate_limited", 0.5, 140.0), (2, "ok", 141.0, 2_120.0),
    ]  # fmt: skip
    assert (found.needs, found.policy.version, found.policy.strategy) == (NEEDS, 41, "ordered")


def test_what_came_after_the_call_does_not_count(world: World):
    at = timezone.now() - timedelta(hours=5)
    uuid7 = world.rotated(at=at)
    world.past(world.bob, ["ok"] * 3, hours=6)
    world.past(world.bob, ["overloaded"] * 50, hours=1)
    measured = explain(uuid7).rows[1].measured
    assert measured is not None
    assert (measured.attempts, measured.answered) == (3, 3)


def test_of_a_model_nobody_tried_before_it_says_so(world: World):
    request = Request.objects.get(id=world.rotated(at=timezone.now() - timedelta(days=20)))
    assert "Nothing was measured of it in the 24 hours before." in explained(request, []).chosen.words


def test_a_call_nobody_answered_says_how_many_were_asked(world: World):
    tries = [attempt(world.ada, outcome="overloaded"), attempt(world.bob, n=2, outcome="overloaded")]
    one, none = ledger([call(tries, asked="code"), call([], outcome="refused", status=401, error="no such key")])
    assert explain(one).chosen.words == (
        "Nobody answered (failed); 2 attempts were made in vain. The client was told: nothing answered",
    )
    assert explain(none).chosen.words == (
        "Nobody answered (refused); no model was asked. The client was told: no such key",
    )


def test_a_request_that_is_not_stored_is_told_so(db: None):
    with pytest.raises(NotStored, match="older than what is kept"):
        explain(uuid.uuid4())


def test_an_explanation_asks_a_bounded_number_of_questions(
    world: World, django_assert_max_num_queries: DjangoAssertNumQueries
):
    uuid7 = world.rotated()
    with django_assert_max_num_queries(21):
        explain(uuid7)


def test_an_explanation_is_json_without_secrets(world: World):
    text = json.dumps(explain(world.rotated()).as_json())
    assert json.loads(text)["chosen"]["row"]["target"] == "groq/maker/bob"
    assert "sk-" not in text
    assert world.key.sealed not in text


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = "state why target deployment until score quota order keyless models version strategy"
KEPT = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys([*NAMES.split(), *NEEDS], ANY_JSON),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(KEPT | ANY_JSON, max_size=4) | ANY_JSON, KEPT | ANY_JSON, KEPT | ANY_JSON)
def test_whatever_is_stored_can_be_read(trace: Any, needs: Any, policy: Any):
    request = Request(trace=trace, needs=needs, policy=policy, tokens_in=10, stream=True, pool="auto")
    rows = rows_of(request, {}, 100)
    assert all(isinstance(row.words, str) for row in rows)
    assert deployments_of(request) >= {row.deployment for row in rows if row.deployment is not None}
    read, guessed = needs_of(request)
    assert read.prompt_tokens >= 0 or not guessed
    assert policy_of(request).pool == "auto"


def test_an_old_line_without_needs_is_explained_with_what_is_known(world: World):
    found = explain(world.rotated(needs=None, policy=None))
    assert found.needs == {}
    assert found.policy.order is None
    assert found.chosen.words[0].startswith("It was 2nd in the order of the pool code. Before it:")
    assert found.present.assumed.startswith("What this call needed was not kept")
    assert found.present.first is not None


def test_hostile_text_is_carried_as_text(world: World):
    found = explain(world.rotated(trace=[world.row(world.bob, "tried", HOSTILE)], error=HOSTILE))
    assert "<script>alert('x')</script>" in found.rows[0].words
