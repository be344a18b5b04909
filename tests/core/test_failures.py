"""The table of failures is whole: nothing in it is missing, unused or in contradiction with itself."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from rotation.core.failures import TABLE, Blame, Consequence, Failure, FailureKind, Rotate

FINAL = {Rotate.NO, Rotate.TOO_LATE}


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_has_a_row_with_words_and_a_status(kind):
    row = TABLE[kind]
    assert 400 <= row.status <= 599
    assert row.words == row.words.strip() != ""
    assert len(row.words) <= 40


def test_the_table_has_no_row_without_a_kind():
    assert set(TABLE) == set(FailureKind)


def test_every_way_to_rotate_is_used():
    assert {row.rotate for row in TABLE.values()} == set(Rotate)


def test_every_consequence_is_used():
    assert {row.consequence for row in TABLE.values()} == set(Consequence)


def test_every_blame_is_used_or_is_an_adapters_to_say():
    """That free models are limited per account only the adapter knows."""
    assert {row.blame for row in TABLE.values()} | {Blame.ACCOUNT_FREE} == set(Blame)


def test_the_words_tell_the_kinds_apart():
    assert len({row.words for row in TABLE.values()}) == len(TABLE)


def test_words_that_are_stored_are_lower_case_identifiers():
    for enum in (FailureKind, Blame, Rotate, Consequence):
        for member in enum:
            assert member.value == member.name.lower()


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.RATE_LIMITED,
        FailureKind.QUOTA_DAY,
        FailureKind.UPSTREAM_BUSY,
        FailureKind.BAD_CREDENTIAL,
        FailureKind.OUT_OF_CREDIT,
        FailureKind.NOT_PERMITTED,
        FailureKind.MODEL_GONE,
        FailureKind.LACKS_FEATURE,
        FailureKind.TOO_LONG,
        FailureKind.TOO_LARGE_FOR_BUDGET,
        FailureKind.CONTENT_POLICY,
        FailureKind.GENERATION_FAILED,
        FailureKind.BAD_REQUEST,
        FailureKind.CANCELLED,
        FailureKind.OUT_OF_TIME,
    ],
)
def test_what_says_nothing_about_a_models_health_never_counts_for_a_breaker(kind):
    assert TABLE[kind].consequence not in {Consequence.COUNT, Consequence.COUNT_PROVIDER}


@pytest.mark.parametrize("kind", [FailureKind.OVERLOADED, FailureKind.TIMED_OUT, FailureKind.STALLED,
                                  FailureKind.INTERRUPTED])  # fmt: skip
def test_what_a_sick_model_does_counts_for_its_breaker(kind):
    assert (TABLE[kind].consequence, TABLE[kind].blame) == (Consequence.COUNT, Blame.DEPLOYMENT)


def test_only_an_unreachable_provider_counts_for_the_providers_breaker():
    assert [k for k, row in TABLE.items() if row.consequence is Consequence.COUNT_PROVIDER] == [FailureKind.UNREACHABLE]
    assert TABLE[FailureKind.UNREACHABLE].blame is Blame.PROVIDER


@pytest.mark.parametrize("kind", [kind for kind, row in TABLE.items() if row.blame in {Blame.CALLER, Blame.REQUEST,
                                                                                      Blame.NOBODY}])  # fmt: skip
def test_what_is_nobodys_or_the_callers_fault_benches_nobody(kind):
    assert TABLE[kind].consequence in {Consequence.NOTHING, Consequence.RELEASE}


@pytest.mark.parametrize("kind", [FailureKind.CONTENT_POLICY, FailureKind.BAD_REQUEST])
def test_a_callers_fault_is_told_to_the_caller_and_not_tried_elsewhere(kind):
    assert TABLE[kind].rotate in FINAL
    assert TABLE[kind].status == 400


def test_a_refused_key_of_ours_is_never_the_clients_401():
    assert 401 not in {row.status for row in TABLE.values()}
    assert 402 not in {row.status for row in TABLE.values()}


def test_what_rotates_has_somebody_to_rotate_away_from_or_a_call_that_is_too_large():
    for kind, row in TABLE.items():
        if row.rotate is Rotate.AWAY and row.blame is Blame.NOBODY:
            assert kind is FailureKind.TOO_LARGE_FOR_BUDGET


def test_a_failure_reads_its_row_and_may_blame_somebody_else():
    limited = Failure(FailureKind.RATE_LIMITED, retry_after=3.0)
    assert limited.row is TABLE[FailureKind.RATE_LIMITED]
    assert limited.blames is Blame.ACCOUNT_MODEL
    assert Failure(FailureKind.RATE_LIMITED, blame=Blame.ACCOUNT_FREE).blames is Blame.ACCOUNT_FREE


def test_a_failure_is_a_value() -> None:
    assert Failure(FailureKind.STALLED) == Failure(FailureKind.STALLED)
    with pytest.raises(FrozenInstanceError):
        Failure(FailureKind.STALLED).kind = FailureKind.CANCELLED  # type: ignore[misc]  # the assignment is the test
