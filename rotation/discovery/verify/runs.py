"""A verification as people know it: started for some models, worked on, called off, and how far it is.

The order of its tasks is systematic: model by model, the models of one provider taken from its families in turn, and
the providers in turn, so that no single limit is what everything waits for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import TypeVar

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from rotation.core.verdicts import PLANNED
from rotation.discovery.verify import queue, records, suite, worker
from rotation.discovery.verify.asking import Gateway
from rotation.discovery.verify.claims import facts_of
from rotation.models import Deployment, DeploymentStatus, RunState, TaskState, VerificationRun, VerificationTask
from rotation.providers.model_names import work_of

T = TypeVar("T")
CHAT = "chat"
AT_ONCE = 500  # rows written by one statement
AWAY = (DeploymentStatus.GONE, DeploymentStatus.ARCHIVED)


def start(
    by: str, deployments: Iterable[Deployment], *, about: str = "", capabilities: Sequence[str] | None = None,
    trials: int = PLANNED,
) -> VerificationRun:  # fmt: skip
    """A run over these models, of all that applies to them or of the named capabilities. Sends nothing yet.

    What is waiting already is not asked twice: when nothing is left to add, the run that has it is returned.
    Raises ValidationError for unknown capabilities, and when none of the models can be asked.
    """
    wanted = _known(capabilities)
    chosen = {one.pk: one for one in deployments}
    asked = [one for one in chosen.values() if one.status not in AWAY and work_of(one.model_id, one.tags) == CHAT]
    if not asked:
        raise ValidationError(_nobody(list(chosen.values())))
    with transaction.atomic():
        _one_at_a_time()
        open_now = set(queue.open_tasks(None).values_list("deployment_id", "capability"))
        plan = [
            (one, name)
            for one in in_turn(asked)
            for name in suite.asked_of(facts_of(one, None))
            if name in wanted and (one.pk, name) not in open_now
        ]
        if not plan:
            return _covering(asked) or _empty(by, about, asked)
        run = VerificationRun.objects.create(started_by=by[:150], about=(about or _words(asked))[:300])
        rows = [
            VerificationTask(run=run, deployment=one, capability=name, trial=n, due_at=run.started_at)
            for one, name in plan
            for n in range(1, trials + 1)
        ]
        VerificationTask.objects.bulk_create(_interleaved(rows), AT_ONCE)
        _try_again(asked)
    return run


def _known(capabilities: Sequence[str] | None) -> Sequence[str]:
    if unknown := sorted(set(capabilities or ()) - set(suite.SUITE)):
        known = ", ".join(suite.SUITE)
        raise ValidationError({"capabilities": f"No such capability: {', '.join(unknown)}. There are: {known}."})
    return list(capabilities) if capabilities else list(suite.SUITE)


def _nobody(deployments: Sequence[Deployment]) -> str:
    if not deployments:
        return "No model was named to verify."
    away = sum(one.status in AWAY for one in deployments)
    if away == len(deployments):
        return "These models are gone from their providers; there is nobody to ask."
    return "None of these models is for chats; only chat models are verified."


def _one_at_a_time() -> None:
    """Two people who press the button at once start one run: the second one finds the first one's tasks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [queue.LOCKS + 1])


def _covering(asked: Sequence[Deployment]) -> VerificationRun | None:
    open_task = queue.open_tasks(None).filter(deployment__in=asked).order_by("-run_id").first()
    return open_task.run if open_task else None


def _empty(by: str, about: str, asked: Sequence[Deployment]) -> VerificationRun:
    now = timezone.now()
    return VerificationRun.objects.create(
        started_by=by[:150], started_at=now, ended_at=now, state=RunState.DONE, about=(about or _words(asked))[:300],
        summary="nothing to ask: the capabilities named do not apply to these models",
    )  # fmt: skip


def _words(asked: Sequence[Deployment]) -> str:
    names = ", ".join(one.name for one in asked[:3])
    return f"{names} and {len(asked) - 3} more" if len(asked) > 3 else names


def _try_again(asked: Sequence[Deployment]) -> None:
    """No call goes to an incompatible model, this one's neither: it gets another chance as a candidate."""
    for one in asked:
        if one.status == DeploymentStatus.INCOMPATIBLE:
            one.mark(DeploymentStatus.CANDIDATE, "being verified again")


def in_turn(deployments: Iterable[Deployment]) -> list[Deployment]:
    """One of each family in turn, within each provider."""
    families: dict[tuple[int, str], list[Deployment]] = defaultdict(list)
    for one in sorted(deployments, key=lambda d: (d.provider_id, d.family, d.model_id)):
        families[one.provider_id, one.family].append(one)
    return _woven(list(families.values()))


def _interleaved(rows: Sequence[VerificationTask]) -> list[VerificationTask]:
    """The providers' tasks in turn, each provider's own in their order."""
    lines: dict[int, list[VerificationTask]] = defaultdict(list)
    for row in rows:
        lines[row.deployment.provider_id].append(row)
    return _woven(list(lines.values()))


def _woven(lines: Sequence[Sequence[T]]) -> list[T]:
    nothing = object()
    return [one for row in zip_longest(*lines, fillvalue=nothing) for one in row if one is not nothing]  # type: ignore[misc]


def work(
    run: VerificationRun | None = None,
    *,
    until: datetime | None = None,
    progress: Callable[[str], None] | None = None,
) -> str:
    """Ask what is waiting, of one run or of all, through the gateway. One line on what was done and what is left.

    Returns at `until`; without it when nothing is left, or nothing for the next five minutes (limits are waited for in
    the database, not here). May be interrupted or killed at any moment, and run by several processes at once.
    """

    async def through_the_gateway() -> str:
        async with gateway:
            return await worker.work(gateway, run, until=until, progress=progress)

    gateway = Gateway.here()
    return async_to_sync(through_the_gateway)()


@transaction.atomic
def cancel(by: str, run: VerificationRun) -> VerificationRun:
    """Call off what was not asked yet; verdicts that are there stay. What is under way ends without a record."""
    now = timezone.now()
    run = VerificationRun.objects.select_for_update().get(pk=run.pk)
    if run.state != RunState.RUNNING:
        return run
    left = run.tasks.filter(state=TaskState.WAITING).update(
        state=TaskState.CANCELLED, detail=f"called off by {by}"[:300], ended_at=now
    )
    run.state, run.ended_at = RunState.DONE, now
    run.summary = f"called off by {by} with {left} questions unasked; {records.summary(run)}"
    run.save(update_fields=["state", "ended_at", "summary"])
    return run


@dataclass(frozen=True, slots=True)
class Outlook:
    """How far a run is. `left` counts questions that will probably be asked: a third trial only where two disagree.

    `ends_at` is when it probably ends, None when nothing is left or nobody can say; `why` is what it waits for.
    """

    done: int
    left: int
    models: int
    models_done: int
    verdicts: dict[str, int] = field(default_factory=dict)
    per_hour: float = 0.0
    next_at: datetime | None = None
    ends_at: datetime | None = None
    why: str = ""

    @property
    def share(self) -> float:
        return self.done / (self.done + self.left) if self.done + self.left else 1.0


def outlook(run: VerificationRun, now: datetime | None = None) -> Outlook:
    """Where it stands now, and when it will be done by what its accounts' limits allow."""
    from rotation.discovery.verify import forecast  # noqa: PLC0415 - it needs the words above

    return forecast.of(run, now or timezone.now())
