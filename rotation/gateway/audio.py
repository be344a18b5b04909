"""Audio to text as a task: which names mean it, who takes turns, who cannot, what is sent and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rotation.core import transcription
from rotation.core.failures import Failure
from rotation.core.selection import NEVER, Standing, State
from rotation.core.strategies import ORDERED, ROUND_ROBIN
from rotation.core.targets import Target
from rotation.core.transcription import ALIASES, POOL, Audio
from rotation.gateway.forms import Form
from rotation.gateway.task import Task
from rotation.providers.base import Adapter, Answer, Outgoing, Usage
from rotation.providers.transcripts import billed, price, read_transcript

if TYPE_CHECKING:
    from rotation.gateway.call import Call
    from rotation.gateway.gate import Gate
    from rotation.gateway.snapshot import Route, Snapshot

HEARD_PER_SECOND = 5.0  # seconds of audio that a slow server turns into text in one
SENT_PER_SECOND = 512 * 1024  # bytes, over a slow line


@dataclass(frozen=True, slots=True)
class Listening(Task):
    """One upload to be turned into text, or into English text. It does not own the form: whoever read it closes it."""

    form: Form
    audio: Audio

    @property
    def operation(self) -> str:  # type: ignore[override]  # a property where others have a constant
        return "translation" if self.audio.translate else "transcription"

    @property
    def audio_seconds(self) -> float:  # type: ignore[override]  # the same
        return self.audio.seconds

    @property
    def patience(self) -> float:  # type: ignore[override]  # the same
        return self.audio.seconds / HEARD_PER_SECOND + self.audio.size / SENT_PER_SECOND

    def route(self, snapshot: Snapshot, call: Call) -> Route:
        name = call.asked
        if name in ALIASES and not any(snapshot.targets.get(i) for i in snapshot.names.get(name, ())):
            name = POOL
        route = snapshot.route(name, call.models, call.client)
        # A long answer to a long file is no sign of an ill server.
        return replace(route, policy=replace(route.policy, slow_share=None))

    def targets(self, gate: Gate, route: Route, call: Call) -> Iterable[Target]:
        if route.pool and route.strategy != ROUND_ROBIN:
            return gate.targets(route)
        known = [gate.snapshot.deployments[i] for i in route.deployments if i in gate.snapshot.deployments]
        order = transcription.in_turn(known, route.pinned, gate.health.uploads.used)
        return gate.targets(replace(route, deployments=tuple(order), strategy=ORDERED, members=()))

    def standing(self, gate: Gate) -> Callable[[Target], Standing]:
        def of(target: Target) -> Standing:
            why = transcription.unfit(target, self.audio, gate.health.uploads.most(target))
            return gate.health.standing(target) if why is None else Standing(State.UNFIT, NEVER, why)

        return of

    def begins(self, gate: Gate, target: Target) -> None:
        gate.health.uploads.sent(target.provider.id)

    def outgoing(
        self, adapter: Adapter, target: Target, secret: str, call: Call, options: Mapping[str, Any]
    ) -> Outgoing:
        return adapter.transcription(
            target.provider.base_url, secret, target.deployment.model, self.form.fields, self.form,
            translate=self.audio.translate, options=options,
        )  # fmt: skip

    def read(
        self, adapter: Adapter, target: Target, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> Answer | Failure:
        read = read_transcript(status, headers, body, now, audio=self.audio)
        if isinstance(read, Failure) or read.usage is None:
            return read
        return replace(read, usage=_priced(read.usage, target))

    def failed(self, gate: Gate, target: Target, failure: Failure) -> None:
        gate.health.uploads.refused(target, self.audio.size, failure)


def _priced(usage: Usage, target: Target) -> Usage:
    """With the cost of the seconds a provider bills; a server whose tokens cost nothing takes nothing for audio."""
    provider, deployment = target.provider, target.deployment
    seconds = billed(provider.kind, usage.audio_seconds or 0.0)
    each = price(provider.kind, deployment.model, provider.options)
    if each is None and deployment.price_in == 0 and deployment.price_out == 0:
        each = 0.0
    return replace(usage, cost=None if each is None else seconds * each, audio_seconds=seconds)
