"""Faults that refuse: each is a trouble the provider puts into its own words."""

from __future__ import annotations

from rotation.simulator.faults import Fault, Rule
from rotation.simulator.limits import DAY, Refused
from rotation.simulator.oops import Oops, Trouble
from rotation.simulator.visit import Visit

_HINT = 7.0  # seconds a rate limit asks for when the rule does not say

_REFUSALS = {
    Fault.UPSTREAM_BUSY: Trouble.BUSY,
    Fault.SERVER_ERROR: Trouble.SERVER,
    Fault.OVERLOADED: Trouble.OVERLOADED,
    Fault.KEY_REVOKED: Trouble.BAD_KEY,
    Fault.CREDITS_GONE: Trouble.CREDIT,
    Fault.NO_PERMISSION: Trouble.NOT_PERMITTED,
    Fault.MODEL_GONE: Trouble.MODEL_GONE,
    Fault.LACKS_TOOLS: Trouble.LACKS,
    Fault.LACKS_IMAGES: Trouble.LACKS,
    Fault.LACKS_JSON: Trouble.LACKS,
    Fault.TOO_LONG: Trouble.TOO_LONG,
    Fault.CONTENT_POLICY: Trouble.POLICY,
    Fault.GENERATION_FAILED: Trouble.GENERATION,
}


def refusal(rule: Rule, model: str, visit: Visit) -> Oops | None:
    """The trouble of a fault that refuses; None for one that spoils."""
    if rule.fault in {Fault.RATE_LIMIT, Fault.QUOTA_DAY}:
        return Oops(Trouble.LIMIT, model=model, account=visit.account, hint=rule.hint, refused=_limit(rule, visit))
    trouble = _REFUSALS.get(rule.fault)
    if trouble is None:
        return None
    return Oops(
        trouble,
        model=model,
        message=rule.message,
        code=rule.code or None,
        feature=rule.fault.removeprefix("lacks_"),
        status=rule.status,
        key=masked(visit.key),
        account=visit.account,
        context=8_192,
        size=int(rule.seconds or 0),
        path=visit.path,
        affords=rule.size or None,
    )


def masked(key: str) -> str:
    """As OpenAI echoes a wrong key: never the whole of it."""
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "*" * len(key)


def _limit(rule: Rule, visit: Visit) -> Refused:
    """A limit that is full, with numbers that fit the wait wanted."""
    daily = rule.fault is Fault.QUOTA_DAY
    now = visit.world.clock.now
    seconds = rule.seconds if rule.seconds is not None else (DAY - now % DAY if daily else _HINT)
    cap = visit.kind.daily_cap if daily else visit.kind.minute_cap
    requested = 1 if cap.axis == "requests" else max(1, int(cap.limit // 20))
    used = round(seconds / cap.window * cap.limit + cap.limit - requested)
    return Refused(cap, used=max(0, used), requested=requested, wait=seconds)
