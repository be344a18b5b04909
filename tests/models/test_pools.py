from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from rotation.models import Pool
from rotation.models.pools import placements_in_order
from tests.models import rows

pytestmark = pytest.mark.django_db


def test_placing_goes_to_the_end_of_the_line_and_raises_the_version():
    pool = rows.pool()
    first, second = (pool.place(rows.deployment()) for _ in range(2))
    assert (first.position, second.position, pool.version) == (1, 2, 3)


def test_a_generic_providers_deployment_joins_last_and_does_not_push_others_behind_it():
    pool = rows.pool()
    generic = rows.deployment(provider=rows.provider(kind="generic"))
    assert pool.place(generic).position == 999
    assert pool.place(rows.deployment()).position == 1


def test_a_deployment_has_one_place_in_a_pool():
    pool, deployment = rows.pool(), rows.deployment()
    placement = pool.place(deployment, position=5)
    assert pool.place(deployment, position=1) == placement
    assert pool.placements.get().position == 5
    with pytest.raises(IntegrityError), transaction.atomic():
        pool.placements.create(deployment=deployment)


def test_moving_says_why_and_raises_the_version():
    pool = rows.pool()
    placement = pool.place(rows.deployment())
    placement.move(7, "slower than the rest")
    pool.refresh_from_db()
    assert (placement.position, placement.why, pool.version) == (7, "slower than the rest", 3)


def test_the_order_is_read_in_one_query(django_assert_num_queries):
    pool = rows.pool()
    for position in (3, 1, 2):
        pool.place(rows.deployment(), position=position)
    with django_assert_num_queries(1):
        names = [(p.position, p.deployment.name) for p in placements_in_order(pool)]
    assert [position for position, _ in names] == [1, 2, 3]


@pytest.mark.parametrize("policy", [{"patiense": 5}, [], "fast"])
def test_a_policy_knob_that_does_not_exist_is_refused(policy):
    with pytest.raises(ValidationError) as error:
        Pool(name="x", policy=policy).full_clean()
    assert "policy" in error.value.message_dict


@pytest.mark.parametrize("wrong", [{"strategy": "random"}, {"preset": "wild"}])
def test_the_database_itself_refuses_an_unknown_strategy_or_preset(wrong):
    pool = rows.pool()
    with pytest.raises(IntegrityError), transaction.atomic():
        Pool.objects.filter(pk=pool.pk).update(**wrong)
