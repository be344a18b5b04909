"""Small pieces for the laboratory's tests: a pool of a few models, traffic, evidence, one replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rotation.core.failures import FailureKind
from rotation.core.policy import BALANCED, Policy
from rotation.core.targets import Account, Deployment, Key, Needs, Provider, Target
from rotation.gateway.snapshot import Learned, Route
from rotation.replay.engine import Outcome, run
from rotation.replay.evidence import gathered
from rotation.replay.fate import Fates
from rotation.replay.stage import Scenario, Stage
from rotation.replay.traffic import Asked, Seen, Spent

NOON = 1_760_356_800.0  # 2025-10-13 12:00 UTC, a quarter of an hour's beginning


def target(number: int, *, account: int = 0, **features: Any) -> Target:
    """Model `m<number>` of a provider and an account of its own, unless an account is named."""
    account = account or number
    provider = Provider(account, f"p{account}", "openai", "")
    return Target(
        Deployment(number, account, f"m{number}", **features),
        Key(account, account),
        Account(account, account),
        provider,
    )


def scenario(
    targets: Sequence[Target], *, policy: Policy = BALANCED, learned: Sequence[Learned] = (), strategy: str = "ordered"
) -> Scenario:
    order = tuple(dict.fromkeys(t.deployment.id for t in targets))
    by = {one: tuple(t for t in targets if t.deployment.id == one) for one in order}
    route = Route("auto", order, policy, 0, strategy)
    return Scenario(route, {one: found[0].deployment for one, found in by.items()}, by, learned)


def asked(at: float = NOON, *, prompt: int = 100, answer: int = 50, stream: bool = True, **needs: Any) -> Asked:
    return Asked(at, Needs(prompt_tokens=prompt, stream=stream, **needs), answer)


def seen(
    deployment: int,
    kind: FailureKind | None = None,
    *,
    first: float | None = 0.5,
    total: float = 1.0,
    at: float = NOON,
    prompt: int = 100,
    answer: int = 50,
    call: int = -1,
) -> Seen:
    status = 200 if kind is None else 503
    return Seen(at, deployment, kind, first if kind is None else None, total, prompt, answer, call, status)


def replay(
    traffic: Sequence[Asked],
    play: Scenario,
    rows: Iterable[Seen],
    *,
    seed: int = 1,
    own: Mapping[tuple[int, int], Seen] | None = None,
    seeds: Mapping[int, float | None] | None = None,
    others: Sequence[Spent] = (),
) -> list[Outcome]:
    names = {one: f"m{one}" for one in play.deployments}
    known = gathered(rows, {one: (seeds or {}).get(one) for one in play.deployments}, names)
    stage = Stage(play, start=traffic[0].at, seed=seed, others=others)
    return run(traffic, stage, Fates(known, seed, own))
