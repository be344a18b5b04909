"""Which targets fit this call, in order, and why each of the others is skipped.

Pure: what health knows comes in as a function from target to `Standing`. The order is the pool's;
selection never reorders by taste, it only sets aside. Targets that were set aside on our own judgement (an open
breaker, a cooldown nobody named the end of) come back as a last resort, soonest recovery first: the panic rule and
the ejection cap are one list. What a provider or a person said is never overruled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from rotation.core.fitness import unfit, wanted
from rotation.core.policy import Policy
from rotation.core.targets import Needs, Target

READY_AT_ONCE = 0.0
NEVER = float("inf")


class State(StrEnum):
    """How a target stood when the call came in; also the words of the decision trace."""

    READY = "ready"
    COOLING = "cooling"  # a cooldown or an empty quota bucket: comes back by itself
    RESTING = "resting"  # an open breaker: comes back through a probe
    BENCHED = "benched"  # key invalid, model gone, switched off: a person or a job brings it back
    UNFIT = "unfit"  # cannot serve this call, whatever its health


@dataclass(frozen=True, slots=True)
class Standing:
    """`until` is when it may be tried again, in engine time (seconds); infinity when nobody knows.

    `guessed`: the moment is our own judgement, not a provider's or a person's word. `limited`: a rate limit or a quota
    is in the way, not a fault; a client may be told to come back.
    """

    state: State
    until: float = READY_AT_ONCE
    why: str = ""
    guessed: bool = False
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target and how it stood. `last_resort` may be tried when every ready one has failed."""

    target: Target
    standing: Standing
    last_resort: bool = False


READY = Standing(State.READY)


def select(
    targets: Iterable[Target], needs: Needs, policy: Policy, standing: Callable[[Target], Standing]
) -> list[Candidate]:
    """Every target with its standing, in the order given; the resting ones allowed as a last resort are marked."""
    found: list[Candidate] = []
    known, reason, features = -1, None, wanted(needs)
    for target in targets:
        if target.deployment.id != known:  # the targets of a deployment stand together
            known, reason = target.deployment.id, unfit(target.deployment, needs, target.provider.kind, features)
        found.append(Candidate(target, standing(target) if reason is None else Standing(State.UNFIT, NEVER, reason)))
    if any(c.standing.guessed for c in found):
        return _with_last_resorts(found, policy)
    return found


def _with_last_resorts(found: list[Candidate], policy: Policy) -> list[Candidate]:
    """Panic allows every target set aside by ourselves; without it, only those beyond the share that may be."""
    resting = sorted((c for c in found if c.standing.guessed), key=lambda c: c.standing.until)
    fit = {c.target.deployment.id for c in found if c.standing.state is not State.UNFIT}
    if policy.panic:
        allowed = len(resting)
    elif policy.ejection_cap is not None:
        allowed = max(0, len(resting) - int(policy.ejection_cap * len(fit)))
    else:
        allowed = 0
    chosen = {c.target.id for c in resting[:allowed]}
    return [Candidate(c.target, c.standing, c.target.id in chosen) for c in found]
