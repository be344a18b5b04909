"""What a client is told when no target could answer: honest status, when to come back, and whether to retry.

A refusal closes the call's page. Messages of providers are passed on for the caller's own mistakes only, redacted;
otherwise each failure is told in our words.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rotation.core.expectation import Heard
from rotation.core.failures import Blame, Failure, FailureKind
from rotation.core.rotation import GiveUp
from rotation.core.selection import NEVER, State
from rotation.gateway.entry import Entry
from rotation.gateway.envelope import Refusal
from rotation.gateway.wishes import DEADLINE, echo

log = logging.getLogger("rotation.gateway")

LATEST = 86_400  # seconds: the longest wait worth naming
TOO_LARGE = 413
THEIRS = frozenset({502, 504})  # statuses that say: all were asked, and this is what came of it
MENDABLE = (FailureKind.TOO_LONG, FailureKind.LACKS_FEATURE)
NOTHING: Mapping[str, object] = {}
CLIENTS_WAIT = 60  # seconds: OpenAI's libraries leave out a longer wait and try after half a second
REASONS = 3  # why not, at most
ENOUGH_TRIES = 3  # after this many attempts of ours a client's own retries would only pile up


def refusal(end: GiveUp, entry: Entry, now: float, *, elsewhere: Callable[[], Sequence[str]] = tuple) -> Refusal:
    """The answer of last resort; writes the page and one ERROR line.

    `elsewhere` tells the pools that could serve a call nobody here can.
    """
    failure = end.final or _telling(end)
    if end.final and _callers(end.final):
        answer = _caller_error(end.final)
    elif not entry.notes and entry.candidates and {c.standing.state for c in entry.candidates} == {State.UNFIT}:
        answer = _no_fit(entry, elsewhere())
    else:
        answer = _exhausted(end, entry, failure, now)
    return closed(answer, entry, failure)


def too_short(entry: Entry, quickest: Heard) -> Refusal:
    """The deadline is out of everybody's reach: said at once, before anything is sent."""
    allowed = entry.call.deadline - entry.call.started
    message = (
        f"The call allows {allowed:.3g} s. The quickest of its models takes {quickest.p50:.3g} s as a rule "
        f"and {quickest.p5:.3g} s at best. Allow more time, or ask for a quicker model."
    )
    refused = _in_vain(400, message, "deadline_infeasible", {"expected_seconds": round(quickest.p50, 3)})
    return closed(replace(refused, param=DEADLINE), entry, None)


def closed(answer: Refusal, entry: Entry, failure: Failure | None) -> Refusal:
    """The answer with what every refusal of an accepted call says; writes its page."""
    call = entry.call
    headers = {"x-request-id": call.id, "x-rotation-attempts": str(len(entry.notes)), **echo(call.wishes.reference)}
    headers |= answer.headers
    if failure is not None:
        headers["x-rotation-failure"] = failure.kind.value
    outcome = "refused" if answer.status < 500 and answer.status != 429 else "failed"
    entry.close(outcome, answer.status, failure=failure, error=answer.message)
    if answer.status >= 500 or answer.status == 429:
        log.error("%s after %d attempts", answer.code, len(entry.notes), extra={"request_id": entry.call.id})
    more = {**answer.more, "failure": _told_job(failure)} if failure and entry.call.client.internal else answer.more
    return Refusal(answer.status, answer.message, answer.code, answer.param, answer.type, headers, more)


def _told_job(failure: Failure) -> dict[str, object]:
    """Our own jobs are told how the last attempt failed: they have to tell a limit from a defect."""
    names = ("kind", "status", "message", "feature", "code", "param", "retry_after")
    return {name: getattr(failure, name) for name in names}


def _callers(failure: Failure) -> bool:
    return failure.blames in (Blame.CALLER, Blame.REQUEST)


def _telling(end: GiveUp) -> Failure | None:
    return end.failures[-1][1] if end.failures else None


def _mendable(end: GiveUp) -> bool:
    """Whether only the caller can help it: every attempt met its mistake, and nobody else may yet be free for it."""
    return end.retry_at is None and bool(end.failures) and all(f.kind in MENDABLE for _, f in end.failures)


def _caller_error(failure: Failure) -> Refusal:
    status = failure.status if failure.status and 400 <= failure.status < 500 else failure.row.status
    message = failure.message or f"The provider refused the request: {failure.row.words}."
    return Refusal(status, message, failure.code or failure.kind.value, failure.param, failure.type,
                   headers={"x-should-retry": "false"})  # fmt: skip


