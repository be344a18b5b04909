"""Recorded traffic out of our own ledger: the calls of one pool in a window, and every attempt that tells something."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Floor
from django.db.models.functions.datetime import Extract

from rotation.core.failures import FailureKind
from rotation.core.targets import Needs
from rotation.models import Account, Attempt, CallOutcome, Request
from rotation.replay.evidence import SLOT
from rotation.replay.others import of_blocks, others
from rotation.replay.traffic import KEYS_OWN, REQUESTS_OWN, Asked, Recorded, Seen

MOST = 50_000  # calls of one replay
EVIDENCE = 200_000  # attempts read of other calls
LONGEST = timedelta(days=31)
DAY = timedelta(hours=24)
GENERATES = ("chat", "completions")
MEASURED = frozenset(kind.value for kind in FailureKind if kind not in REQUESTS_OWN | KEYS_OWN) | {"ok"}
REPLAYED = (CallOutcome.ANSWERED, CallOutcome.FAILED, CallOutcome.INTERRUPTED)
Really = tuple[bool, float]  # see `Recorded.really`
KINDS = {kind.value: kind for kind in FailureKind}
ATTEMPT = ("at", "deployment_id", "outcome", "first_ms", "total_ms", "tokens_in", "tokens_out", "request_id", "status",
           "retry_after_s")  # fmt: skip
FIELDS = {field.name: field for field in fields(Needs)}


class NoTraffic(ValueError):
    """There is nothing to replay; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Which quarters of an hour (of the epoch) of a window are replayed, none for all of it; and the rule in words."""

    blocks: tuple[int, ...]
    rule: str


def recorded(
    pool: str, since: datetime, until: datetime, deployments: Collection[int], *, most: int = MOST
) -> Recorded:
    """The window's traffic. `deployments`: of whom attempts are wanted, by whoever made them.

    A window with more calls than `most` is sampled by whole quarters of an hour, so that what overlapped still does.
    Raises `NoTraffic`.
    """
    rows = calls_of(pool, since, until)
    counts = dict(rows.values_list("outcome").annotate(n=Count("id")).order_by())
    calls = sum(counts.get(outcome, 0) for outcome in REPLAYED)
    if not calls:
        window = f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
        raise NoTraffic(f"The pool {pool} had no calls to replay from {window}: choose another window or a trace.")
    sampled = sample(rows.filter(outcome__in=REPLAYED), calls, most)
    asked, really, ids = _asked(rows.filter(outcome__in=REPLAYED), sampled, most)
    seen = measured(deployments, min(since, until - DAY), until, ids)
    left_out = {str(outcome): n for outcome, n in counts.items() if outcome not in REPLAYED}
    elsewhere = others(ids.keys(), deployments, since, until, sampled.blocks)
    return Recorded(
        tuple(asked), tuple(seen), source=f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC", rule=sampled.rule,
        left_out=left_out, others=elsewhere, window=(until - since).total_seconds(), share=len(asked) / calls,
        really=tuple(really),
    )  # fmt: skip


def calls_of(pool: str, since: datetime, until: datetime) -> QuerySet[Request]:
    """Generated text that clients asked of a pool; who named the model to be asked (a pin) leaves nothing to decide."""
    rows = Request.objects.filter(pool=pool, at__gte=since, at__lt=until, operation__in=GENERATES, internal=False)
    return rows.exclude(policy__has_key="pin")


def sample(rows: QuerySet[Request], calls: int, most: int) -> Sampled:
    """Everything up to `most`; beyond, quarters of an hour evenly spread over the window until they hold so many."""
    if calls <= most:
        return Sampled((), f"all {calls:,} calls")
    place = Floor(Extract("at", "epoch") / SLOT)
    per = dict(rows.annotate(block=place).values_list("block").annotate(n=Count("id")).order_by())
    return Sampled(*spread({int(block): n for block, n in per.items()}, calls, most))


def spread(per: Mapping[int, int], calls: int, most: int) -> tuple[tuple[int, ...], str]:
    """Every n-th quarter of an hour, n as small as `most` calls allow; and the rule in words."""
    blocks = sorted(per)
    chosen, every = blocks, 1
    while len(chosen) > 1 and sum(per[b] for b in chosen) > most:
        every += 1
        chosen = blocks[every // 2 :: every] or blocks[:1]
    which = "" if every == 1 else f"every {every}. quarter of an hour, "
    return tuple(chosen), f"{which}at most {most:,} of {calls:,} calls"


def _asked(rows: QuerySet[Request], sampled: Sampled, most: int) -> tuple[list[Asked], list[Really], dict[UUID, int]]:
    """The calls by time, what really came of each, and each one's place by its id."""
    rows = rows.filter(of_blocks(sampled.blocks))
    names = ("id", "at", "stream", "tokens_in", "tokens_out", "needs", "outcome", "total_ms")
    found = list(rows.order_by("at", "id").values_list(*names)[:most])
    answers = sorted(row[4] for row in found if row[6] == CallOutcome.ANSWERED)
    usual = answers[len(answers) // 2] if answers else 0
    asked, really = [], []
    for _, at, stream, tokens_in, tokens_out, needs, outcome, total in found:
        wanted, answered = needs_of(needs, tokens_in, stream=stream), outcome == CallOutcome.ANSWERED
        asked.append(Asked(at.timestamp(), wanted, tokens_out if answered else usual, wanted.max_output))
        really.append((answered, total / 1000))
    return asked, really, {row[0]: index for index, row in enumerate(found)}


def needs_of(kept: object, tokens_in: int, *, stream: bool) -> Needs:
    """What the call needed, as far as it was kept; the prompt as the provider counted it, where it did."""
    known: dict[str, Any] = {"stream": stream}
    for name, value in (kept if isinstance(kept, dict) else {}).items():
        usual = FIELDS[name].default if name in FIELDS else None
        right = type(value) is (int if name == "max_output" else type(usual))
        if name in FIELDS and right:
            known[name] = value
    if tokens_in:
        known["prompt_tokens"] = tokens_in
    return Needs(**known)


def measured(
    deployments: Collection[int], since: datetime, until: datetime, ids: Mapping[UUID, int] | None = None
) -> list[Seen]:
    """The attempts of the replayed calls (`ids`, by request), and of others an even sample of `EVIDENCE` at most."""
    rows = Attempt.objects.filter(
        deployment_id__in=deployments, at__gte=since, at__lt=until, outcome__in=MEASURED, internal=False
    )
    every = max(1, -(-rows.count() // EVIDENCE))
    found = rows.order_by("at", "id").values_list(*ATTEMPT).iterator(chunk_size=20_000)
    return [row for n, told in enumerate(found) if (row := _one(told, ids or {})).call >= 0 or n % every == 0]


def mostly_streams(pool: str, since: datetime, until: datetime) -> bool:
    """Whether most of a pool's calls are streamed; what is not known is."""
    rows = Request.objects.filter(pool=pool, at__gte=since, at__lt=until, operation__in=GENERATES, internal=False)
    counts = rows.aggregate(streams=Count("id", filter=Q(stream=True)), calls=Count("id"))
    return bool(counts["streams"] * 2 >= counts["calls"])


def _one(told: Sequence[Any], ids: Mapping[UUID, int]) -> Seen:
    at, deployment, outcome, first, total, tokens_in, tokens_out, request, status, retry = told
    kind = None if outcome == "ok" else KINDS[outcome]
    return Seen(
        at.timestamp(), deployment, kind, first / 1000 if first is not None else None, total / 1000, tokens_in,
        tokens_out, ids.get(request, -1), status, retry,
    )  # fmt: skip


def accounts(ids: Iterable[int]) -> dict[int, str]:
    """Names for people."""
    rows = Account.objects.filter(pk__in=list(ids)).select_related("provider")
    return {row.pk: str(row) for row in rows}
