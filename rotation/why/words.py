"""What the answers say, in words with numbers. Pure: facts in, text out; nothing is looked up here.

Names and messages in it come from providers and clients: whoever shows a text must escape it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from rotation.why.facts import Choice, Left, Measured, Policy, Row

WINDOWS = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86_400.0: "day"}
SPARE_STATES = {"ready"}
BETTER = {"cooling": "cool again", "resting": "rested", "benched": "back", "tried": "it was tried then"}


def took(ms: float) -> str:
    """`38 ms`, `1.9 s`, `48 s`."""
    if ms < 995:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s" if ms < 29_950 else f"{ms / 1000:.0f} s"


def share(part: int, whole: int) -> str:
    """A share cut, never rounded up: 100% only when it is all of them."""
    return "100%" if part >= whole else f"{floor(1000 * part / whole) / 10:.1f}%"


def ordinal(n: int) -> str:
    suffix = "th" if n % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"


def window(seconds: float) -> str:
    return WINDOWS.get(seconds, f"{seconds:g} s")


def short_measured(measured: Measured | None) -> str:
    """`97.9% of 1,204 in 24 h, p50 1.9 s`."""
    if measured is None:
        return ""
    answered = f"{share(measured.answered, measured.attempts)} of {measured.attempts:,} in 24 h"
    return answered if measured.p50_ms is None else f"{answered}, p50 {took(measured.p50_ms)}"


def short_quota(quota: Sequence[Left], tokens: int | None) -> str:
    """The limits with the least left: `5,400 of 12,000 tokens left this minute, this call needs about 2,100`."""
    if not quota:
        return ""
    least = min(quota, key=lambda q: q.left / q.limit if q.limit else 0.0)
    unit = least.axis.replace("_", " ")
    said = f"{max(least.left, 0):,.0f} of {least.limit:,.0f} {unit} left this {window(least.window_s)}"
    return f"{said}, this call needs about {tokens:,}" if least.axis == "tokens" and tokens else said


def row_words(row: Row, tokens: int | None) -> str:
    """A candidate's reason; for those in line with what was known of them."""
    numbers = short_measured(row.measured)
    if row.state == "answered":
        return "; ".join(filter(None, [row.why, numbers, short_quota(row.quota, tokens)]))
    if row.state == "ready":
        return f"{row.why}: {numbers}" if numbers else row.why
    return row.why


def chosen_words(row: Row, rows: Sequence[Row], policy: Policy, tokens: int | None) -> tuple[str, ...]:
    """Why this model, in up to three sentences."""
    before = [other for other in rows[: rows.index(row)] if other.state not in SPARE_STATES]
    where = f"the pool {policy.pool}" if policy.pool else "what was asked for by name"
    version = f" (policy v{policy.version})" if policy.version else ""
    line = f"It was {ordinal(len(before) + 1) if before else 'first'} in the order of {where}{version}."
    if before:
        line += " Before it: " + "; ".join(f"{o.target} {_state(o)}" for o in before) + "."
    said = [line]
    if row.measured:
        m = row.measured
        half = f", half of them within {took(m.p50_ms)}" if m.p50_ms is not None else ""
        said.append(
            f"In the 24 hours before, {share(m.answered, m.attempts)} of {m.attempts:,} attempts were answered{half}."
        )
    else:
        said.append("Nothing was measured of it in the 24 hours before.")
    if quota := short_quota(row.quota, tokens):
        said.append(f"Of its limits, {quota}.")
    return tuple(said)


def _state(row: Row) -> str:
    why = f": {row.why}" if row.why else ""
    return f"was {row.state.replace('_', ' ')}{why}"


def nobody_words(outcome: str, error: str, tries: int) -> tuple[str, ...]:
    """Why no model."""
    many = "no model was asked" if not tries else f"{tries} attempt{'s' if tries > 1 else ''} were made in vain"
    if tries == 1:
        many = "one attempt was made in vain"
    told = f" The client was told: {error}" if error else ""
    return (f"Nobody answered ({outcome}); {many}.{told}",)


def changed_words(then: Row | None) -> str:
    """How whoever is first now stood then."""
    if then is None or then.state == "ready":
        return ""
    return "the same as then" if then.state == "answered" else BETTER.get(then.state, f"it was {then.state} then")


def present_words(first: Choice | None, wait_s: float, expected_ms: float | None, changed: str) -> str:
    """`It would go to qwen first (cool again), expected 1.6 s.`"""
    if first is None:
        return "Nobody could answer such a call now."
    said = f"It would go to {first.target} first"
    said += f" ({changed})" if changed else ""
    said += f", after a wait of {took(wait_s * 1000)}" if wait_s else ""
    return said + (f", expected {took(expected_ms)}." if expected_ms is not None else ", its time is not known yet.")


def now_words(choice: Choice | None, first: Choice | None) -> str:
    """Where a deployment stands under the present policy."""
    if choice is None:
        return "Under today's policy it is not among those that would be considered."
    if first is not None and choice.deployment == first.deployment:
        return "Under today's policy it would be asked first."
    if choice.state == "ready":
        expected = f", expected {took(choice.expected_ms)}" if choice.expected_ms is not None else ""
        return f"Under today's policy it would be {ordinal(choice.place or 1)} in line{expected}."
    return f"Under today's policy it would be passed over: {choice.state}{f', {choice.why}' if choice.why else ''}."
