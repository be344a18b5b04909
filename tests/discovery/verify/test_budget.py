"""What verification may use of an account's limits: its share of each day, half of each minute, evenly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rotation.discovery.verify import queue, runs
from rotation.discovery.verify.budget import NEVER, Budget
from rotation.discovery.verify.desk import Desk
from rotation.models import Deployment, LearnedLimit, VerificationTask
from tests.models import rows

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 10, 9, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def free() -> Deployment:
    """A free model of an OpenRouter account with credit: 20 a minute and 1,000 a day."""
    from tests.discovery.verify.virtual import office

    return office(plan="credit", models=["a/one:free", "b/two:free", "c/paid"]).deployments.get(model_id="a/one:free")


def budget(deployment: Deployment, now: datetime = NOON) -> Budget:
    return Budget(deployment.provider_id, now)


def spend(deployment: Deployment, count: int, at: datetime) -> None:
    run = runs.start("ada", [deployment], capabilities=["short_answer"], trials=count)
    run.tasks.update(claimed_at=at, asked=1, state="done")


def test_the_first_question_may_go_at_once(free: Deployment):
    assert budget(free).leave(free.pk, "short_answer", NOON).at == NOON


def test_half_of_a_minutes_limit_evenly_spread(free: Deployment):
    known = budget(free)
    known.ask(free.pk, "short_answer", NOON)
    leave = known.leave(free.pk, "code", NOON)
    assert leave.at == NOON + 6 * SECOND
    assert leave.why == "verification may use 10 requests a minute"
    assert leave.ids == set(Deployment.objects.filter(free=True).values_list("pk", flat=True))
    paid = Deployment.objects.get(model_id="c/paid")
    assert known.leave(paid.pk, "code", NOON).at == NOON


def test_the_share_of_a_day_and_then_tomorrow(free: Deployment):
    spend(free, 199, NOON - timedelta(hours=3))
    spend_ends = budget(free).leave(free.pk, "code", NOON)
    assert spend_ends.at == NOON
    spend(free, 1, NOON - timedelta(hours=2))
    leave = budget(free).leave(free.pk, "code", NOON)
    assert leave.at == datetime(2025, 10, 10, tzinfo=UTC)
    assert leave.why == "verification may use 200 requests a day"
    tomorrow = datetime(2025, 10, 10, 0, 0, 1, tzinfo=UTC)
    assert budget(free, tomorrow).leave(free.pk, "code", tomorrow).at == tomorrow


def test_the_share_is_the_operators(free: Deployment):
    spend(free, 20, NOON - timedelta(hours=3))
    accounts = free.provider.accounts
    accounts.update(verify_share=0.01)
    assert budget(free).leave(free.pk, "code", NOON).at > NOON
    accounts.update(verify_share=1.0)
    assert budget(free).leave(free.pk, "code", NOON).at == NOON
    accounts.update(verify_share=0)
    assert budget(free).leave(free.pk, "code", NOON).at == NEVER


def test_a_limit_that_was_told_is_better_than_the_plans_table(free: Deployment):
    account = free.provider.accounts.get()
    LearnedLimit.objects.create(scope=f"account:{account.pk}/free", axis="requests", limit=40, window_s=60)
    known = budget(free)
    known.ask(free.pk, "code", NOON)
    assert known.leave(free.pk, "code", NOON).at == NOON + 3 * SECOND


def test_two_accounts_give_twice_as_much_and_one_without_a_usable_key_nothing(free: Deployment):
    key = rows.key("sk-sim-openrouter-second-1", account=rows.account(provider=free.provider, label="two", plan="free"))
    known = budget(free)
    known.ask(free.pk, "code", NOON)
    assert known.leave(free.pk, "code", NOON).at == NOON + 3 * SECOND
    assert [bound.allowed for bound in known.bounds(free.pk) if bound.window > 60] == [210]
    key.mark("invalid")
    assert [bound.allowed for bound in budget(free).bounds(free.pk) if bound.window > 60] == [200]


def test_tokens_of_a_minute_bound_the_haystack_and_are_waited_for():
    from tests.discovery.verify.virtual import office

    deployment = office("groq", plan="free", models=["llama-3.1-8b-instant"], context=131_072).deployments.get()
    known = budget(deployment)
    assert known.room(deployment.pk) == 3_000  # half of 6,000 a minute
    known.ask(deployment.pk, "long_context", NOON)
    wait = known.leave(deployment.pk, "short_answer", NOON).at - NOON
    assert timedelta(seconds=40) < wait <= timedelta(seconds=120)


def test_claims_of_other_workers_count(free: Deployment):
    spend(free, 1, NOON - 2 * SECOND)
    assert budget(free).leave(free.pk, "code", NOON).at == NOON + 4 * SECOND
    VerificationTask.objects.update(asked=0)
    assert budget(free).leave(free.pk, "code", NOON).at == NOON


def test_the_outlook_says_when_it_ends(free: Deployment, settings: Any):
    many = [rows.deployment(provider=free.provider, model_id=f"x/{n}:free", free=True) for n in range(60)]
    run = runs.start("ada", many)
    now = timezone.now().replace(hour=9)
    seen = runs.outlook(run, now)
    assert seen.left == 60 * 11 * 2
    assert (seen.models, seen.models_done, seen.share) == (60, 0, 0)
    assert seen.why == "verification may use 200 requests a day"
    assert seen.ends_at is not None
    assert (seen.ends_at.date() - now.date()).days == 6


def test_two_workers_use_no_more_than_one(free: Deployment):
    """Ten a minute are one every six seconds, whoever of them asks, and 200 a day are 200."""
    moment = NOON
    run = runs.start("ada", Deployment.objects.filter(free=True), trials=3)
    run.tasks.update(due_at=NOON)
    one, other = (Desk(run, lambda: moment) for _ in range(2))
    assert one.take() is not None
    moment = NOON + 6 * SECOND
    assert other.take() is not None
    moment = NOON + 7 * SECOND
    assert one.take() is None, "its own last question was seven seconds ago, the other's one"
    assert "10 requests a minute" in one.why
    for task in VerificationTask.objects.filter(state="under_way"):
        queue.let_go(task)
