"""What is tried beside the present: another order, other knobs, another strategy or preset, a member more or less.

A candidate is written as plain JSON, every part optional:
`{"order": ["groq/llama-3.3-70b", ...], "strategy": "fastest", "preset": "seed", "policy": {"patience": 5},
"add": [...], "leave_out": [...]}`. Deployments go by `provider/model`, by a model id only one provider offers, or by
id. An order names whom it wants first; the others follow as they stand now. Pure: nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from rotation.core.policy import PRESETS, Policy, policy_from
from rotation.core.strategies import STRATEGIES

PARTS = ("order", "strategy", "preset", "policy", "add", "leave_out")
LONGEST = 200  # names in one list
SHOWN = 80  # characters of somebody's name in a message


class BadCandidate(ValueError):
    """What cannot be tried, and what to do about it. `field` is the part of the candidate."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


@dataclass(frozen=True, slots=True)
class Setup:
    """A pool as it stands. `order` are deployment ids; `names` those of everybody, in the pool or not; `out` says of
    those no call can reach why not.
    """

    pool: str
    order: tuple[int, ...]
    strategy: str
    preset: str
    policy: Mapping[str, Any]
    names: Mapping[int, str]
    pinned: frozenset[int] = frozenset()
    out: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to run a pool, checked. `words` say what is different from the present."""

    order: tuple[int, ...]
    strategy: str
    preset: str
    overrides: Mapping[str, Any]
    policy: Policy
    words: tuple[str, ...]


def present(setup: Setup) -> Candidate:
    """The pool as it stands."""
    order = tuple(one for one in setup.order if one not in setup.out)
    policy = policy_from(setup.preset, setup.policy)
    return Candidate(order, setup.strategy, setup.preset, dict(setup.policy), policy, ())


def read(wanted: object, setup: Setup) -> Candidate:
    """The candidate. Raises `BadCandidate`: an unknown part, knob, strategy, preset or model, one that is gone, or
    nobody left.
    """
    if not isinstance(wanted, Mapping):
        raise BadCandidate("candidate", 'A candidate is a JSON object, for example {"policy": {"patience": 5}}.')
    if unknown := sorted(str(part) for part in wanted if part not in PARTS):
        known = ", ".join(PARTS)
        raise BadCandidate("candidate", f"A candidate has no part {cut(unknown[0])!r}; its parts are {known}.")
    order = _order(wanted, setup)
    strategy = _one_of("strategy", wanted.get("strategy") or setup.strategy, list(STRATEGIES))
    preset = _one_of("preset", wanted.get("preset") or setup.preset, list(PRESETS))
    overrides = _overrides(wanted, setup)
    try:
        policy = policy_from(preset, overrides)
    except (ValueError, TypeError) as wrong:
        raise BadCandidate("policy", f"{wrong}.".replace("..", ".")) from None
    candidate = Candidate(order, strategy, preset, overrides, policy, ())
    return Candidate(order, strategy, preset, overrides, policy, differences(setup, candidate))


def _overrides(wanted: Mapping[Any, Any], setup: Setup) -> dict[str, Any]:
    """Single knobs over those of the pool; with another preset over none, for they were meant for the present one."""
    told = wanted.get("policy") or {}
    if not isinstance(told, Mapping):
        raise BadCandidate("policy", 'Knobs are a JSON object, for example {"patience": 5}.')
    before = {} if wanted.get("preset") not in (None, "", setup.preset) else setup.policy
    return {**before, **{str(name): value for name, value in told.items()}}


def _one_of(part: str, value: object, known: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise BadCandidate(part, f"There is no {part} {cut(value)!r}; choose one of {', '.join(known)}.")
    return value


def _order(wanted: Mapping[Any, Any], setup: Setup) -> tuple[int, ...]:
    """Whom the order names first, then the others as they stand, and who is added last; without who is left out."""
    named, added, gone = (_named(part, wanted.get(part), setup) for part in ("order", "add", "leave_out"))
    members = [*setup.order, *(one for one in added if one not in setup.order)]
    for part, told in (("order", named), ("leave_out", gone)):
        if strangers := [one for one in told if one not in members]:
            name = cut(setup.names[strangers[0]])
            raise BadCandidate(part, f"{name} has no place in the pool {setup.pool}: name it in 'add' as well.")
    for part, told in (("order", named), ("add", added)):
        if lost := [one for one in told if one in setup.out]:
            raise BadCandidate(part, f"{cut(setup.names[lost[0]])} cannot be called: {setup.out[lost[0]]}.")
    wished = list(dict.fromkeys([*named, *members]))
    found = tuple(one for one in wished if one not in gone and one not in setup.out)
    if not found:
        raise BadCandidate("leave_out", f"That leaves nobody in the pool {setup.pool} who can be called.")
    return found


def _named(part: str, told: object, setup: Setup) -> list[int]:
    if told in (None, "", [], ()):
        return []
    if not isinstance(told, Sequence) or isinstance(told, str) or len(told) > LONGEST:
        raise BadCandidate(part, f"'{part}' is a list of up to {LONGEST} models, each as provider/model.")
    found = [_found(part, one, setup) for one in told]
    if twice := [one for one in found if found.count(one) > 1]:
        raise BadCandidate(part, f"{cut(setup.names[twice[0]])} is named twice.")
    return found


def _found(part: str, told: object, setup: Setup) -> int:
    if type(told) is int and told in setup.names:
        return told
    if isinstance(told, str):
        same = [one for one, name in setup.names.items() if told in (name, name.partition("/")[2])]
        inside = [one for one in same if one in setup.order]
        reachable = [one for one in inside or same if one not in setup.out]
        for found in (same, inside, reachable):
            if len(found) == 1:
                return found[0]
        if same:
            offers = ", ".join(sorted(setup.names[one] for one in same))
            raise BadCandidate(part, f"{cut(told)!r} is offered by several: write one of {offers}.")
    near = get_close_matches(str(told)[:SHOWN], list(setup.names.values()), n=3, cutoff=0.5)
    hint = f" Near it: {', '.join(near)}." if near else ""
    raise BadCandidate(part, f"There is no model {cut(told)!r} here, or it is gone.{hint}")


def differences(setup: Setup, candidate: Candidate) -> tuple[str, ...]:
    """What is different from the present, one line each."""
    was = present(setup)
    said = [
        f"{name}: {getattr(candidate, name)} instead of {getattr(was, name)}"
        for name in ("strategy", "preset")
        if getattr(candidate, name) != getattr(was, name)
    ]
    said += _knobs(was.policy, candidate.policy) if candidate.preset == was.preset else []
    if candidate.preset != was.preset and candidate.overrides:
        said.append("with " + ", ".join(f"{name} {value}" for name, value in sorted(candidate.overrides.items())))
    said += [f"with {setup.names[one]}" for one in candidate.order if one not in was.order]
    said += [f"without {setup.names[one]}" for one in was.order if one not in candidate.order]
    both = [[one for one in order if one in was.order and one in candidate.order]
            for order in (was.order, candidate.order)]  # fmt: skip
    if both[0] != both[1]:
        said.append("order: " + ", ".join(setup.names[one] for one in candidate.order))
    return tuple(said)


def _knobs(was: Policy, now: Policy) -> Iterable[str]:
    names = Policy.__dataclass_fields__
    return (f"{n}: {getattr(now, n)} instead of {getattr(was, n)}" for n in names if getattr(was, n) != getattr(now, n))


def cut(name: object) -> str:
    """Somebody's text, fit for a message."""
    text = str(name)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
