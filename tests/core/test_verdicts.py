"""A few trials become a verdict; what is nobody's fault is never held against a model."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.core.verdicts import BEST, PASS, Trial, Word, interval, judge

GOOD, BAD = Trial(5), Trial(0, "wrong_answer", "7 was wanted")
LIMITED = Trial(cause="rate_limited", counts=False, limited=True)
DOWN = Trial(cause="provider_down", counts=False)
GONE = Trial(cause="does_not_exist", final=True)
trials = st.lists(
    st.builds(Trial, st.floats(0, BEST), st.sampled_from(["a", "b"]), counts=st.booleans(), final=st.booleans()),
    max_size=3,
)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ([], None),
        ([GOOD], None),
        ([BAD], None),
        ([GOOD, GOOD], Word.VERIFIED),
        ([BAD, BAD], Word.INCOMPATIBLE),
        ([GOOD, BAD], None),
        ([GOOD, BAD, GOOD], Word.VERIFIED),
        ([GOOD, BAD, BAD], Word.INCOMPATIBLE),
        ([GONE], Word.INCOMPATIBLE),
        ([LIMITED, LIMITED], None),
        ([LIMITED] * 3, Word.RATE_LIMITED),
        ([DOWN] * 3, Word.INCONCLUSIVE),
        ([GOOD, DOWN, LIMITED], Word.INCONCLUSIVE),
        ([BAD, DOWN, LIMITED], Word.INCONCLUSIVE),
        ([GOOD, LIMITED, GOOD], Word.VERIFIED),
    ],
)
def test_the_majority_of_the_planned_trials_decides(told: list[Trial], word: Word | None):
    for order in permutations(told):
        judged = judge(order)
        assert (judged.word if judged else None) == word


def test_a_verdict_carries_its_cause_its_reason_and_how_sure_it_is():
    judged = judge([BAD, GOOD, BAD])
    assert judged is not None
    assert (judged.trials, judged.cause, judged.reason) == (3, "wrong_answer", "7 was wanted")
    assert judged.score == pytest.approx(5 / 3)
    assert judged.low is not None
    assert judged.high is not None
    assert judged.low < 5 / 3 < judged.high


def test_the_interval_is_wilsons_on_the_scale_of_five():
    assert interval([5, 5, 5]) == (pytest.approx(2.192, abs=1e-3), 5.0)
    assert interval([]) == (0, 5)


@given(trials)
def test_only_trials_that_count_are_held_against_a_model(told: list[Trial]):
    judged = judge(told)
    if judged is not None and judged.word is Word.INCOMPATIBLE:
        assert any(trial.counts and trial.score < PASS for trial in told)
    if judged is not None and judged.score is not None:
        assert 0 <= judged.low <= judged.score + 1e-9  # type: ignore[operator]
        assert judged.score - 1e-9 <= judged.high <= BEST  # type: ignore[operator]
    if len(told) == 3:
        assert judged is not None


@given(trials)
def test_what_was_decided_early_another_trial_would_not_have_changed(told: list[Trial]):
    judged = judge(told)
    if judged is not None and len(told) == 2 and not any(trial.final for trial in told):
        for more in (GOOD, BAD, LIMITED):
            assert judge([*told, more]).word is judged.word  # type: ignore[union-attr]
