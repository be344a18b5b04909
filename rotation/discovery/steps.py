"""Steps of lives as rows: taken at once, or proposed once for the same evidence and superseded when it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rotation.core.lifecycle import Next
from rotation.models import Deployment, LifeStep, Mode, Pool, Step, StepState

ACTOR = "rotation"
BASIS = "basis"  # the part of a step's evidence that says which evidence it was
REGISTRY = "registry"  # the part that says which version of a registry file brought the model in


@dataclass
class Doings:
    """What one consideration did and what waits for a person, each with a line for people."""

    taken: list[LifeStep] = field(default_factory=list)
    proposed: list[LifeStep] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        told = [_counted(self.taken)] if self.taken else []
        told += [f"proposed: {_counted(self.proposed)}"] if self.proposed else []
        return "; ".join([*(told or ["no model takes a further step"]), *self.notes])


#: A step as it is told of a number of models.
TOLD = {
    Step.LISTED: "wanted by no pool",
    Step.CANDIDATE: "to be verified",
    Step.VERIFIED: "verified",
    Step.INCOMPATIBLE: "incompatible",
    Step.CANARY: "into a pool as a canary",
    Step.PLACED: "into the rotation",
    Step.DEMOTED: "out of a pool",
    Step.GONE: "gone",
    Step.BACK: "back",
    Step.ARCHIVED: "archived",
}


def _counted(steps: list[LifeStep]) -> str:
    kinds = [Step(step.step) for step in steps]
    return ", ".join(f"{kinds.count(kind)} {TOLD[kind]}" for kind in dict.fromkeys(kinds))


def row(deployment: Deployment, following: Next, now: datetime, *, pool: Pool | None = None) -> LifeStep:
    """The step as a row, taken, not stored."""
    return LifeStep(
        deployment=deployment,
        pool=pool,
        step=Step(following.step),
        reason=following.reason,
        evidence={**following.evidence, BASIS: following.basis},
        by=ACTOR,
        at=now,
    )


class Ledger:
    """The open and rejected steps of one pool, so that nothing is proposed twice; and what it may do by itself."""

    def __init__(self, pool: Pool, now: datetime) -> None:
        self.pool, self.now = pool, now
        rows = pool.steps.filter(state__in=[StepState.PROPOSED, StepState.REJECTED]).order_by("at", "id")
        self._last: dict[tuple[int, str], LifeStep] = {(one.deployment_id, str(one.step)): one for one in rows}
        self._still: set[int] = set()

    def may(self, deployment: Deployment, following: Next, *, only_propose: bool = False) -> bool:
        """True: take it. False: it was proposed, or a person did not want it, or the pool leaves everything."""
        return self.pool.discovery == Mode.AUTOMATIC and not only_propose and not self.rejected(deployment, following)

    def rejected(self, deployment: Deployment, following: Next) -> bool:
        """Whether a person said no to this step on this evidence."""
        last = self._last.get((deployment.pk, following.step))
        return bool(last and last.state == StepState.REJECTED and last.evidence.get(BASIS) == following.basis)

    def propose(self, deployment: Deployment, following: Next) -> LifeStep | None:
        """A new proposal, unless it stands already, was rejected, or the pool wants none."""
        if self.pool.discovery == Mode.OFF or self.rejected(deployment, following):
            return None
        last = self._last.get((deployment.pk, following.step))
        if last and last.state == StepState.PROPOSED and last.evidence.get(BASIS) == following.basis:
            self._still.add(last.pk)
            return None
        proposal = row(deployment, following, self.now, pool=self.pool)
        proposal.state = StepState.PROPOSED
        proposal.save()
        return proposal

    def close(self) -> int:
        """Proposals whose evidence is gone are superseded; how many."""
        stale = [one.pk for one in self._last.values() if one.state == StepState.PROPOSED and one.pk not in self._still]
        if not stale:
            return 0
        return LifeStep.objects.filter(pk__in=stale, state=StepState.PROPOSED).update(
            state=StepState.SUPERSEDED, decided_by=ACTOR, decided_at=self.now
        )


def last_of(deployments: Iterable[Deployment], step: Step) -> dict[int, datetime]:
    """By deployment id, when it last took this step."""
    ids = [deployment.pk for deployment in deployments]
    rows = LifeStep.objects.filter(deployment_id__in=ids, step=step, state=StepState.TAKEN, pool=None)
    return dict(rows.order_by("at").values_list("deployment_id", "at"))


def words_on(deployments: Iterable[Deployment]) -> dict[int, datetime]:
    """By deployment id, since when it stands where a person put it: the last step of its own was a person's, and is
    what it is now. Such a word is not overruled; what came with a registry file is no such word."""
    status = {deployment.pk: deployment.status for deployment in deployments}
    rows = LifeStep.objects.filter(deployment_id__in=status, state=StepState.TAKEN, pool=None).order_by("at", "id")
    last = {row.deployment_id: row for row in rows}
    return {
        one: row.at
        for one, row in last.items()
        if row.by != ACTOR and row.step == status[one] and REGISTRY not in row.evidence
    }


def days(since: datetime, now: datetime) -> float:
    return (now - since) / timedelta(days=1)
