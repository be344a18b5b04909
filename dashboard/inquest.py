"""One request, looked into: its attempts drawn, why this model and why not the others, what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.utils.safestring import SafeString

from dashboard import figures, story
from dashboard.charts import waterfall
from dashboard.charts.waterfall import Phase
from dashboard.queries import prices
from dashboard.queries.requests import Logged
from rotation.models import Attempt, ClientKey, KeptPrompt, Key, Provider
from rotation.why import explained
from rotation.why.facts import Explanation, Row

MOODS = {"answered": "ok", "tried": "warn"}
WORDS = {"ready": "not needed"}
PHASES = (Phase.WAITING, Phase.CONNECTING, Phase.FIRST, Phase.STREAMING, Phase.FAILED)


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt as a line: `provider` and `key` say what is left of them when they were removed since."""

    attempt: Attempt
    provider: str
    key: str
    drawn: SafeString
    outcome: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of "why, and why not"; `place` counts those that stood in line."""

    place: int | None
    name: str
    state: str
    mood: str
    why: str


class Inquest:
    def __init__(self, logged: Logged) -> None:
        self.request = logged.request
        self.attempts = logged.attempts
        self.mood, self.words = story.outcome_words(logged.request)

    @cached_property
    def providers(self) -> dict[int, Provider]:
        return Provider.objects.in_bulk({attempt.provider_id for attempt in self.attempts})

    @cached_property
    def keys(self) -> dict[int, Key]:
        return Key.objects.in_bulk({attempt.key_id for attempt in self.attempts})

    @cached_property
    def client(self) -> ClientKey | None:
        return ClientKey.objects.filter(pk=self.request.client_key_id).first() if self.request.client_key_id else None

    @cached_property
    def kept(self) -> bool:
        """Whether what was asked can be asked again."""
        return KeptPrompt.objects.filter(request_id=self.request.id).exists()

    @cached_property
    def tried(self) -> list[Tried]:
        ends = [attempt.start_ms + attempt.total_ms for attempt in self.attempts]
        scale = max([self.request.total_ms, *ends])
        return [self.line(attempt, scale) for attempt in self.attempts]

    def line(self, attempt: Attempt, scale: float) -> Tried:
        leg = story.leg_of(attempt)
        took = figures.seconds(attempt.total_ms)
        words = took if leg.ok else f"{story.cause(attempt)} · {took}"
        stretches = waterfall.leg_stretches(leg)
        drawn = waterfall.waterfall(stretches, scale=scale, summary=f"{attempt.model}: {words}", tall=True)
        provider, key = self.providers.get(attempt.provider_id), self.keys.get(attempt.key_id)
        return Tried(
            attempt,
            str(provider) if provider else f"provider {attempt.provider_id} (removed)",
            f"key {key.masked}" if key else "key removed since",
            drawn,
            words,
        )

    @cached_property
    def candidates(self) -> list[Candidate]:
        return candidates(self.explanation.rows)

    @cached_property
    def explanation(self) -> Explanation:
        """The engine's own answers, the present policy's among them."""
        return explained(self.request, self.attempts)

    @cached_property
    def names(self) -> list[str]:
        """Models one may ask "why not" of: those of then and of now."""
        then = [row.target for row in self.explanation.rows if row.state != "answered"]
        return list(dict.fromkeys(filter(None, [*then, *(c.target for c in self.explanation.present.choices)])))

    @property
    def needs(self) -> str:
        return story.needs_words(self.explanation.needs)

    @cached_property
    def elsewhere(self) -> str:
        """What the same tokens would have cost on the yardstick."""
        yardstick = prices.yardstick()
        cost: Decimal = yardstick.cost(self.request.tokens_in, self.request.tokens_out)
        return f"{yardstick.model}: {figures.money(cost)}"

    @cached_property
    def waited_ms(self) -> float:
        """Spent waiting for a free target."""
        stretches = waterfall.summary_stretches([story.leg_of(a) for a in self.attempts], self.request.total_ms)
        return sum(s.end - s.start for s in stretches if s.phase is Phase.WAITING)

    @property
    def gateway_ms(self) -> float:
        """What was neither an attempt nor a wait."""
        spent = sum(attempt.total_ms for attempt in self.attempts)
        return max(0.0, self.request.total_ms - spent - self.waited_ms)

    @property
    def legend(self) -> list[tuple[str, str]]:
        return [(phase.value, waterfall.WORDS[phase]) for phase in PHASES if phase is not Phase.WAITING]


def candidates(rows: Iterable[Row]) -> list[Candidate]:
    """The decision trace for people."""
    return [
        Candidate(
            place=row.place,
            name=row.target,
            state=WORDS.get(row.state, row.state.replace("_", " ")),
            mood=MOODS.get(row.state, ""),
            why=row.words,
        )
        for row in rows
    ]
