"""What one question came to: from what the door said to a trial with its root cause, in words for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from rotation.core.failures import TABLE as FAILURES
from rotation.core.failures import FailureKind
from rotation.core.verdicts import PASS, Trial
from rotation.discovery.verify import causes, replies
from rotation.discovery.verify.asking import Heard
from rotation.discovery.verify.causes import OF_FAILURE, Cause, Weight
from rotation.discovery.verify.marks import shown
from rotation.discovery.verify.questions import Question

#: The gateway's own codes, where no attempt's failure stands beside them.
OF_CODE: Mapping[str, Cause] = {
    "no_fit": Cause.FEATURE_MISSING,
    "deadline_exceeded": Cause.TIMEOUT,
    "deadline_infeasible": Cause.TIMEOUT,
    "request_too_large": Cause.RATE_LIMITED,
    "all_targets_rate_limited": Cause.RATE_LIMITED,
    "no_key": Cause.NOT_ASKED,
    "empty_pool": Cause.NOT_ASKED,
    "model_not_found": Cause.NOT_ASKED,
    "pin_not_found": Cause.NOT_ASKED,
    "pin_not_in_model": Cause.NOT_ASKED,
    "starting": Cause.NOT_ASKED,
    "invalid_api_key": Cause.NOT_ASKED,
    "upstream_stalled": Cause.TIMEOUT,
}
#: How a candidate that was not tried stood, by the words of the gateway's reasons.
OF_WORDS: Mapping[str, Cause] = {FAILURES[kind].words: cause for kind, cause in OF_FAILURE.items()}
KINDS = frozenset(kind.value for kind in FailureKind)
TOLD = 200  # characters of a provider's own words
_TIMING = re.compile(r"\bqueue;dur=(\d{1,9}(?:\.\d{1,6})?)")


@dataclass(frozen=True, slots=True)
class Finding:
    """`sent`: the question reached the provider. `wait` is seconds until it may be asked again, None for unknown.
    `unheard`: the gateway itself was away.

    Times are milliseconds, without what the gateway itself waited for.
    """

    trial: Trial
    sent: bool = True
    wait: float | None = None
    unheard: bool = False
    latency_ms: float | None = None
    first_ms: float | None = None

    @property
    def weight(self) -> Weight:
        return causes.TABLE[Cause(self.trial.cause)].weight if self.trial.cause else Weight.COUNTS


def found(heard: Heard, question: Question) -> Finding:
    """The finding of one answer of the door. Never raises."""
    if heard.status == 200:
        answer = replies.streamed(heard.body) if question.stream else replies.whole(heard.body)
        if answer.whole or answer.error == "":
            return _graded(heard, question, answer)
        cause = OF_CODE.get(answer.error, Cause.PROVIDER_DOWN)
        return Finding(_trial(cause, "the stream broke off"), wait=None)
    if heard.status == 0:
        cause = Cause.TIMEOUT if heard.trouble == "timeout" else Cause.NOT_ASKED
        words = "" if cause is Cause.TIMEOUT else f"the gateway itself did not answer ({heard.trouble})"
        return Finding(_trial(cause, words), sent=not words, unheard=bool(words))
    return _refused(heard, question)


def _graded(heard: Heard, question: Question, answer: replies.Answer) -> Finding:
    grade = question.grade(answer)
    waited = float(told[1]) if (told := _TIMING.search(heard.headers.get("server-timing", ""))) else 0.0
    first = max((heard.first_s or heard.total_s) * 1000 - waited, 0.0) if question.stream else None
    trial = Trial(grade.score, str(grade.cause) if grade.score < PASS else "", grade.reason)
    return Finding(trial, latency_ms=max(heard.total_s * 1000 - waited, 0.0), first_ms=first)


def _refused(heard: Heard, question: Question) -> Finding:
    error = _error(heard.body)
    cause = _cause(heard, error)
    attempts = heard.headers.get("x-rotation-attempts", "0")
    sent = attempts.isdecimal() and int(attempts[:9]) > 0
    return Finding(_trial(cause, _details(cause, error, question)), sent=sent, wait=_wait(heard, error))


def _trial(cause: Cause, details: str) -> Trial:
    weight = causes.TABLE[cause].weight
    counts = weight in (Weight.DECIDES, Weight.COUNTS)
    limited = weight is Weight.WAIT
    return Trial(0.0, cause.value, details, counts=counts, final=weight is Weight.DECIDES, limited=limited)


def _cause(heard: Heard, error: Mapping[str, Any]) -> Cause:
    """The failure's kind where the gateway names it, else its code, else how the candidates stood, else the status."""
    code = str(error.get("code") or "")
    kind = str(_failure(error).get("kind") or heard.headers.get("x-rotation-failure", ""))
    if code == "deadline_exceeded":
        return Cause.TIMEOUT
    if kind in KINDS:
        return OF_FAILURE[FailureKind(kind)]
    if code in OF_CODE:
        return OF_CODE[code]
    for row in _candidates(error):
        if cause := _standing(row):
            return cause
    if heard.status == 429:
        return Cause.RATE_LIMITED
    return Cause.PROVIDER_DOWN if heard.status >= 500 else Cause.NOT_ASKED


def _standing(row: Mapping[str, Any]) -> Cause | None:
    """Why a candidate was not even tried."""
    why, state = str(row.get("why") or ""), row.get("state")
    for words, cause in OF_WORDS.items():
        if why.startswith(words):
            return cause
    return {
        "cooling": Cause.RATE_LIMITED,
        "resting": Cause.PROVIDER_DOWN,
        "benched": Cause.NOT_ASKED,
        "unfit": Cause.FEATURE_MISSING,
    }.get(str(state))


def _details(cause: Cause, error: Mapping[str, Any], question: Question) -> str:
    """The provider's own words where they help; our own say enough of waits and limits."""
    if cause is Cause.TIMEOUT:
        return f"nothing within {question.seconds:.0f} s"
    if cause in (Cause.RATE_LIMITED, Cause.PROVIDER_DOWN) or error.get("code") == "no_fit":
        return "; ".join(dict.fromkeys(str(row.get("why") or "") for row in _candidates(error)))[:200].strip("; ")
    message = _failure(error).get("message") or error.get("message")
    return f"it was told {shown(message, TOLD)}" if isinstance(message, str) and message else ""


def _failure(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the gateway tells its own jobs of the last attempt."""
    failure = error.get("failure")
    return failure if isinstance(failure, dict) else {}


def _wait(heard: Heard, error: Mapping[str, Any]) -> float | None:
    told = heard.headers.get("retry-after", "")
    known = [float(told[:9])] if told.isdecimal() else []
    until = [row["until"] for row in _candidates(error) if isinstance(row.get("until"), int | float)]
    known += [float(min(until))] if until else []
    return max(known) if known else None


def _error(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}


def _candidates(error: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rows = error.get("candidates")
    return [row for row in rows[:20] if isinstance(row, dict)] if isinstance(rows, list) else []
