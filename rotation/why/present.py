"""What the present policy would choose for a call's needs: the real selection over the real configuration, unsent.

Configuration and health come from the database, into a throw-away `Health` that is asked as the gateway asks its own.
What only the gateway's memory holds (probes under way, whose turn of two keys it is) is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from rotation.core.failures import FailureKind
from rotation.core.rotation import Rotation, Try, Wait
from rotation.core.selection import NEVER, Candidate, Standing, State, select
from rotation.core.targets import Needs, Target
from rotation.gateway import loading, recall
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal
from rotation.gateway.health import Health, Permit, Refused, Work
from rotation.gateway.snapshot import Route, Snapshot
from rotation.models import Deployment, Request
from rotation.why import quotas
from rotation.why.facts import Choice, Measured, Policy, Present, Row
from rotation.why.measured import measured
from rotation.why.stored import needs_of, policy_of
from rotation.why.words import changed_words, present_words

ANYBODY = Client(0, "")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """The world as the database knows it at `at`, ready to be asked."""

    at: datetime
    snapshot: Snapshot
    health: Health

    @classmethod
    def now(cls, at: datetime) -> Scene:
        """Some dozen queries, whatever there is."""
        snapshot, moment = loading.build(loading.read()), at.timestamp()
        health = Health(now=lambda: moment, rand=lambda: 0.5, note=lambda _: None)
        recall.adopt(health, snapshot)
        quotas.fill(health.limits, at)
        return cls(at, snapshot, health)

    def standing(self, target: Target) -> Standing:
        """As health says; a breaker's rest, which the database tells as a block, by its own name."""
        found = self.health.standing(target)
        rests = found.state is State.COOLING and any(
            (cooldown := self.health.cooldowns.get(scope)) is not None
            and cooldown.kind is FailureKind.OVERLOADED
            and cooldown.until == found.until
            for scope in target.scopes
        )
        return replace(found, state=State.RESTING) if rests else found

    def candidates(self, route: Route, needs: Needs) -> list[Candidate]:
        """Selection's own list; who stands ready is also asked for leave, for its quota may say no."""
        targets = (target for one in route.deployments for target in self.snapshot.targets.get(one, ()))
        work = Work(route.policy, route.pool, needs.prompt_tokens + (needs.max_output or 0))
        return [self._admitted(c, work) for c in select(targets, needs, route.policy, self.standing)]

    def _admitted(self, candidate: Candidate, work: Work) -> Candidate:
        if candidate.standing.state is not State.READY:
            return candidate
        match self.health.admit(candidate.target, work):
            case Refused() as no:
                return replace(candidate, standing=no.standing)
            case Permit() as permit:
                self.health.release(permit)
        return candidate

    def client(self, key: int | None) -> Client:
        """The client key, or anybody when it is gone."""
        return next((c for c in self.snapshot.clients.values() if c.id == key), ANYBODY)


def present(request: Request, now: datetime, then: Sequence[Row] = ()) -> Present:
    """The same needs, asked now. `then`: the rows of the call, for comparison."""
    scene, kept = Scene.now(now), policy_of(request)
    needs, assumed = needs_of(request)
    try:
        route = scene.snapshot.route(request.asked, kept.models, scene.client(request.client_key_id))
    except Refusal as refusal:
        said = f"Such a call would be turned away: {refusal.message}"
        return Present(now, Policy("", None, ""), None, 0.0, None, (), said, refused=refusal.message, assumed=assumed)
    candidates = scene.candidates(route, needs)
    chosen, wait = first_of(candidates, route, now.timestamp())
    choices = choices_of(scene, candidates, now)
    first = next((c for c in choices if chosen is not None and c.deployment == chosen.deployment.id), None)
    expected = first.expected_ms + wait * 1000 if first and first.expected_ms is not None else None
    changed = changed_words(next((r for r in then if first and r.deployment == first.deployment), None))
    return Present(
        at=now, policy=Policy(route.pool, route.version, route.strategy, order=route.deployments), first=first,
        wait_s=wait, expected_ms=expected, choices=choices, words=present_words(first, wait, expected, changed),
        changed=changed, assumed=assumed,
    )  # fmt: skip


def first_of(candidates: Sequence[Candidate], route: Route, now: float) -> tuple[Target | None, float]:
    """Whom the rotation would ask first, and after how many seconds' wait."""
    moment = now
    rotation = Rotation(candidates, route.policy, now=now, deadline=now + route.policy.total, rand=lambda: 0.5)
    match rotation.next(moment):
        case Wait(seconds):
            moment += seconds
            after = rotation.next(moment)
            return (after.target, seconds) if isinstance(after, Try) else (None, 0.0)
        case Try(target):
            return target, 0.0
    return None, 0.0


def choices_of(scene: Scene, candidates: Iterable[Candidate], now: datetime) -> tuple[Choice, ...]:
    """One line per deployment, told by its best key, in order."""
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        one = candidate.target.deployment.id
        if one not in best or candidate.standing.until < best[one].standing.until:
            best[one] = candidate
    numbers = measured(best, now + MINUTE)  # the running one included
    seeds = dict(Deployment.objects.filter(pk__in=best).values_list("pk", "seed_latency_s"))
    choices: list[Choice] = []
    place = 0
    for candidate in best.values():
        ready = candidate.standing.state is State.READY
        place += ready
        choices.append(choice_of(scene, candidate, place if ready else None, numbers, seeds))
    return tuple(choices)


def choice_of(
    scene: Scene,
    candidate: Candidate,
    place: int | None,
    numbers: Mapping[int, Measured],
    seeds: Mapping[int, float | None],
) -> Choice:
    target, standing = candidate.target, candidate.standing
    seen, seed = numbers.get(target.deployment.id), seeds.get(target.deployment.id)
    known = seen.p50_ms if seen is not None else None
    return Choice(
        place=place,
        deployment=target.deployment.id,
        target=target.name,
        state=standing.state.value,
        why=standing.why,
        until=datetime.fromtimestamp(standing.until, UTC) if 0 < standing.until < NEVER else None,
        quota=quotas.left(scene.health.limits, target, scene.at.timestamp()),
        measured=seen,
        expected_ms=known if known is not None else seed * 1000 if seed else None,
    )
