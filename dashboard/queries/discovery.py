"""Discovery at one moment: the last looks at each provider's listing, what waits for a person, what is being tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from dashboard.queries.freshness import everything, token
from dashboard.queries.sums import fetch
from rotation.discovery.verify import runs
from rotation.models import (
    CatalogueChange,
    Change,
    DiscoveryRun,
    Key,
    LifeStep,
    Provider,
    RunState,
    StepState,
    VerificationRun,
)

LOOKS = 12
PROPOSALS = 50
CHANGES = 8
UNTOLD: tuple[Any, ...] = (None, "", [])
SAID = (Change.NEW, Change.VANISHED, Change.BACK)
NAMES = {"price_in": "in", "price_out": "out", "json_schema": "JSON schema", "max_output": "longest answer",
         "input_modalities": "takes", "expires": "ends", "expires_on": "ends"}  # fmt: skip
UNDER_WAY = 3  # verifications shown with their outlook
PAST = 5
STATE = """
    SELECT (SELECT max(id) FROM rotation_discoveryrun), (SELECT max(ended_at) FROM rotation_discoveryrun),
           (SELECT count(*) FROM rotation_lifestep WHERE state = 'proposed'),
           (SELECT max(decided_at) FROM rotation_lifestep),
           (SELECT max(id) FROM rotation_lifestep),
           (SELECT count(*) FROM rotation_verificationrun WHERE state = 'running'),
           (SELECT max(ended_at) FROM rotation_verificationtask WHERE run_id IN
               (SELECT id FROM rotation_verificationrun WHERE state = 'running'))"""


@dataclass(frozen=True, slots=True)
class ProviderLook:
    """A provider with its last look; None: nobody has looked yet. `asked`: there is a key to ask with."""

    provider: Provider
    run: DiscoveryRun | None
    asked: bool
    refused: int  # of its last looks, in a row

    @property
    def state(self) -> str:
        if self.run is None:
            return "not read yet" if self.asked else "no key"
        return {"running": "being read", "failed": "refused"}.get(self.run.state, "read")


@dataclass(frozen=True, slots=True)
class Verifying:
    run: VerificationRun
    outlook: runs.Outlook


def state(now: datetime) -> str:
    """Two queries: a token that differs when the page would."""
    return token(everything(now), fetch(STATE, []))


def looks(*, simulated: bool) -> list[ProviderLook]:
    """Three queries: every enabled provider."""
    latest = DiscoveryRun.objects.filter(provider=OuterRef("pk")).order_by("-started_at", "-id").values("pk")[:1]
    providers = list(Provider.objects.filter(simulated=simulated, enabled=True).annotate(last=Subquery(latest)))
    ids = [one.pk for one in providers]
    last = {run.provider_id: run for run in DiscoveryRun.objects.filter(pk__in=[one.last for one in providers])}
    keyed = set(Key.objects.usable().filter(account__provider__in=ids).values_list("account__provider", flat=True))
    refused = dict(fetch(REFUSED, [ids])) if ids else {}
    return [ProviderLook(one, last.get(one.pk), one.pk in keyed, refused.get(one.pk, 0)) for one in providers]


#: Looks refused since the last believed one.
REFUSED = """
    SELECT provider_id, count(*) FROM rotation_discoveryrun AS run
    WHERE provider_id = ANY(%s) AND state = 'failed' AND started_at > coalesce(
        (SELECT max(started_at) FROM rotation_discoveryrun WHERE provider_id = run.provider_id AND state = 'done'),
        '-infinity')
    GROUP BY provider_id"""


def recent(*, simulated: bool) -> list[DiscoveryRun]:
    """The last looks that brought or refused something, and what they were."""
    found = DiscoveryRun.objects.filter(provider__simulated=simulated).exclude(state=RunState.DONE, changed=0)
    return list(found.select_related("provider")[:LOOKS])


def proposals(*, simulated: bool) -> list[LifeStep]:
    """What waits for a person's word, oldest first."""
    found = LifeStep.objects.filter(state=StepState.PROPOSED, deployment__provider__simulated=simulated)
    return list(found.select_related("deployment__provider", "pool").order_by("at", "id")[:PROPOSALS])


def under_way(now: datetime) -> list[Verifying]:
    running = VerificationRun.objects.filter(state=RunState.RUNNING).order_by("id")[:UNDER_WAY]
    return [Verifying(run, runs.outlook(run, now)) for run in running]


def past() -> list[VerificationRun]:
    return list(VerificationRun.objects.exclude(state=RunState.RUNNING)[:PAST])


def changes(*, simulated: bool) -> list[CatalogueChange]:
    found = CatalogueChange.objects.filter(provider__simulated=simulated).select_related("provider")
    return list(found.order_by("-at", "-id")[:CHANGES])


def words(change: CatalogueChange) -> str:
    """What changed: `in $0.25 → $0.5`; nothing for what is said by its kind."""
    before: Any = change.before or {}
    after: Any = change.after or {}
    if change.change in SAID or not isinstance(before, dict) or not isinstance(after, dict):
        return ""
    names = {**before, **after}
    if change.change == Change.FREE:
        return "it costs nothing now" if after.get("free") else "it costs something now"
    return ", ".join(_change(NAMES.get(name, name), name, before.get(name), after.get(name)) for name in names)


def _change(label: str, name: str, before: Any, after: Any) -> str:
    if after in UNTOLD:
        return f"{label} not told any more"
    became = _short(name, after)
    return f"{label} {became}" if before in UNTOLD else f"{label} {_short(name, before)} → {became}"


def _short(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if name.startswith("price_"):
        return "$" + (text.rstrip("0").rstrip(".") if "." in text else text)
    return f"{value:,}" if isinstance(value, int) else text
