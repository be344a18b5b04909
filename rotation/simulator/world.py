"""One simulated world: its seed, clock, catalogues, limits, faults and ledger. Everything else is stateless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.clock import Clock
from rotation.simulator.defects import Hidden
from rotation.simulator.faults import Faults
from rotation.simulator.kinds import KINDS
from rotation.simulator.latency import uniforms
from rotation.simulator.ledger import Ledger
from rotation.simulator.limits import Bucket, Cap
from rotation.simulator.plans import PLANS, caps
from rotation.simulator.shelves import stock


class World:
    """`limits` False lets everything through. `plans` maps a kind, or `kind/account`, to a plan's name."""

    def __init__(self, *, seed: int = 0, speed: float = 1.0, start: float | None = None, limits: bool = True) -> None:
        self.seed = seed
        self.clock = Clock(speed=speed, start=start)
        self.limits = limits
        self.ledger = Ledger()
        self.faults = Faults()
        self.hidden = Hidden()
        self.plans: dict[str, str] = {}
        self.connections: Collection[object] = ()  # of the server, where it lets us see them
        self.catalogues: Mapping[str, Catalogue] = {kind: stock(kind, seed) for kind in KINDS}
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._buckets: dict[tuple[str, ...], Bucket] = {}
        self._listings: dict[str, tuple[int, bytes]] = {}

    def reset(self, seed: int | None = None) -> None:
        """As at the beginning: no faults, full limits, an empty ledger, all models. Time and plans stay."""
        self.seed = self.seed if seed is None else seed
        self.ledger.clear()
        self.faults.clear()
        self.hidden.clear()
        self.catalogues = {kind: stock(kind, self.seed) for kind in KINDS}
        self._numbers.clear()
        self._buckets.clear()
        self._listings.clear()

    def draw(self, *parts: object) -> tuple[float, float]:
        return uniforms(self.seed, *parts)

    def number(self, kind: str, model: str) -> int:
        """Counts the requests for one model: 1 for the first."""
        self._numbers[kind, model] += 1
        return self._numbers[kind, model]

    def plan(self, kind: str, account: str) -> str:
        return self.plans.get(f"{kind}/{account}") or self.plans.get(kind) or PLANS[kind][0]

    def buckets(self, kind: str, account: str, model: Model) -> tuple[Bucket, ...]:
        """The state of every limit this request meets; account-wide ones are shared between models."""
        if not self.limits:
            return ()
        now = self.clock.now
        plan = self.plan(kind, account)
        return tuple(
            self._bucket((kind, account, plan, "" if cap.account else model.id, cap.label), cap, now)
            for cap in caps(kind, plan, model)
        )

    def _bucket(self, place: tuple[str, ...], cap: Cap, now: float) -> Bucket:
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = Bucket(cap, now)
        return bucket

    def shared_bucket(self, kind: str, account: str, label: str) -> Bucket | None:
        """An account-wide limit's state, None while nothing was counted."""
        return self._buckets.get((kind, account, self.plan(kind, account), "", label))

    def listing(self, kind: str) -> bytes:
        """The body of GET /models, kept ready until the catalogue changes."""
        catalogue = self.catalogues[kind]
        for model in self.hidden.buried(kind, self.clock.now):
            if catalogue.get(model) is not None:
                catalogue.remove(model, self.clock.now)
        kept = self._listings.get(kind)
        if kept is None or kept[0] != catalogue.version:
            kept = self._listings[kind] = (catalogue.version, KINDS[kind].listing(catalogue))
        return kept[1]
