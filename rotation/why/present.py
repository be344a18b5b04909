"""What the present policy would choose for a call's needs: the real selection over the real configuration, unsent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rotation.core.rotation import Rotation, Try, Wait
from rotation.core.selection import NEVER, Candidate, State
from rotation.core.strategies import ROUND_ROBIN, WEIGHTED
from rotation.core.targets import Target
from rotation.gateway.choosing import meant
from rotation.gateway.envelope import Refusal
from rotation.gateway.snapshot import Route
from rotation.models import Deployment, Request
from rotation.why import quotas
from rotation.why.facts import Choice, Measured, Policy, Present, Row
from rotation.why.measured import measured
from rotation.why.scene import Scene, middle, strategies_of
from rotation.why.stored import call_of, policy_of
from rotation.why.words import changed_words, present_words

MINUTE = timedelta(minutes=1)
OWN_TURN = "Whose turn it is only the gateway knows: this is one order that may come."


def present(request: Request, now: datetime, then: Sequence[Row] = ()) -> Present:
    """The same needs, asked now. `then`: the rows of the call, for comparison."""
    scene = Scene.of(now)
    call, assumed = call_of(request, policy_of(request), scene.client(request.client_key_id), now.timestamp())
    try:
        route = meant(scene.snapshot, call)
    except Refusal as refusal:
        said = f"Such a call would be turned away: {refusal.message}"
        return Present(now, Policy("", None, ""), None, 0.0, None, (), said, refused=refusal.message, assumed=assumed)
    if strategies_of(route) & {ROUND_ROBIN, WEIGHTED}:
        assumed = f"{assumed} {OWN_TURN}".strip()
    candidates = scene.candidates(route, call)
    chosen, wait = first_of(candidates, route, now.timestamp())
    choices = Telling.of(scene, candidates).choices(candidates)
    first = next((c for c in choices if chosen is not None and c.deployment == chosen.deployment.id), None)
    expected = first.expected_ms + wait * 1000 if first and first.expected_ms is not None else None
    changed = changed_words(next((r for r in then if first and r.deployment == first.deployment), None))
    policy = Policy(route.pool, route.version, route.strategy, order=route.deployments, why=route.why)
    return Present(
        at=now, policy=policy, first=first, wait_s=wait, expected_ms=expected, choices=choices,
        words=present_words(first, wait, expected, changed), changed=changed, assumed=assumed,
    )  # fmt: skip


def first_of(candidates: Sequence[Candidate], route: Route, now: float) -> tuple[Target | None, float]:
    """Whom the rotation would ask first, and after how many seconds' wait."""
    rotation = Rotation(candidates, route.policy, now=now, deadline=now + route.policy.total, rand=middle)
    match rotation.next(now):
        case Try(target):
            return target, 0.0
        case Wait(seconds):
            after = rotation.next(now + seconds)
            return (after.target, seconds) if isinstance(after, Try) else (None, 0.0)
    return None, 0.0


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of each candidate beside its standing, by deployment."""

    scene: Scene
    numbers: Mapping[int, Measured]
    seeds: Mapping[int, float | None]
    scores: Mapping[int, float]

    @classmethod
    def of(cls, scene: Scene, candidates: Iterable[Candidate]) -> Telling:
        """Two queries."""
        ids = {candidate.target.deployment.id for candidate in candidates}
        seeds = dict(Deployment.objects.filter(pk__in=ids).values_list("pk", "seed_latency_s"))
        return cls(scene, measured(ids, scene.at + MINUTE), seeds, scene.order.scores())  # the running minute included

    def choices(self, candidates: Iterable[Candidate]) -> tuple[Choice, ...]:
        """One per deployment, told by its best key, in order."""
        best: dict[int, Candidate] = {}
        for candidate in candidates:
            one = candidate.target.deployment.id
            if one not in best or candidate.standing.until < best[one].standing.until:
                best[one] = candidate
        choices: list[Choice] = []
        place = 0
        for candidate in best.values():
            ready = candidate.standing.state is State.READY
            place += ready
            choices.append(self.choice(candidate, place if ready else None))
        return tuple(choices)

    def choice(self, candidate: Candidate, place: int | None) -> Choice:
        target, standing = candidate.target, candidate.standing
        one = target.deployment.id
        seen, seed = self.numbers.get(one), self.seeds.get(one)
        known = seen.p50_ms if seen is not None else None
        return Choice(
            place=place,
            deployment=one,
            target=target.name,
            state=standing.state.value,
            why=standing.why,
            until=datetime.fromtimestamp(standing.until, UTC) if 0 < standing.until < NEVER else None,
            score=self.scores.get(one),
            quota=quotas.left(self.scene.health.limits, target, self.scene.at.timestamp()),
            measured=seen,
            expected_ms=known if known is not None else seed * 1000 if seed else None,
        )
