"""What a provider tells about itself and a key: listings, one model, OpenRouter's key and credits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from rotation.simulator import refusals, spoilers
from rotation.simulator.catalogue import Catalogue
from rotation.simulator.limits import DAY, Bucket
from rotation.simulator.oops import Oops, Refusal, Trouble
from rotation.simulator.script import Script, whole
from rotation.simulator.visit import Plan, Visit

_LISTING_SECONDS = 0.15
_FREE_PLAN, _CREDIT_PLAN = 50, 1_000


def _guarded(visit: Visit, answer: Callable[[], Script], *, public: bool = False) -> Plan:
    """Keys and faults as everywhere, then the answer."""
    if not public:
        try:
            visit.check_key()
        except Refusal as refusal:
            return Plan(visit.refused(refusal.oops))
    number = visit.world.number(visit.kind.name, f"/{visit.entry.operation}")
    rule = visit.fault("", visit.world.draw("fault", visit.kind.name, visit.entry.operation, number)[0])
    if rule is None or (public and rule.fault == "key_revoked"):
        return Plan(answer())
    if oops := refusals.refusal(rule, "", visit):
        return Plan(visit.refused(oops))
    return Plan(spoilers.spoil(rule, answer(), None, visit.kind))


def models(visit: Visit) -> Plan:
    """GET /models."""

    def listing() -> Script:
        world, kind = visit.world, visit.kind
        hidden = world.faults.hidden(kind.name, world.clock.now, world.clock.start)
        body = world.listing(kind.name)
        if hidden:
            body = kind.listing(Catalogue(model for model in world.catalogues[kind.name] if model.id not in hidden))
        return whole(200, kind.json_headers, body, wait=_LISTING_SECONDS)

    return _guarded(visit, listing, public=visit.kind.public_listing)


def model(visit: Visit) -> Plan:
    """GET /models/{id}."""
    wanted = visit.path.removeprefix("/models/")

    def one() -> Script:
        kind = visit.kind
        found = visit.world.catalogues[kind.name].get(wanted)
        if found is None:
            return visit.refused(Oops(Trouble.NO_MODEL, model=wanted, account=visit.account))
        listed = orjson.loads(kind.listing(Catalogue([found])))
        listed = listed if isinstance(listed, list) else listed["data"]
        return whole(200, kind.json_headers, kind.dump(listed[0]), wait=_LISTING_SECONDS)

    return _guarded(visit, one, public=visit.kind.public_listing)


def key(visit: Visit) -> Plan:
    """GET /key: OpenRouter's check that costs nothing."""
    return _guarded(
        visit,
        lambda: whole(200, visit.kind.json_headers, orjson.dumps({"data": _key_facts(visit)}), wait=_LISTING_SECONDS),
    )


def credits_left(visit: Visit) -> Plan:
    """GET /credits."""
    data = {"total_credits": 0 if _free_tier(visit) else 10, "total_usage": 0}
    return _guarded(
        visit, lambda: whole(200, visit.kind.json_headers, orjson.dumps({"data": data}), wait=_LISTING_SECONDS)
    )


def _free_tier(visit: Visit) -> bool:
    return visit.world.plan(visit.kind.name, visit.account) == "free"


def _key_facts(visit: Visit) -> dict[str, Any]:
    free = _free_tier(visit)
    spent = {f"{lead}usage{tail}": 0 for lead in ("", "byok_") for tail in ("", "_daily", "_weekly", "_monthly")}
    return {
        "label": f"{visit.key[:12]}...{visit.key[-3:]}",
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        **spent,
        "is_free_tier": free,
        "is_management_key": False,
        "is_provisioning_key": False,
        "creator_user_id": f"user_sim_{visit.account}",
        "expires_at": None,
        "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated and safe to ignore."},
        "free_model_daily_requests": _free_day(visit, free=free),
    }


def _free_day(visit: Visit, *, free: bool) -> dict[str, int]:
    bucket: Bucket | None = visit.world.shared_bucket(visit.kind.name, visit.account, "free-models-per-day")
    limit = _FREE_PLAN if free else _CREDIT_PLAN
    used = bucket.used(visit.world.clock.now) if bucket is not None and bucket.cap.window == DAY else 0
    return {"used": used, "limit": limit, "remaining": max(0, limit - used)}
