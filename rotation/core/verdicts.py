"""From a few trials of one capability to a verdict with its interval, on a scale from 0 to 5.

A trial counts when the model itself answered, well or badly, or its provider said that it cannot. A rate limit, an
outage or a refused key says nothing about a model and never counts. The majority of the planned trials decides, so two
alike of three are enough; a provider's own word ("no such model", "tools are not supported") decides at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from rotation.core.stats import wilson

BEST = 5.0
PASS = 3.0  # a trial of at least this score is a success
PLANNED = 3  # trials, unless somebody asks for more


class Word(StrEnum):
    """A verdict's word. Only the first two are about the model."""

    VERIFIED = "verified"
    INCOMPATIBLE = "incompatible"
    INCONCLUSIVE = "inconclusive"
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True, slots=True)
class Trial:
    """One ended trial. `counts`: it says something about the model; `final`: one such trial is enough.

    `limited`: it was a rate limit that kept it from counting.
    """

    score: float = 0.0
    cause: str = ""
    reason: str = ""
    counts: bool = True
    final: bool = False
    limited: bool = False

    @property
    def passed(self) -> bool:
        return self.counts and self.score >= PASS


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict. `score`, `low`, `high` are 0..5 (None when nothing counted), `trials` how many counted."""

    word: Word
    trials: int
    score: float | None = None
    low: float | None = None
    high: float | None = None
    cause: str = ""
    reason: str = ""


def interval(scores: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of a mean score: Wilson's for a share, with score / 5 as the share of a success.

    Wilson 1927; for values between 0 and 1 that are no plain successes it is wider than need be, never narrower.
    """
    low, high = wilson(sum(scores) / BEST, len(scores))
    return low * BEST, high * BEST


def judge(trials: Sequence[Trial], planned: int = PLANNED) -> Judged | None:
    """The verdict on these trials, None while the ones still to come could change it."""
    counted = [trial for trial in trials if trial.counts]
    passed = sum(trial.passed for trial in counted)
    majority = planned // 2 + 1
    if any(trial.final and not trial.passed for trial in counted) or len(counted) - passed >= majority:
        return _judged(Word.INCOMPATIBLE, counted)
    if passed >= majority:
        return _judged(Word.VERIFIED, counted)
    if len(trials) < planned:
        return None
    if counted:
        return _judged(Word.INCONCLUSIVE, counted)
    limited = [trial for trial in trials if trial.limited]
    told = _commonest(limited or trials)
    return Judged(Word.RATE_LIMITED if limited else Word.INCONCLUSIVE, 0, cause=told.cause, reason=told.reason)


def _judged(word: Word, counted: Sequence[Trial]) -> Judged:
    scores = [trial.score for trial in counted]
    low, high = interval(scores)
    bad = [trial for trial in counted if not trial.passed]
    score = fmean(scores)
    if word is Word.VERIFIED or not bad:
        return Judged(word, len(counted), score, low, high)
    told = next((trial for trial in bad if trial.final), None) or _commonest(bad)
    return Judged(word, len(counted), score, low, high, told.cause, told.reason)


def _commonest(trials: Sequence[Trial]) -> Trial:
    """The first of those whose cause is met most often."""
    cause = Counter(trial.cause for trial in trials).most_common(1)[0][0]
    return next(trial for trial in trials if trial.cause == cause)
