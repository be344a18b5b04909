"""What a call can be sent to, as plain values: the configuration as the engine sees it.

Nothing here knows a secret, a database or a clock. Ids are the database's own.
A `Target` is one deployment reached through one key; its `scopes` are every circle of
blame it stands in, so "who is benched by this failure" is a set lookup and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rotation.core.policy import BALANCED, Policy


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody who answers: `kind` names the adapter, `base_url` ends without a slash."""

    id: int
    name: str
    kind: str
    base_url: str
    label: str = ""
    simulated: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Account:
    """What a provider bills and limits; all its keys share the limits."""

    id: int
    provider: int
    label: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an account, without its secret (the gateway holds that apart)."""

    id: int
    account: int
    last4: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A provider's offer of one model.

    `context` and `max_output` are tokens; prices are USD per token; None means not known.
    A feature that is None is not known either, and is given the benefit of the doubt. `type` is the work it is for:
    chat, transcription or embedding.
    """

    id: int
    provider: int
    model: str
    family: str = ""
    context: int | None = None
    max_output: int | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    json_schema: bool | None = None
    images: bool | None = None
    reasoning: bool = False
    price_in: float | None = None
    price_out: float | None = None
    free: bool = False
    lacks: frozenset[str] = frozenset()
    seed_seconds: float | None = None
    type: str = "chat"


@dataclass(frozen=True, slots=True)
class Placement:
    """A deployment's place in a pool; the lowest position is tried first.

    `canary` is the share of the calls it is put first in while it is new there; at all others it is the last in line.
    """

    deployment: int
    position: int
    pinned: bool = False
    canary: float | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """A named rotation order with its policy; `version` rises with every change.

    `watched` are those its last reordering put down, with the moment (epoch seconds) it is watched until.
    """

    id: int
    name: str
    placements: tuple[Placement, ...]
    strategy: str = "ordered"
    policy: Policy = BALANCED
    version: int = 1
    watched: Mapping[int, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Target:
    """One deployment through one key: the thing a single attempt is sent to."""

    deployment: Deployment
    key: Key
    account: Account
    provider: Provider
    scopes: frozenset[str] = field(init=False)
    id: tuple[int, int] = field(init=False, repr=False, compare=False)  # (deployment id, key id)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", frozenset(scopes_of(self)))
        object.__setattr__(self, "id", (self.deployment.id, self.key.id))

    @property
    def name(self) -> str:
        """`provider/model`, the name a client may ask for."""
        return f"{self.provider.name}/{self.deployment.model}"


def provider_scope(target: Target) -> str:
    return f"provider:{target.provider.id}"


def account_scope(target: Target) -> str:
    return f"account:{target.account.id}"


def key_scope(target: Target) -> str:
    return f"key:{target.key.id}"


def deployment_scope(target: Target) -> str:
    return f"deployment:{target.deployment.id}"


def account_model_scope(target: Target) -> str:
    return f"account:{target.account.id}/deployment:{target.deployment.id}"


def key_model_scope(target: Target) -> str:
    return f"key:{target.key.id}/deployment:{target.deployment.id}"


def account_free_scope(target: Target) -> str:
    """All free models of one account: OpenRouter's `:free` limits are counted per account."""
    return f"account:{target.account.id}/free"


def scopes_of(target: Target) -> tuple[str, ...]:
    """Every scope whose trouble is this target's trouble."""
    base = (
        provider_scope(target),
        account_scope(target),
        key_scope(target),
        deployment_scope(target),
        account_model_scope(target),
        key_model_scope(target),
    )
    return (*base, account_free_scope(target)) if target.deployment.free else base


@dataclass(frozen=True, slots=True)
class Needs:
    """What a call asks of a target. Token counts are estimates (characters / 4); `type` is a deployment's.

    `image_bytes` are those of pictures in the body itself, `choices` the `n` it asks for.
    """

    prompt_tokens: int = 0
    max_output: int | None = None
    tools: bool = False
    parallel_tools: bool = False
    json_schema: bool = False
    images: int = 0
    stream: bool = False
    type: str = "chat"
    json_mode: bool = False
    image_bytes: int = 0
    choices: int = 1
