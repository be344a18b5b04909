"""What becomes of a task when its answer is there: done or put off; with the last, a verdict and a run's end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from django.db import transaction
from django.db.models import Count

from rotation.core.likeness import nearest
from rotation.core.verdicts import PASS, Judged, Trial, Word, judge
from rotation.discovery.verify import causes, queue
from rotation.discovery.verify.causes import Cause, Weight
from rotation.discovery.verify.findings import Finding
from rotation.models import (
    Deployment,
    RunState,
    TaskState,
    Verdict,
    Verification,
    VerificationRun,
    VerificationTask,
)
from rotation.models.catalog import OUT

PATIENCE = timedelta(days=14)  # so long a rate limit may keep a task waiting
BACKOFF = (60.0, 600.0, 3_600.0)  # seconds before a task is asked again that nobody is to blame for
AT_LEAST = 2.0  # seconds
UNTOLD = 300.0  # where nobody says when a limit ends
AT_MOST = 86_400.0


@transaction.atomic
def record(task: VerificationTask, finding: Finding, now: datetime) -> bool:
    """Store what was found, in one transaction; False when the claim was lost meanwhile, and nothing is stored."""
    run = VerificationRun.objects.select_for_update().get(pk=task.run_id)
    if not queue.held(task):
        return False
    if finding.unheard or (finding.trial.limited and not finding.sent):
        task.asked -= 1  # nobody was asked anything
    again = _again_after(task, finding, run, now)
    if run.state != RunState.RUNNING:
        task.state = TaskState.CANCELLED
    elif again is not None:
        task.state, task.due_at = TaskState.WAITING, now + timedelta(seconds=again)
        task.cause, task.detail = finding.trial.cause, finding.trial.reason
    else:
        _finish(task, finding, now)
    task.save()
    if task.state == TaskState.DONE:
        _conclude(task, finding, now)
    end_if_done(run, now)
    return True


def _again_after(task: VerificationTask, finding: Finding, run: VerificationRun, now: datetime) -> float | None:
    """Seconds until it is asked again, None when this was its answer."""
    if finding.unheard:
        return BACKOFF[0]
    if finding.weight is Weight.WAIT and now - run.started_at < PATIENCE:
        return min(max(finding.wait or UNTOLD, AT_LEAST), AT_MOST)
    tries = max(task.asked, 1)
    if finding.weight is Weight.LATER and tries <= len(BACKOFF):
        return max(min(finding.wait or 0.0, AT_MOST), BACKOFF[tries - 1])
    return None


def _finish(task: VerificationTask, finding: Finding, now: datetime) -> None:
    trial = finding.trial
    task.state, task.ended_at = TaskState.DONE, now
    task.verdict = _verdict(trial)
    task.score = trial.score if trial.counts else None
    task.cause, task.detail = trial.cause, trial.reason
    task.latency_ms, task.first_ms = finding.latency_ms, finding.first_ms


def _verdict(trial: Trial) -> str:
    if trial.limited:
        return Verdict.RATE_LIMITED
    if not trial.counts:
        return Verdict.INCONCLUSIVE
    return Verdict.VERIFIED if trial.score >= PASS else Verdict.INCOMPATIBLE


def _conclude(task: VerificationTask, finding: Finding, now: datetime) -> None:
    """Give the capability its verdict if that is clear, and call off what need not be asked any more."""
    group = list(task.run.tasks.filter(deployment=task.deployment, capability=task.capability))
    done = [one for one in group if one.state == TaskState.DONE]
    judged = judge([_trial(one) for one in done], planned=len(group))
    if judged is None:
        return
    whole = bool(judged.cause) and causes.TABLE[Cause(judged.cause)].whole
    _write(task, judged, done, now)
    rest = task.run.tasks.filter(deployment=task.deployment, state=TaskState.WAITING)
    why = "it holds for the whole model" if whole else "clear without it"
    (rest if whole else rest.filter(capability=task.capability)).update(
        state=TaskState.CANCELLED, detail=why, ended_at=now
    )
    if not queue.open_tasks(task.run).filter(deployment=task.deployment).exists():
        Deployment.objects.filter(pk=task.deployment_id).update(verified_at=now)


def _trial(task: VerificationTask) -> Trial:
    """As it was when it ended. What has a latency was the model's own answer, and no such one decides alone."""
    refused = bool(task.cause) and task.latency_ms is None
    final = refused and causes.TABLE[Cause(task.cause)].weight is Weight.DECIDES
    limited, counts = task.verdict == Verdict.RATE_LIMITED, task.score is not None
    return Trial(task.score or 0.0, task.cause, task.detail, counts=counts, final=final, limited=limited)


def _write(task: VerificationTask, judged: Judged, done: Sequence[VerificationTask], now: datetime) -> None:
    cause, details = judged.cause, judged.reason
    if cause == Cause.DOES_NOT_EXIST and (near := near_ids(task.deployment)):
        never_seen = task.deployment.listed_at is None  # what was listed once had the right id
        cause = Cause.WRONG_ID.value if never_seen else cause
        details = f"near it: {', '.join(near)}"
    latencies = [one.latency_ms for one in done if one.latency_ms is not None]
    firsts = [one.first_ms for one in done if one.first_ms is not None]
    Verification.objects.create(
        deployment=task.deployment,
        run=task.run,
        capability=task.capability,
        verdict=judged.word.value,
        score=judged.score,
        low=judged.low,
        high=judged.high,
        trials=judged.trials,
        latency_ms=median(latencies) if latencies else None,
        first_ms=median(firsts) if firsts else None,
        cause="" if judged.word is Word.VERIFIED else cause,
        reason="" if judged.word is Word.VERIFIED else reason_of(cause, details, judged, len(done)),
        at=now,
    )


def reason_of(cause: str, details: str, judged: Judged, asked: int) -> str:
    """Why, for people: the cause, what was seen, how often, and what to do."""
    if not cause:
        return "The trials disagree; verify it again."
    often = f" ({judged.trials} of {asked} trials count)" if judged.trials < asked else ""
    return causes.sentence(cause, details + often if details else often.strip())


def near_ids(deployment: Deployment) -> list[str]:
    """Living ids of the same provider that are very like this one's."""
    living = Deployment.objects.filter(provider_id=deployment.provider_id).exclude(status__in=OUT)
    return nearest(deployment.model_id, living.exclude(pk=deployment.pk).values_list("model_id", flat=True))


def end_if_done(run: VerificationRun, now: datetime) -> None:
    """Close a run whose tasks are all done, with one line on what was found."""
    if run.state == RunState.RUNNING and not queue.open_tasks(run).exists():
        run.state, run.ended_at, run.summary = RunState.DONE, now, summary(run)
        run.save(update_fields=["state", "ended_at", "summary"])


def summary(run: VerificationRun) -> str:
    """How many of each verdict."""
    told = run.verdicts.order_by().values_list("verdict").annotate(n=Count("id"))
    counts = dict(told)
    words = [f"{counts[verdict]} {verdict.label}" for verdict in Verdict if verdict in counts]
    models = run.tasks.values("deployment").distinct().count()
    return f"{models} model{'s' * (models != 1)}: {', '.join(words) or 'nothing found out'}"
