"""What happened to a call, in a few words, and as stretches of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard import figures
from dashboard.charts.waterfall import Leg
from rotation.core.failures import TABLE, FailureKind
from rotation.models import Attempt, CallOutcome, Request

OK = "ok"
FEATURES = {
    "tools": "tools",
    "parallel_tools": "parallel tools",
    "json_schema": "JSON schema",
    "json_mode": "JSON",
    "images": "images",
    "stream": "streaming",
}


def failure_words(kind: str | None) -> str:
    """A failure kind for people; an unknown one as it is written."""
    try:
        return TABLE[FailureKind(kind or "")].words
    except ValueError:
        return kind or "failed"


def leg_of(attempt: Attempt) -> Leg:
    return Leg(
        ok=attempt.outcome == OK,
        start=attempt.start_ms,
        total=attempt.total_ms,
        connect=attempt.connect_ms,
        first=attempt.first_ms,
    )


def short(request: Request, attempts: Sequence[Attempt]) -> str:
    """`1 try`, `429 → 2nd key`, `overloaded → rotated`, `failed: out of credit`: one line in a list."""
    if request.outcome == CallOutcome.ANSWERED:
        failed = [attempt for attempt in attempts if attempt.outcome != OK]
        if not failed:
            return "1 try" if request.attempts <= 1 else f"{request.attempts} tries"
        return f"{cause(failed[0])} → {how(attempts)}"
    if request.outcome == CallOutcome.CANCELLED:
        return "client hung up"
    if request.outcome == CallOutcome.INTERRUPTED:
        return "broke off mid-answer"
    word = "refused" if request.outcome == CallOutcome.REFUSED else "failed"
    why = failure_words(request.failure_kind) if request.failure_kind else f"HTTP {request.status}"
    return f"{word}: {why}"


def cause(attempt: Attempt) -> str:
    """An HTTP status says most in the least room; what has none says its kind."""
    return str(attempt.status) if attempt.status and attempt.status >= 400 else failure_words(attempt.outcome)


def how(attempts: Sequence[Attempt]) -> str:
    """What helped: another key of the same model, or another model after so many rotations."""
    last = attempts[-1]
    if all(attempt.deployment_id == last.deployment_id for attempt in attempts):
        keys = len({attempt.key_id for attempt in attempts})
        return f"{figures.ordinal(keys)} key" if keys > 1 else f"{figures.ordinal(len(attempts))} try"
    rotations = len(attempts) - 1
    return "rotated" if rotations == 1 else f"rotated {rotations} times"


def needs_words(needs: Mapping[str, object]) -> str:
    """`tools · 2,060 tokens of context · streaming`; nothing when they were not kept."""
    if not needs:
        return ""
    counted = [value for name in ("prompt_tokens", "max_output") if isinstance(value := needs.get(name), int)]
    used = [words for name, words in FEATURES.items() if needs.get(name)]
    context = f"{figures.count(sum(counted))} tokens of context"
    return " · ".join([*(u for u in used if u != "streaming"), context, *(u for u in used if u == "streaming")])


def outcome_words(request: Request) -> tuple[str, str]:
    """(mood, words) for the pill of one request."""
    if request.outcome == CallOutcome.ANSWERED:
        if request.attempts <= 1:
            return "ok", "answered first try"
        many = request.attempts - 1
        return "warn", f"answered after {many} rotation{'s' if many > 1 else ''}"
    if request.outcome == CallOutcome.CANCELLED:
        return "", "the client hung up"
    if request.outcome == CallOutcome.INTERRUPTED:
        return "bad", "broke off mid-answer"
    return "bad", f"{request.outcome} with {request.status}"
