"""What the gateway has learnt, ended or overruled by a person: cooldowns, limits, breakers."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import transaction

from rotation.control.by import By
from rotation.models import BreakerState, Cooldown, Deployment, LearnedLimit, Provider
from rotation.models.audit import changed, picture
from rotation.models.health import Breaker

#: Breakers stand in these scopes.
SCOPES = {"provider": Provider, "deployment": Deployment}
SCOPE = re.compile(r"(provider|deployment):([1-9][0-9]{0,17})")
#: What a person may say; the engine alone opens, probes and closes.
WORDS = (Breaker.FORCED_OPEN, Breaker.DISABLED, Breaker.CLOSED)


def lift_cooldown(by: By, cooldown: Cooldown) -> Cooldown:
    """It ends now, here and in the gateway."""
    with by.changing(cooldown, "lift"):
        cooldown.lift()
    return cooldown


def lift_limit(by: By, limit: LearnedLimit) -> None:
    """Forgotten, here and in the gateway; the provider may tell it again."""
    with transaction.atomic():
        by.removed(limit, "lift")
        limit.lift()


def set_breaker(by: By, scope: str, state: Breaker | str) -> BreakerState:
    """Force a breaker open, switch it off ("disabled"), or set it back to normal ("closed").

    `scope` is `provider:<id>` or `deployment:<id>`. Raises ValidationError on `scope` or `state`.
    """
    if state not in WORDS:
        raise ValidationError({"state": f"Choose one of: {', '.join(WORDS)}."})
    found = SCOPE.fullmatch(scope)
    if not found or not SCOPES[found[1]].objects.filter(pk=int(found[2])).exists():  # type: ignore[attr-defined]  # a table
        raise ValidationError({"scope": "Write provider:<id> or deployment:<id> of one there is."})
    with transaction.atomic():
        breaker, new = BreakerState.objects.get_or_create(scope=scope)
        before = {} if new else picture(breaker)
        breaker.set_to(Breaker(state))
        by.turned(f"breaker {Breaker(state).label}", breaker, *changed(before, picture(breaker)))
    return breaker
