"""How long a deployment may be expected to take: what was heard of it lately, trusted as far as there is much of it.

Few or old samples are drawn towards what was known before: the configured seed latency, else the middle of the others.
Seconds throughout, either to the first content or to the end of the answer: the caller never mixes the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

#: So many samples weigh as much as what was known before.
CONFIDENCE = 5.0
#: What nobody knows anything of is taken to be as quick as this, all alike.
UNKNOWN = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """Recent times in seconds. `samples` is how many the figures are worth by now: old ones are worth less."""

    p5: float
    p50: float
    p95: float
    samples: float


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to go by: `seed` is the configured latency in seconds, None where nobody knows."""

    heard: Heard | None = None
    seed: float | None = None


def expected(known: Mapping[int, Known]) -> dict[int, float]:
    """Seconds to expect of each, never 0: exp((n ln p50 + k ln prior) / (n + k)) with k = CONFIDENCE.

    Latencies spread by factors, so they are averaged as logarithms. The prior is the seed; without one the middle of
    the seeds and medians of the others, so that a stranger is neither preferred nor avoided.
    """
    told = [value for one in known.values() if (value := _told(one)) is not None]
    middle = median(told) if told else UNKNOWN
    return {name: _drawn(one, one.seed if _sound(one.seed) else middle) for name, one in known.items()}


def _drawn(one: Known, prior: float | None) -> float:
    before = prior or UNKNOWN
    if one.heard is None or not _sound(one.heard.p50) or one.heard.samples <= 0:
        return before
    n = one.heard.samples
    return math.exp((n * math.log(one.heard.p50) + CONFIDENCE * math.log(before)) / (n + CONFIDENCE))


def _told(one: Known) -> float | None:
    if one.heard is not None and _sound(one.heard.p50) and one.heard.samples >= CONFIDENCE:
        return one.heard.p50
    return one.seed if _sound(one.seed) else None


def _sound(seconds: float | None) -> bool:
    return seconds is not None and 0 < seconds < math.inf
