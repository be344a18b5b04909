"""A person's word on discovery: a model taken into a pool, a proposal followed or not wanted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from rotation.control.by import By
from rotation.control.pools import held
from rotation.core.lifecycle import Next
from rotation.discovery import places
from rotation.discovery.steps import BASIS
from rotation.models import Deployment, LifeStep, Placement, Pool, Step, StepState
from rotation.models.catalog import OUT

IN_A_POOL = (Step.CANARY, Step.PLACED, Step.DEMOTED)


@transaction.atomic
def adopt(
    by: By, thing: LifeStep | Deployment, *, pool: Pool | None = None, canary: bool = True, why: str = ""
) -> LifeStep:
    """Follow a proposal (a LifeStep), or take a deployment into a pool; the step that was taken.

    A deployment comes as a canary, or with `canary=False` as a full member at the end of the line. Raises
    ValidationError on `step`, `pool` or `deployment`.
    """
    if isinstance(thing, LifeStep):
        return _follow(by, thing, why)
    if pool is None:
        raise ValidationError({"pool": "Name the pool it is to join."})
    following = Next(Step.CANARY if canary else Step.PLACED, why or f"taken in by {by.actor}", {"by_hand": True})
    _do(by, thing, pool, following)
    for open_step in thing.steps.filter(pool=pool, state=StepState.PROPOSED, step__in=[Step.CANARY, Step.PLACED]):
        _decide(by, open_step, StepState.SUPERSEDED)
    return LifeStep.objects.create(
        deployment=thing, pool=pool, step=following.step, reason=following.reason, by=by.actor[:150],
        evidence={**following.evidence, BASIS: ""},
    )  # fmt: skip


@transaction.atomic
def reject(by: By, step: LifeStep, *, why: str = "") -> LifeStep:
    """Not wanted: the same is not proposed again until its evidence changes. Raises ValidationError on `step`."""
    step = _proposed(step)
    _decide(by, step, StepState.REJECTED, why=why)
    return step


def _follow(by: By, step: LifeStep, why: str) -> LifeStep:
    step = _proposed(step)
    if step.pool is None or step.step not in IN_A_POOL:
        raise ValidationError({"step": "This step belongs to no pool; it cannot be adopted."})
    _do(by, step.deployment, step.pool, Next(step.step, why or step.reason, step.evidence))
    _decide(by, step, StepState.TAKEN, why=why)
    return step


def _proposed(step: LifeStep) -> LifeStep:
    """The step as it is stored, locked. Somebody may have decided meanwhile."""
    locked = LifeStep.objects.select_for_update(of=("self",)).filter(pk=step.pk)
    found = locked.select_related("pool", "deployment__provider").first()
    if found is None:
        raise ValidationError({"step": "This proposal is not there any more."})
    if found.state != StepState.PROPOSED:
        who = f" by {found.decided_by}" if found.decided_by else ""
        raise ValidationError({"step": f"This step was decided already: {found.get_state_display().lower()}{who}."})
    return found


def _do(by: By, deployment: Deployment, pool: Pool, following: Next) -> None:
    held(pool, None)
    placement = pool.placements.filter(deployment=deployment).first()
    if following.step == Step.CANARY:
        _enter(by, deployment, pool, placement, following, canary=pool.canary_share)
    elif placement is None or not placement.enabled:
        if following.step == Step.DEMOTED:
            raise ValidationError({"step": f"{deployment} has no place in {pool} to lose."})
        _enter(by, deployment, pool, placement, following, canary=None)
    else:
        places.apply(by, placement, following)


def _enter(
    by: By, deployment: Deployment, pool: Pool, placement: Placement | None, following: Next, *, canary: float | None
) -> None:
    if placement is not None and placement.enabled:
        raise ValidationError({"deployment": f"{deployment} already has a place in {pool}."})
    if deployment.status in OUT:
        standing = deployment.get_status_display().lower()
        raise ValidationError({"deployment": f"{deployment} is {standing}: no call would go there."})
    places.admit(by, pool, deployment, canary=canary, why=following.reason, now=timezone.now())


def _decide(by: By, step: LifeStep, state: StepState, **facts: Any) -> None:
    step.state, step.decided_by, step.decided_at = state, by.actor[:150], timezone.now()
    step.save(update_fields=["state", "decided_by", "decided_at"])
    by.noted(str(state.label).lower(), step, **facts)
