"""What comes next in a deployment's life, and why: listed, candidate, verified, canary, in the rotation, and out again.

Every rule takes numbers and answers with a `Next` (a step, its reason in words, the numbers it rests on) or None for
"nothing yet". Whether a step is taken or only proposed is the pool's policy; nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from rotation.core.stats import wilson

# canary
ENOUGH = 30  # answered or failed calls before a canary may become a full member
CLEARLY = 10  # before one that is clearly worse is sent away
TOO_MANY = 150  # with so many and no proof of being as good, it is not
MARGIN = 0.15  # of success a canary's lower bound may stand below the pool's own
ABSURD = 3.0  # times the slowest member's median, from which on an answer is too slow ...
ABSURD_MS = 10_000.0  # ... if it takes longer than this at all
CANARIES = 3  # of one pool at a time: with 5 % each no more than 15 % of the calls
# member
COLLAPSE_CALLS = 20
COLLAPSED = 0.5  # a member whose success is below this with 97.5 % certainty is no use
# time
ARCHIVE_DAYS = 30.0

VERIFIED, INCOMPATIBLE = "verified", "incompatible"


@dataclass(frozen=True, slots=True)
class Next:
    """A step that follows. `basis` names the evidence: while it is the same, a rejected step is not proposed again."""

    step: str
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last verdict on one capability. `score` and `low` are 0..5; `whole`: its cause holds for the whole model."""

    verdict: str
    score: float | None = None
    low: float | None = None
    latency_ms: float | None = None
    reason: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What traffic showed: answered, failed (limits are nobody's failure and not counted), median of the answers."""

    ok: int = 0
    failed: int = 0
    p50_ms: float | None = None

    @property
    def calls(self) -> int:
        return self.ok + self.failed

    @property
    def share(self) -> float:
        return self.ok / self.calls if self.calls else 0.0


def proved(seen: Mapping[str, Seen]) -> frozenset[str]:
    """The capabilities it was seen to have."""
    return frozenset(name for name, one in seen.items() if one.verdict == VERIFIED)


def seconds(seen: Mapping[str, Seen]) -> float | None:
    """The middle one of the capabilities' latencies, in seconds; None when none was measured."""
    known = sorted(one.latency_ms for one in seen.values() if one.latency_ms is not None)
    return known[len(known) // 2] / 1000 if known else None


def standing(seen: Mapping[str, Seen], base: Collection[str]) -> Next | None:
    """Verified when it can do what every model must, incompatible when it was seen not to; None while neither is."""
    failed = [name for name, one in seen.items() if one.verdict == INCOMPATIBLE and (one.whole or name in base)]
    evidence = {"verdicts": {name: one.verdict for name, one in sorted(seen.items())}}
    if failed:
        why = "; ".join(f"{_plain(name)}: {seen[name].reason or 'failed'}" for name in failed)
        return Next(INCOMPATIBLE, why, evidence, _basis(seen))
    if base and all(name in seen and seen[name].verdict == VERIFIED for name in base):
        can = sorted(proved(seen))
        return Next(
            VERIFIED, f"proved {len(can)} of {len(seen)}: {', '.join(map(_plain, can))}", evidence, _basis(seen)
        )
    return None


def entry(seen: Mapping[str, Seen], facts: Mapping[str, Any]) -> Next:
    """Into a pool that wants it, as a canary. `facts` (price, context) are part of what a decision rests on."""
    can, took = sorted(proved(seen)), seconds(seen)
    scores = {name: one.score for name, one in sorted(seen.items()) if one.score is not None}
    about = ", ".join(map(_plain, can))
    given = [scores[name] for name in can if name in scores]
    pace = f" ({sum(given) / len(given):.1f} of 5 on average)" if given else ""
    pace += f"; {took:.1f} s an answer" if took is not None else ""
    evidence = {"proved": can, "scores": scores, "seconds": took, **facts}
    return Next("canary", f"the pool wants such models, and it proved {about}{pace}", evidence, f"{can} {dict(facts)}")


def of_canary(own: Record, house: Record, slowest_ms: float | None) -> Next | None:
    """A canary's calls against those of the pool's full members (`house`)."""
    low, high = wilson(own.ok, own.calls)
    wanted = max((house.share if house.calls else 1.0) - MARGIN, 0.0)
    evidence = _figures(own, low, high) | {"pool": round(house.share, 4), "pool_calls": house.calls, "wanted": wanted}
    told = f"{own.ok} of {own.calls} calls answered (at least {low:.0%}; the pool: {house.share:.0%})"
    if own.calls >= CLEARLY and high < wanted:
        return Next("demoted", f"as a canary {told}: worse than the pool", evidence, f"canary {own.share:.1f}")
    if own.calls >= ENOUGH and (slow := _absurd(own.p50_ms, slowest_ms)):
        return Next("demoted", f"as a canary {slow}", evidence, "canary slow")
    if own.calls >= ENOUGH and low >= wanted:
        return Next("placed", f"as a canary {told}", evidence, "canary good")
    if own.calls >= TOO_MANY:
        return Next("demoted", f"as a canary {told}: not shown to be as good as the pool", evidence, "canary unproved")
    return None


def of_member(own: Record, house: Record) -> Next | None:
    """Out, when hardly a call of it is answered while the others work. When all fail, it is not this one's doing."""
    low, high = wilson(own.ok, own.calls)
    others = Record(house.ok - own.ok, house.failed - own.failed)
    if own.calls < COLLAPSE_CALLS or high >= COLLAPSED or others.share <= own.share + MARGIN:
        return None
    told = f"{own.ok} of {own.calls} calls answered in a day (at most {high:.0%}; the others: {others.share:.0%})"
    evidence = _figures(own, low, high) | {"others": round(others.share, 4)}
    return Next("demoted", told, evidence, f"collapsed {own.share:.1f}")


def archived(days: float) -> Next | None:
    """After a month nobody expects it back."""
    return Next("archived", f"gone for {days:.0f} days", {"days": round(days, 1)}) if days >= ARCHIVE_DAYS else None


def _absurd(own_ms: float | None, slowest_ms: float | None) -> str:
    if own_ms is None or own_ms <= ABSURD_MS or (slowest_ms is not None and own_ms <= ABSURD * slowest_ms):
        return ""
    than = f", the slowest member {slowest_ms / 1000:.1f} s" if slowest_ms is not None else ""
    return f"it took {own_ms / 1000:.1f} s an answer{than}"


def _figures(own: Record, low: float, high: float) -> dict[str, Any]:
    figures = {"ok": own.ok, "failed": own.failed, "low": round(low, 4), "high": round(high, 4)}
    return figures | ({"p50_ms": round(own.p50_ms, 1)} if own.p50_ms is not None else {})


def _basis(seen: Mapping[str, Seen]) -> str:
    return " ".join(f"{name}:{one.verdict}" for name, one in sorted(seen.items()))


def _plain(name: str) -> str:
    return name.replace("_", " ")
