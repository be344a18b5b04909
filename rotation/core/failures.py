"""The one table of failures: what each kind means for this call, and whom it is held against.

A `Failure` is what an adapter makes of a provider's answer (or the gateway of a broken wire).
`TABLE` says for every kind whether the call rotates, whom it blames and what follows; the cooldown,
the breaker, key states, the dashboard and metric labels all read it. A test walks the enum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    RATE_LIMITED = "rate_limited"
    QUOTA_DAY = "quota_day"
    UPSTREAM_BUSY = "upstream_busy"
    OVERLOADED = "overloaded"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"
    BAD_CREDENTIAL = "bad_credential"
    OUT_OF_CREDIT = "out_of_credit"
    NOT_PERMITTED = "not_permitted"
    MODEL_GONE = "model_gone"
    LACKS_FEATURE = "lacks_feature"
    TOO_LONG = "too_long"
    TOO_LARGE_FOR_BUDGET = "too_large_for_budget"
    CONTENT_POLICY = "content_policy"
    GENERATION_FAILED = "generation_failed"
    BAD_REQUEST = "bad_request"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    OUT_OF_TIME = "out_of_time"  # given up for another while the client's deadline allowed one more


class Blame(StrEnum):
    """Whom a failure is held against."""

    NOBODY = "nobody"
    REQUEST = "request"
    CALLER = "caller"
    KEY = "key"
    KEY_MODEL = "key_model"
    ACCOUNT = "account"
    ACCOUNT_FREE = "account_free"  # all free models of one account
    ACCOUNT_MODEL = "account_model"
    DEPLOYMENT = "deployment"
    FEATURE = "feature"  # (deployment, feature)
    PROVIDER = "provider"


class Rotate(StrEnum):
    """What the same call does next, while nothing has been sent to the client."""

    NO = "no"
    AWAY = "away"  # any target outside the blamed scope
    LARGER_WINDOW = "larger_window"
    SAME_ONCE = "same_once"  # the same target once more, then away
    TOO_LATE = "too_late"  # content is out already


class Consequence(StrEnum):
    """What is remembered for the next calls."""

    NOTHING = "nothing"
    COOL = "cool"  # until the hint, else 1 * 2^n s
    COOL_UNTIL_RESET = "cool_until_reset"  # until the hint, else the next midnight UTC
    COOL_LONG = "cool_long"  # until the hint, else an hour
    COUNT = "count"  # one countable failure for the deployment's breaker
    COUNT_PROVIDER = "count_provider"  # one for the provider's breaker
    SUSPECT = "suspect"  # key state: suspect, then confirmed invalid
    BENCH = "bench"  # the pair (key, model), an hour
    GONE = "gone"  # deployment marked gone until discovery confirms
    REMEMBER_LACK = "remember_lack"
    RELEASE = "release"  # as if it had not been


@dataclass(frozen=True, slots=True)
class Row:
    rotate: Rotate
    blame: Blame
    consequence: Consequence
    status: int  # what the client sees when nothing else could answer
    words: str  # for people


TABLE: Mapping[FailureKind, Row] = {
    FailureKind.RATE_LIMITED: Row(Rotate.AWAY, Blame.ACCOUNT_MODEL, Consequence.COOL, 429, "rate-limited"),
    FailureKind.QUOTA_DAY: Row(
        Rotate.AWAY, Blame.ACCOUNT_MODEL, Consequence.COOL_UNTIL_RESET, 429, "daily quota used up"
    ),
    FailureKind.UPSTREAM_BUSY: Row(Rotate.AWAY, Blame.DEPLOYMENT, Consequence.COOL, 429, "busy upstream"),
    FailureKind.OVERLOADED: Row(Rotate.AWAY, Blame.DEPLOYMENT, Consequence.COUNT, 503, "overloaded"),
    FailureKind.TIMED_OUT: Row(Rotate.AWAY, Blame.DEPLOYMENT, Consequence.COUNT, 504, "no first token in time"),
    FailureKind.STALLED: Row(Rotate.AWAY, Blame.DEPLOYMENT, Consequence.COUNT, 504, "stalled"),
    FailureKind.UNREACHABLE: Row(Rotate.AWAY, Blame.PROVIDER, Consequence.COUNT_PROVIDER, 503, "unreachable"),
    FailureKind.BAD_CREDENTIAL: Row(Rotate.AWAY, Blame.KEY, Consequence.SUSPECT, 503, "key refused"),
    FailureKind.OUT_OF_CREDIT: Row(Rotate.AWAY, Blame.ACCOUNT, Consequence.COOL_LONG, 503, "out of credit"),
    FailureKind.NOT_PERMITTED: Row(Rotate.AWAY, Blame.KEY_MODEL, Consequence.BENCH, 503, "not permitted for this key"),
    FailureKind.MODEL_GONE: Row(Rotate.AWAY, Blame.DEPLOYMENT, Consequence.GONE, 503, "model gone"),
    FailureKind.LACKS_FEATURE: Row(Rotate.AWAY, Blame.FEATURE, Consequence.REMEMBER_LACK, 400, "lacks a feature"),
    FailureKind.TOO_LONG: Row(Rotate.LARGER_WINDOW, Blame.NOBODY, Consequence.NOTHING, 400, "too long for its window"),
    FailureKind.TOO_LARGE_FOR_BUDGET: Row(
        Rotate.AWAY, Blame.NOBODY, Consequence.NOTHING, 429, "larger than its minute budget"
    ),
    FailureKind.CONTENT_POLICY: Row(Rotate.NO, Blame.REQUEST, Consequence.NOTHING, 400, "refused by content policy"),
    FailureKind.GENERATION_FAILED: Row(
        Rotate.SAME_ONCE, Blame.REQUEST, Consequence.NOTHING, 502, "model produced garbage"
    ),
    FailureKind.BAD_REQUEST: Row(Rotate.NO, Blame.CALLER, Consequence.NOTHING, 400, "bad request"),
    FailureKind.INTERRUPTED: Row(Rotate.TOO_LATE, Blame.DEPLOYMENT, Consequence.COUNT, 502, "broke off mid-answer"),
    FailureKind.OUT_OF_TIME: Row(
        Rotate.AWAY, Blame.DEPLOYMENT, Consequence.RELEASE, 504, "not in its share of the deadline"
    ),
    FailureKind.CANCELLED: Row(Rotate.TOO_LATE, Blame.NOBODY, Consequence.RELEASE, 499, "client hung up"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt, in our words and the provider's.

    `retry_after` is seconds from now, only where the provider gave a usable hint. `blame` overrides the table's
    (OpenRouter's `:free` limits blame the account). `message` is the provider's own text, redacted and cut.
    `status`, `type`, `code`, `param` are the provider's; `feature` names what is lacking (tools, images, ...).
    """

    kind: FailureKind
    message: str = ""
    status: int | None = None
    retry_after: float | None = None
    blame: Blame | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    feature: str | None = None

    @property
    def row(self) -> Row:
        return TABLE[self.kind]

    @property
    def blames(self) -> Blame:
        return self.blame or self.row.blame