def _exhausted(end: GiveUp, entry: Entry, failure: Failure | None, now: float) -> Refusal:
    if failure and _mendable(end):
        return _caller_error(replace(failure, status=failure.row.status))  # theirs may be 404: the model is known here
    if not entry.route.deployments:
        return _in_vain(503, f"The pool '{entry.route.pool}' is empty. Place models in it under Pools.", "empty_pool")
    if not entry.candidates:
        return _in_vain(503, "No key is set up for this model. Add one under Providers & keys.", "no_key")
    if _too_large(end, entry):
        words = "The request is larger than any model that could serve it takes at once. Make it smaller."
        return _in_vain(TOO_LARGE, words, "request_too_large", _why(end, entry, now))
    late = now >= entry.call.deadline or (failure is not None and failure.kind is FailureKind.CANCELLED)
    if late and entry.notes:
        return Refusal(
            504,
            "The deadline passed before a target answered.",
            "deadline_exceeded",
            headers=_retry(end, entry, now),
            more=_why(end, entry, now),
        )
    no_room = entry.call.client.internal and not entry.notes and end.retry_at is not None
    limited = no_room or _limited(end, entry)
    status, code = (429, "all_targets_rate_limited") if limited else (_status(end, entry), "no_healthy_upstream")
    message = f"No target could answer ({len(entry.notes)} tried)." + _when(end, now)
    return Refusal(status, message, code, headers=_retry(end, entry, now), more=_why(end, entry, now))


def _status(end: GiveUp, entry: Entry) -> int:
    """503; 504 when everybody was asked and took too long, 502 when all they made of it was garbage, or either."""
    asked = {target.deployment.id for target, _ in end.failures}
    left = any(c.standing.until < NEVER and c.target.deployment.id not in asked for c in entry.candidates)
    statuses = {failure.row.status for _, failure in end.failures}
    if left or not statuses or not statuses <= THEIRS:
        return 503
    return statuses.pop() if len(statuses) == 1 else 502


def _no_fit(entry: Entry, elsewhere: Sequence[str]) -> Refusal:
    """Every reason there is, the commonest first, and where to turn."""
    reasons = [c.standing.why for c in entry.candidates]
    told = sorted(dict.fromkeys(reasons), key=reasons.count, reverse=True)[:REASONS]
    message = f"No model that was asked for can serve this call: {'; '.join(told)}."
    if elsewhere:
        message += f" It could be served by: {', '.join(elsewhere)}."
    more = {**_why(GiveUp((), None, None), entry, 0.0), "pools": list(elsewhere)}
    return _in_vain(400, message, "no_fit", more)


def _too_large(end: GiveUp, entry: Entry) -> bool:
    """Whether size alone is in the way, for good: waiting makes no request smaller."""
    never = any(c.standing.limited and c.standing.until == NEVER for c in entry.candidates)
    kinds = [f.kind is FailureKind.TOO_LARGE_FOR_BUDGET or f.status == TOO_LARGE for _, f in end.failures]
    return end.retry_at is None and all(kinds) and (never or bool(kinds))


def _in_vain(status: int, message: str, code: str, more: Mapping[str, object] = NOTHING) -> Refusal:
    """A refusal that another try would only meet again."""
    return Refusal(status, message, code, headers={"x-should-retry": "false"}, more=more)


def _limited(end: GiveUp, entry: Entry) -> bool:
    """Whether limits alone were in the way; what is out for good or cannot serve the call has no say."""
    aside = [c.standing for c in entry.candidates if c.standing.until < NEVER and c.standing.state is not State.READY]
    if not aside and not end.failures:
        return False
    return all(s.limited for s in aside) and all(f.row.status == 429 for _, f in end.failures)


def _when(end: GiveUp, now: float) -> str:
    return f" The first may be free again in {max(end.retry_at - now, 1):.0f} s." if end.retry_at else ""


def _retry(end: GiveUp, entry: Entry, now: float) -> dict[str, str]:
    """`retry-after` is the earliest feasible moment. After enough tries of ours, or for a moment further off than
    clients wait, they should not add their own: told to retry, they would do so at once.
    """
    if not end.retry_at:
        return {"x-should-retry": "false"}
    seconds = min(max(math.ceil(end.retry_at - now), 1), LATEST)
    worth = len(entry.notes) < ENOUGH_TRIES and seconds <= CLIENTS_WAIT
    return {"x-should-retry": "true" if worth else "false", "retry-after": str(seconds)}


def _why(end: GiveUp, entry: Entry, now: float) -> dict[str, object]:
    """Per candidate, why not and until when: names and our own words, never a key, an address or a provider's text.

    `until` is seconds from now, null where nobody knows.
    """
    back = {deployment: min(t for (d, _), t in end.back.items() if d == deployment) for deployment, _ in end.back}
    rows = []
    for found in entry.trace(told=False):
        row = {k: found[k] for k in ("target", "state", "why")}
        if (at := back.get(found["deployment"])) is not None:
            row["until"] = round(max(at - now, 0.0), 1) if at < NEVER else None
        rows.append(row)
    for row in rows:
        if row["state"] == State.BENCHED:
            row["why"] = "out of service"
    return {"candidates": rows}
