"""The suite: every capability that is tried, as one table. A capability's name is its key everywhere.

`tools`, `parallel_tools`, `json_schema` and `images` are named as the features of a deployment are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from rotation.discovery.verify import questions
from rotation.discovery.verify.questions import Facts, Maker, Question


def everybody(_: Facts) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Capability:
    """`means` completes "The model ...". `asked_of` says whom it is tried on. `base`: without it a model is no use."""

    name: str
    label: str
    means: str
    maker: Maker
    asked_of: Callable[[Facts], bool] = everybody
    base: bool = False


SUITE: Mapping[str, Capability] = {
    one.name: one
    for one in (
        Capability(
            "short_answer", "Short answer", "adds two numbers and says no more", questions.short_answer, base=True
        ),
        Capability("reasoning", "Reasoning", "puts people in order", questions.reasoning, base=True),
        Capability("code", "Code", "writes a small Python function", questions.code, base=True),
        Capability("system_prompt", "System prompt", "does what the system prompt says", questions.system_prompt),
        Capability("stop", "Stop sequences", "ends at a stop sequence", questions.stop),
        Capability("streaming", "Streaming", "streams, and counts its tokens", questions.streaming),
        Capability("tools", "Tools", "calls the right tool", questions.tools, lambda f: f.tools is not False),
        Capability(
            "parallel_tools",
            "Parallel tools",
            "calls a tool several times at once",
            questions.parallel_tools,
            lambda f: f.tools is not False and f.parallel_tools is not False,
        ),
        Capability(
            "json_schema",
            "JSON schema",
            "answers by a JSON schema",
            questions.json_schema,
            lambda f: f.json_schema is not False,
        ),
        Capability(
            "images", "Images", "sees the colours of a picture", questions.images, lambda f: f.images is not False
        ),
        Capability(
            "long_context",
            "Long context",
            "finds a word in a long text",
            questions.long_context,
            lambda f: f.context is None or f.context >= 4_096,
        ),
    )
}

BASE = frozenset(name for name, one in SUITE.items() if one.base)  # what every model is asked


def asked_of(facts: Facts) -> list[str]:
    """The capabilities tried on such a model, in the order they are tried."""
    return [name for name, one in SUITE.items() if one.asked_of(facts)]


def question(capability: str, facts: Facts, seed: str) -> Question:
    """The question of one trial: the same for the same seed. Raises KeyError for an unknown capability."""
    number = int.from_bytes(blake2b(f"{seed}/{capability}".encode(), digest_size=8).digest())
    return SUITE[capability].maker(random.Random(number), facts)  # noqa: S311 - a task, not a secret


@lru_cache(maxsize=4_096)
def tokens(capability: str, facts: Facts) -> int:
    """About how many tokens one trial takes, the longest answer included: what a limit on tokens counts."""
    asked = question(capability, facts, "size")
    prompt = sum(len(str(message["content"])) for message in asked.payload["messages"]) // 4
    return prompt + int(asked.payload["max_tokens"])
