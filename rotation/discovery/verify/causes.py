"""Why a trial did not succeed: the one table of root causes, and which cause each of the gateway's failures is.

`weight` says what a cause means for the verdict; a test holds the mapping complete over the failures there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rotation.core.failures import FailureKind


class Cause(StrEnum):
    DOES_NOT_EXIST = "does_not_exist"
    WRONG_ID = "wrong_id"
    NOT_PERMITTED = "not_permitted"
    FEATURE_MISSING = "feature_missing"
    WRONG_ANSWER = "wrong_answer"
    CUT_SHORT = "cut_short"
    SHORT_CONTEXT = "short_context"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    PROVIDER_DOWN = "provider_down"
    KEY_REFUSED = "key_refused"
    NO_CREDIT = "no_credit"
    NOT_ASKED = "not_asked"


class Weight(StrEnum):
    """What a trial that ended so means."""

    DECIDES = "decides"  # the provider said it: no other trial is needed
    COUNTS = "counts"  # one failed trial of several
    LATER = "later"  # nobody's fault: ask again, a few times
    WAIT = "wait"  # ask again when the limit lets it, as often as it takes


@dataclass(frozen=True, slots=True)
class Row:
    """`words` go before the details, `advice` is what a person can do."""

    words: str
    advice: str
    weight: Weight
    whole: bool = False  # it holds for every capability of the model: nothing else need be asked


TABLE: Mapping[Cause, Row] = {
    Cause.DOES_NOT_EXIST: Row(
        "The provider knows no such model", "Take it out of its pools, or let it be archived.", Weight.DECIDES, True
    ),
    Cause.WRONG_ID: Row(
        "The provider knows no model of this id, but very similar ones",
        "Use one of the ids named.",
        Weight.DECIDES,
        True,
    ),
    Cause.NOT_PERMITTED: Row(
        "No key here may use this model",
        "Accept its terms or raise the plan at the provider, or use another key.",
        Weight.DECIDES,
        True,
    ),
    Cause.FEATURE_MISSING: Row("The feature is not there", "Use it only for calls that do without.", Weight.DECIDES),
    Cause.WRONG_ANSWER: Row("The answer was wrong", "Keep it for simpler work, or verify it again.", Weight.COUNTS),
    Cause.CUT_SHORT: Row("The answer ended before its point", "Give its calls more output tokens.", Weight.COUNTS),
    Cause.SHORT_CONTEXT: Row(
        "It takes in less than its listing claims", "Set a smaller context window on the model.", Weight.COUNTS
    ),
    Cause.REFUSED: Row("The provider refused the request", "Read its words; another model may do.", Weight.COUNTS),
    Cause.TIMEOUT: Row("No answer in time", "Keep it out of pools where people wait.", Weight.COUNTS),
    Cause.RATE_LIMITED: Row("A rate limit was in the way", "Nothing: it is asked again by itself.", Weight.WAIT),
    Cause.PROVIDER_DOWN: Row("The provider was out of order", "Nothing: it is asked again by itself.", Weight.LATER),
    Cause.KEY_REFUSED: Row("The key was refused", "Check the key under Providers & keys.", Weight.LATER),
    Cause.NO_CREDIT: Row("The account has no credit left", "Add credit at the provider.", Weight.LATER),
    Cause.NOT_ASKED: Row(
        "It could not be asked", "See that its provider is enabled and has a usable key.", Weight.LATER
    ),
}

OF_FAILURE: Mapping[FailureKind, Cause] = {
    FailureKind.RATE_LIMITED: Cause.RATE_LIMITED,
    FailureKind.QUOTA_DAY: Cause.RATE_LIMITED,
    FailureKind.UPSTREAM_BUSY: Cause.RATE_LIMITED,
    FailureKind.TOO_LARGE_FOR_BUDGET: Cause.RATE_LIMITED,
    FailureKind.OVERLOADED: Cause.PROVIDER_DOWN,
    FailureKind.UNREACHABLE: Cause.PROVIDER_DOWN,
    FailureKind.INTERRUPTED: Cause.PROVIDER_DOWN,
    FailureKind.CANCELLED: Cause.TIMEOUT,  # the only one who hangs up on a verification is its own deadline
    FailureKind.TIMED_OUT: Cause.TIMEOUT,
    FailureKind.STALLED: Cause.TIMEOUT,
    FailureKind.OUT_OF_TIME: Cause.TIMEOUT,
    FailureKind.BAD_CREDENTIAL: Cause.KEY_REFUSED,
    FailureKind.OUT_OF_CREDIT: Cause.NO_CREDIT,
    FailureKind.NOT_PERMITTED: Cause.NOT_PERMITTED,
    FailureKind.MODEL_GONE: Cause.DOES_NOT_EXIST,
    FailureKind.LACKS_FEATURE: Cause.FEATURE_MISSING,
    FailureKind.TOO_LONG: Cause.SHORT_CONTEXT,
    FailureKind.CONTENT_POLICY: Cause.REFUSED,
    FailureKind.BAD_REQUEST: Cause.REFUSED,
    FailureKind.GENERATION_FAILED: Cause.WRONG_ANSWER,
}


def sentence(cause: str, details: str) -> str:
    """A cause and its details for people: one sentence, then what they can do."""
    row = TABLE[Cause(cause)]
    told = f"{row.words}: {details}" if details else row.words
    return f"{told.rstrip('. ')}. {row.advice}"
