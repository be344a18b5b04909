"""Calls of Rotation's own jobs, which are clients of the lowest priority: they take what nobody misses.

One is let in while its target is in full health and at least half of every quota it draws on would be left; otherwise
it is refused at once and told when. It waits for nothing, is nobody's last resort, takes nothing from the retry budget
and neither opens nor closes a breaker: a job tries out what may well fail, and says nothing of how clients are served.
What a provider tells it (a limit, a cooldown, a model that is gone, a feature that is lacking) is believed as always.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from rotation.core.policy import Policy
from rotation.core.selection import State
from rotation.core.targets import Target
from rotation.gateway.leave import KEPT_FOR_CLIENTS, Permit, Refused, Work
from rotation.providers.transcripts import billed

if TYPE_CHECKING:
    from rotation.gateway.health import Health

ONCE_MORE = 1.0  # seconds after which a job may ask again where nobody named a moment


@lru_cache(maxsize=64)
def policy(own: Policy) -> Policy:
    """A pool's policy without all that costs others: no wait, no pause, no panic, no share of the ejected."""
    return replace(own, patience=0.0, panic=False, ejection_cap=None, sleep_before_retry=False, rotate_after=1)


def admit(health: Health, target: Target, work: Work, *, again: bool) -> Permit | Refused:
    """Leave for one attempt, or why not and until when."""
    now = health.now()
    standing = health.standing(target)
    if standing.until > now:
        return Refused(standing.until, standing.why, state=standing.state, limited=standing.limited)
    if again:
        return Refused(now + ONCE_MORE, "a job's call is made once")
    audio = billed(target.provider.kind, work.audio_seconds)
    reserved = health.limits.reserve(target, work.tokens, now, output=work.output, audio=audio, keep=KEPT_FOR_CLIENTS)
    if isinstance(reserved, float):
        return Refused(reserved, "the rest of its quota is kept for clients", state=State.COOLING, limited=True)
    return Permit(target, now, work.policy, [], reserved, request=work.request, quiet=True)
