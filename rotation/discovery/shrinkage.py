"""No pool loses more than half of its living members to one run: a provider's bad day must not empty a rotation."""

from __future__ import annotations

from collections import defaultdict

from rotation.discovery.reach import reachable
from rotation.models import Placement
from rotation.models.catalog import OUT


class Shrinkage:
    """How many members each pool may still lose in this run: half of those a call could reach at its start, rounded
    down."""

    def __init__(self) -> None:
        alive = Placement.objects.filter(enabled=True, deployment__provider__in=reachable())
        members: dict[str, int] = defaultdict(int)
        self._pools: dict[int, list[str]] = defaultdict(list)
        for pool, deployment in alive.exclude(deployment__status__in=OUT).values_list("pool__name", "deployment_id"):
            members[pool] += 1
            self._pools[deployment].append(pool)
        self._left = {pool: count // 2 for pool, count in members.items()}

    def take(self, deployment: int) -> list[str]:
        """Counts a deployment as lost to its pools; or, when that were too much for some, their names and nothing."""
        pools = self._pools.get(deployment, [])
        if full := [pool for pool in pools if not self._left[pool]]:
            return full
        for pool in pools:
            self._left[pool] -= 1
        self._pools.pop(deployment, None)
        return []

    def take_from(self, pool: str, deployment: int) -> bool:
        """The same for its place in one pool; False when that were too much."""
        if pool not in self._pools.get(deployment, ()):
            return True
        if not self._left[pool]:
            return False
        self._left[pool] -= 1
        self._pools[deployment].remove(pool)
        return True
