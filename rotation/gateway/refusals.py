"""What a client is told when no target could answer: honest status, when to come back, and whether to retry.

A refusal closes the call's page. Messages of providers are passed on for the caller's own mistakes only, redacted;
otherwise each failure is told in our words.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import replace

from rotation.core.failures import Blame, Failure, FailureKind
from rotation.core.rotation import GiveUp
from rotation.core.selection import NEVER, State
from rotation.gateway.entry import Entry
from rotation.gateway.envelope import Refusal

log = logging.getLogger("rotation.gateway")

LATEST = 86_400  # seconds: the longest wait worth naming
MENDABLE = (FailureKind.TOO_LONG, FailureKind.LACKS_FEATURE)
NOTHING: Mapping[str, object] = {}
CLIENTS_WAIT = 60  # seconds: OpenAI's libraries leave out a longer wait and try after half a second
ENOUGH_TRIES = 3  # after this many attempts of ours a client's own retries would only pile up


def refusal(end: GiveUp, entry: Entry, now: float) -> Refusal:
    """The answer of last resort; writes the page and one ERROR line."""
    failure = end.final or _telling(end)
    answer = _caller_error(end.final) if end.final and _callers(end.final) else _exhausted(end, entry, failure, now)
    headers = {"x-request-id": entry.call.id, "x-rotation-attempts": str(len(entry.notes)), **answer.headers}
    outcome = "refused" if answer.status < 500 and answer.status != 429 else "failed"
    entry.close(outcome, answer.status, failure=failure, error=answer.message)
    if answer.status >= 500 or answer.status == 429:
        log.error("%s after %d attempts", answer.code, len(entry.notes), extra={"request_id": entry.call.id})
    return Refusal(answer.status, answer.message, answer.code, answer.param, answer.type, headers, answer.more)


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
    states = {c.standing.state for c in entry.candidates}
    if failure and _mendable(end):
        return _caller_error(replace(failure, status=failure.row.status))  # theirs may be 404: the model is known here
    if not entry.route.deployments:
        return _in_vain(503, f"The pool '{entry.route.pool}' is empty. Place models in it under Pools.", "empty_pool")
    if not entry.candidates:
        return _in_vain(503, "No key is set up for this model. Add one under Providers & keys.", "no_key")
    if not entry.notes and states == {State.UNFIT}:
        reason = entry.candidates[0].standing.why
        return _in_vain(400, f"No model of this pool can serve this call: {reason}.", "no_fit", _why(entry))
    late = now >= entry.call.deadline or (failure is not None and failure.kind is FailureKind.CANCELLED)
    if late and entry.notes:
        return Refusal(
            504,
            "The deadline passed before a target answered.",
            "deadline_exceeded",
            headers=_retry(end, entry, now),
            more=_why(entry),
        )
    status, code = (429, "all_targets_rate_limited") if _limited(end, entry) else (503, "no_healthy_upstream")
    message = f"No target could answer ({len(entry.notes)} tried)." + _when(end, now)
    return Refusal(status, message, code, headers=_retry(end, entry, now), more=_why(entry))


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


def _why(entry: Entry) -> dict[str, object]:
    """Per candidate, why not: names and our own words, never a key, an address or a provider's text."""
    rows = [{k: row[k] for k in ("target", "state", "why")} for row in entry.trace(told=False)]
    for row in rows:
        if row["state"] == State.BENCHED:
            row["why"] = "out of service"
    return {"candidates": rows}
