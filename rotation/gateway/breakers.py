"""Breakers as the database tells of them: what an earlier life left open, and what an operator says now.

The gateway's own breakers know better than their rows, which it writes itself through the journal; only an operator's
word (forced open, switched off, back to normal) moves them. A row that was heard of once is old news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rotation.core.breaker import OPERATORS, Breaker, BreakerState
from rotation.core.policy import BALANCED
from rotation.gateway.health import Health
from rotation.gateway.snapshot import StoredBreaker

STATES: Mapping[str, BreakerState] = {state.value: state for state in BreakerState}


def adopt(health: Health, stored: Iterable[StoredBreaker]) -> None:
    """Take over the rows: all of them at the first sight, after that what an operator changed since."""
    rows = {row.scope: row for row in stored}
    for scope in health.heard.keys() - rows.keys():
        _told(health, scope, BreakerState.CLOSED)
        del health.heard[scope]
    for row in rows.values():
        first = row.scope not in health.heard and row.scope not in health.breakers
        if first:
            _restore(health, row)
        elif row.changed_at > health.heard.get(row.scope, 0.0):
            _told(health, row.scope, STATES.get(row.state))
        health.heard[row.scope] = max(row.changed_at, health.heard.get(row.scope, 0.0))


def operate(health: Health, scope: str, state: BreakerState, at: float) -> None:
    """An operator's word, said at `at`: what the database told before is older. Unknown scopes get a breaker."""
    health.heard[scope] = max(at, health.heard.get(scope, 0.0))
    if scope not in health.breakers:
        if state is BreakerState.CLOSED:
            return
        health.breakers[scope] = Breaker(BALANCED)  # follows the policy of the first call that comes
    breaker = health.breakers[scope]
    match state:
        case BreakerState.FORCED_OPEN:
            health.moved(scope, breaker.force_open(), "")
        case BreakerState.DISABLED:
            health.moved(scope, breaker.disable(), "")
        case BreakerState.CLOSED:
            health.moved(scope, breaker.reset(), "")


def _told(health: Health, scope: str, state: BreakerState | None) -> None:
    """A row says so. What the engine wrote of its own breaker is no order; what an operator set may be taken back."""
    held = scope in health.breakers and health.breakers[scope].state(health.now()) in OPERATORS
    if state in OPERATORS or (held and state is BreakerState.CLOSED):
        operate(health, scope, state or BreakerState.CLOSED, 0.0)


def _restore(health: Health, row: StoredBreaker) -> None:
    """As it was in an earlier life, without a word: nothing changes."""
    saved = {"state": row.state, "until": row.until, "opens": row.opens, "changed_at": row.changed_at}
    breaker = Breaker.from_dict(saved, BALANCED, health.now())
    if breaker.state(health.now()) is not BreakerState.CLOSED or breaker.opens(health.now()):
        health.breakers[row.scope] = breaker
        health.mind(row.scope)
