"""Which pools want a deployment, by what its listing says or by what it has proved."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from rotation.core.admission import CHAT, FEATURES, Applicant, objections
from rotation.core.lifecycle import Seen, proved, seconds
from rotation.models import Deployment, Pool
from rotation.models.pools import Mode
from rotation.providers.model_names import type_of

KINDS = frozenset({"embedding", "transcription", "image", "moderation", "rerank", "speech", "other"})


def kind(deployment: Deployment) -> str:
    """What it is for: a tag that says so, else a guess by its id."""
    return next((tag for tag in deployment.tags if tag in KINDS or tag == CHAT), "") or type_of(deployment.model_id)


def applicant(deployment: Deployment, seen: Mapping[str, Seen] | None = None) -> Applicant:
    """A deployment as it asks to be let in; with verdicts, by what was proved."""
    return Applicant(
        provider=deployment.provider.name,
        family=deployment.family,
        kind=kind(deployment),
        tags=frozenset(deployment.tags),
        free=deployment.free,
        context=deployment.context,
        price_in=_number(deployment.price_in),
        price_out=_number(deployment.price_out),
        claims={name: getattr(deployment, name) for name in FEATURES},
        proved=None if seen is None else proved(seen),
        seconds=None if seen is None else seconds(seen),
    )


def choosing() -> list[Pool]:
    """Pools that take in or are proposed new models."""
    return [pool for pool in Pool.objects.all() if pool.admits and pool.discovery != Mode.OFF]


def wanted_by(deployment: Deployment, pools: list[Pool]) -> list[str]:
    """The names of the pools that want it, as far as its listing tells."""
    one = applicant(deployment)
    return [pool.name for pool in pools if not objections(pool.admits, one)]


def why_not(deployment: Deployment, pools: list[Pool]) -> str:
    """Why none of them wants it, in a few words: the first objection of the pool that has the fewest."""
    one = applicant(deployment)
    found = [(objections(pool.admits, one), pool.name) for pool in pools]
    if not found:
        return "no pool takes in new models"
    least, name = min(found, key=lambda pair: (len(pair[0]), pair[1]))
    return f"no pool wants it ({name}: {least[0]})"


def _number(price: Decimal | None) -> float | None:
    return None if price is None else float(price)
