"""When nobody answers: when each candidate can be had again, its quotas included, and which other pool could serve.

What a client is then told stands in `refusals`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rotation.core.fitness import unfit
from rotation.core.rotation import GiveUp
from rotation.core.selection import NEVER, Candidate
from rotation.core.targets import Target
from rotation.gateway.call import Call
from rotation.gateway.health import Health
from rotation.gateway.leave import Work
from rotation.gateway.snapshot import Route, Snapshot
from rotation.providers.transcripts import billed


def honest(end: GiveUp, candidates: Iterable[Candidate], health: Health, work: Work) -> GiveUp:
    """The same end with the earliest feasible moments: later where a quota lacks room for this call until then."""
    if not health.limits.quotas:
        return end
    now, back = health.now(), dict(end.back)
    for target in (c.target for c in candidates if back.get(c.target.id, NEVER) < NEVER):
        audio = billed(target.provider.kind, work.audio_seconds)
        room = health.limits.ready_at(target, work.tokens, now, output=work.output, audio=audio, keep=work.keep)
        back[target.id] = max(back[target.id], room)
    soonest = min(back.values(), default=NEVER)
    return replace(end, back=back, retry_at=soonest if soonest < NEVER else None)


def peers_of(candidates: Iterable[Candidate], soon: float) -> tuple[Target, ...]:
    """Whom a call could go to before the moment `soon`, in health or not: nobody unfit, out of service or told off."""
    return tuple(
        c.target for c in candidates if c.standing.until <= soon or (c.standing.guessed and c.standing.until < NEVER)
    )


def pools_that_fit(snapshot: Snapshot, call: Call, route: Route) -> list[str]:
    """Other pools of the client's with a model that has a key and could serve this call."""
    others = [p for name, p in snapshot.pools.items() if name != route.pool and _may(call, name)]
    return [p.name for p in others if any(_serves(snapshot, place.deployment, call) for place in p.placements)]


def _may(call: Call, pool: str) -> bool:
    return not call.client.pools or pool in call.client.pools


def _serves(snapshot: Snapshot, deployment: int, call: Call) -> bool:
    targets = snapshot.targets.get(deployment, ())
    return bool(targets) and unfit(targets[0].deployment, call.needs, targets[0].provider.kind) is None
