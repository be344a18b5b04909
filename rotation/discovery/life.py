"""The life of every model, taken a step further where one is due: after each look, each verification, every hour.

Nothing here calls a model: it reads verdicts and roll-ups, and what follows is in `rotation.core.lifecycle`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from rotation.discovery.alone import alone
from rotation.discovery.places import House
from rotation.discovery.reach import reachable
from rotation.discovery.shrinkage import Shrinkage
from rotation.discovery.standing import settle
from rotation.discovery.steps import Doings
from rotation.models import Mode, Pool


@transaction.atomic
def consider(now: datetime | None = None) -> Doings:
    """Every step that is due, taken or proposed by each pool's policy. `words` of the answer is one line for people."""
    moment = now or timezone.now()
    alone()
    pools = list(Pool.objects.select_for_update().order_by("pk"))  # whoever arranges one meanwhile waits
    shrinkage = Shrinkage()
    doings = settle(moment, shrinkage)
    providers = reachable()
    for pool in (one for one in pools if one.discovery != Mode.OFF):
        found = House(pool, moment, shrinkage, providers).consider()
        doings.taken += found.taken
        doings.proposed += found.proposed
        doings.notes += found.notes
    return doings
