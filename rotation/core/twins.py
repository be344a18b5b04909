"""Which two accounts may be one: what each tells of its remaining requests falls by what the other has used.

A provider limits accounts, not keys. Somebody who enters two keys of one account as two accounts would have it counted
double; the provider's own numbers tell. This proposes and never decides. Pure: `now` is any steady clock in seconds.

For an account's first number r0 and a later one r, with `own` and `other` requests counted meanwhile, at a rate of
refill of limit / window:

    alone:    r = r0 + refill - own                 one with the other:    r = r0 + refill - own - other
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

#: Requests of the other account before its part can be told from rounding, in every comparison.
APART = 6
#: Seconds of refill on top of that: nobody knows to the second when the provider looked.
BLUR = 4.0
#: How far a number may be from what is expected of it, as a share of what the other account has used.
NEAR = 0.25
#: Comparisons that must speak for it, in each of the two directions.
PROOFS = 8
#: Of five comparisons one may be spoilt, by a third user or by answers that overtook each other.
DOUBT = 4


@dataclass(frozen=True, slots=True)
class Twins:
    """`one` and `other` are account ids, the smaller first. `proofs` comparisons spoke for it, `against` not."""

    one: int
    other: int
    proofs: int
    against: int


@dataclass(slots=True)
class _Start:
    """A number an account was told, and how much either account had used by then."""

    remaining: float
    at: float
    own: int
    other: int


class Detector:
    """Watches the accounts of one installation. A `subject` is what is counted: the same model and window for all."""

    def __init__(self) -> None:
        self._used: dict[str, Counter[int]] = {}
        self._starts: dict[tuple[str, int, int], _Start] = {}
        self._votes: Counter[tuple[int, int, bool]] = Counter()
        self._said: set[tuple[int, int]] = set()

    def told(
        self, subject: str, account: int, remaining: float, limit: float, window: float, now: float
    ) -> Twins | None:
        """One more request of this account was counted, and the provider said what remains to it.

        A proposal, the first time there is reason for one.
        """
        used = self._used.setdefault(subject, Counter())
        used[account] += 1
        if len(used) == 1 or not (0 <= remaining < limit and math.isfinite(limit) and window > 0):
            return None
        found = None
        for other in used.keys() - {account}:
            here = _Start(remaining, now, used[account], used[other])
            if self._compare((subject, account, other), here, limit, limit / window):
                found = self._proposal(min(account, other), max(account, other)) or found
        return found

    def _compare(self, key: tuple[str, int, int], here: _Start, limit: float, rate: float) -> bool:
        """Whether there is one more vote, for or against."""
        start = self._starts.setdefault(key, here)
        theirs = here.other - start.other
        if theirs < APART + rate * BLUR:
            return False
        self._starts[key] = here
        full = start.remaining + (here.at - start.at) * rate
        if full > limit:
            return False  # it has been full meanwhile, and what was used before that is forgotten
        together = full - (here.own - start.own) - theirs
        self._votes[key[1], key[2], abs(here.remaining - together) <= NEAR * theirs] += 1
        return True

    def _proposal(self, one: int, other: int) -> Twins | None:
        each = [self._votes[one, other, True], self._votes[other, one, True]]
        against = self._votes[one, other, False] + self._votes[other, one, False]
        if min(each) < PROOFS or against * DOUBT > sum(each) or (one, other) in self._said:
            return None
        self._said.add((one, other))
        return Twins(one, other, sum(each), against)
