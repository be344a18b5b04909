"""The older text completions as a task: a prompt instead of messages. Everything else is as with a chat.

Many models and whole providers have chats only; who has said so is not asked again for this, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from rotation.core.failures import Failure, FailureKind
from rotation.core.selection import NEVER, Standing, State
from rotation.core.targets import Needs, Target
from rotation.gateway.call import Asked, asked_for, checked
from rotation.gateway.envelope import invalid
from rotation.gateway.needs import BYTES_PER_TOKEN
from rotation.gateway.task import Task
from rotation.providers.base import Adapter, Answer

if TYPE_CHECKING:
    from rotation.gateway.gate import Gate

FEATURE = "completions"
CHATS_ONLY = frozenset({"groq"})  # kinds without such an operation
NOT_HERE = (404, 405)


def read(body: bytes) -> Asked:
    """The body of a completion, checked. Raises `Refusal` (400) naming the parameter."""
    payload = checked(body)
    prompt = payload.get("prompt")
    if not isinstance(prompt, str | list) or not prompt:
        raise invalid("'prompt' must be a text, or a list of texts or tokens.", param="prompt", code="invalid_type")
    needs = Needs(len(body) // BYTES_PER_TOKEN, payload.get("max_tokens"), stream=bool(payload.get("stream")),
                  choices=payload.get("n") or 1)  # fmt: skip
    return asked_for(payload, needs)


class Completion(Task):
    operation = path = "completions"

    def standing(self, gate: Gate) -> Callable[[Target], Standing]:
        def of(target: Target) -> Standing:
            if target.provider.kind in CHATS_ONLY or FEATURE in target.deployment.lacks:
                return Standing(State.UNFIT, NEVER, "this model has chat completions only")
            return gate.health.standing(target)

        return of

    def read(
        self, adapter: Adapter, target: Target, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> Answer | Failure:
        found = adapter.read_answer(status, headers, body, now)
        if isinstance(found, Failure) and found.status in NOT_HERE and found.kind is not FailureKind.MODEL_GONE:
            return replace(found, kind=FailureKind.LACKS_FEATURE, feature=FEATURE)
        return found


COMPLETION = Completion()
