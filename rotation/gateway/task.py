"""What is asked of one target: the part of a call in which operations differ. Here, chat completions.

Everything around it (rotation, health, the page, streams) is the same for all; other operations override what they do
otherwise and live in files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rotation.core.exploration import PATIENT
from rotation.core.selection import Standing
from rotation.core.targets import Target
from rotation.providers.base import Adapter, Answer, Outgoing, StreamReader

if TYPE_CHECKING:
    from rotation.core.failures import Failure
    from rotation.gateway.call import Call
    from rotation.gateway.gate import Gate
    from rotation.gateway.snapshot import Route, Snapshot


class Task:
    """A chat completion."""

    operation = "chat"
    path = "chat/completions"  # under a provider's base URL
    replaceable = True  # by a model that is like the one asked for
    audio_seconds = 0.0  # of a quota of audio
    patience = 0.0  # seconds a whole answer is given beyond what its length in tokens asks for

    def route(self, snapshot: Snapshot, call: Call) -> Route:
        """Where the call may go. Raises `Refusal`."""
        return snapshot.route(call.asked, call.models, call.client)

    def targets(self, gate: Gate, route: Route, call: Call) -> Iterable[Target]:
        """The route's targets in the order of trying."""
        return gate.targets(route, stream=call.stream, patient=call if patient(call) else None)

    def standing(self, gate: Gate) -> Callable[[Target], Standing]:
        """How a target stands to this call."""
        return gate.health.standing

    def begins(self, gate: Gate, target: Target) -> None:
        """An attempt is about to be sent."""

    def outgoing(
        self, adapter: Adapter, target: Target, secret: str, call: Call, options: Mapping[str, Any]
    ) -> Outgoing:
        """The request for this target."""
        provider, model = target.provider, target.deployment.model
        return adapter.chat(provider.base_url, secret, model, call.payload, options=options, path=self.path)

    def read(
        self, adapter: Adapter, target: Target, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> Answer | Failure:
        """A whole reply, good or bad."""
        return adapter.read_answer(status, headers, body, now)

    def stream(self, adapter: Adapter, now: float) -> StreamReader:
        """What reads a streamed reply."""
        return adapter.stream(now)

    def failed(self, gate: Gate, target: Target, failure: Failure) -> None:
        """What is learned from a failed attempt beside what its kind leads to."""


def patient(call: Call) -> bool:
    """Whether the call may ask one first that stands lower: no near deadline, nobody pinned, and not a job's own."""
    hurried = call.wishes.seconds is not None and call.wishes.seconds < PATIENT
    return not (hurried or call.wishes.pin or call.client.internal)


CHAT = Task()
