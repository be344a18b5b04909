"""The key recheck: which keys the providers still take, and what limits they tell of them.

A key refused once is suspect, refused again invalid: one answer may be the provider's mistake. What is no answer about
the key (unreachable, busy) changes nothing and is asked again soon.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from rotation.core.failures import FailureKind
from rotation.jobs.fetch import FetchFailed, allowed, fetch
from rotation.models import Key, KeyState, LearnedLimit
from rotation.providers import PROVIDERS
from rotation.providers.base import KeyReport, Limit
from rotation.sealing import Locked

SOON, LATER = timedelta(minutes=14), timedelta(hours=23, minutes=50)  # a little less than a quarter of an hour, a day
PATIENCE = {KeyState.SUSPECT: SOON, KeyState.INVALID: SOON, KeyState.EXHAUSTED: timedelta(minutes=59)}


def recheck(now: datetime | None = None) -> str:
    """Every usable key that is due: suspect and invalid ones each quarter of an hour, exhausted ones hourly, others
    daily. One line: how many were asked, and what was found."""
    found: Counter[str] = Counter()
    for key in Key.objects.usable().select_related("account__provider"):
        if key.account.provider.url and due(key, now or timezone.now()):
            found[check(key)] += 1
    told = ", ".join(f"{count} {word}" for word, count in sorted(found.items()))
    return f"{found.total()} keys asked about: {told}" if found else "no key is due"


def due(key: Key, now: datetime) -> bool:
    return key.checked_at is None or now - key.checked_at >= PATIENCE.get(KeyState(key.state), LATER)


def check(key: Key) -> str:
    """Asks about one key and stores what is said; one word for it: its state, "unanswered" or "locked"."""
    try:
        report = ask(key)
    except Locked:
        return "locked"
    except FetchFailed:
        return "unanswered"
    state = verdict(KeyState(key.state), report)
    if state is None:
        return "unanswered"
    store(key, state, report)
    return state.value


def ask(key: Key) -> KeyReport:
    """What the provider says of the key now. Raises FetchFailed, Locked."""
    provider = key.account.provider
    adapter = PROVIDERS[provider.kind]
    reply = fetch(adapter.key_check(provider.url, key.secret.reveal()), allowed(provider))
    return adapter.read_key_check(reply.status, reply.headers, reply.body, time.time())


def verdict(state: KeyState, report: KeyReport) -> KeyState | None:
    """The state a report leads to; None when it says nothing about the key."""
    kind = report.failure.kind if report.failure else None
    if kind is FailureKind.BAD_CREDENTIAL:
        return KeyState.INVALID if state in {KeyState.SUSPECT, KeyState.INVALID} else KeyState.SUSPECT
    if kind is FailureKind.OUT_OF_CREDIT:
        return KeyState.EXHAUSTED
    # Not permitted to list models is still a key that was recognised.
    return KeyState.READY if kind in {None, FailureKind.NOT_PERMITTED} else None


@transaction.atomic
def store(key: Key, state: KeyState, report: KeyReport) -> None:
    """The state with its reason, when it was asked, and the limits it told."""
    before = KeyState(key.state)
    reason = report.failure.message[:500] if report.failure else ""
    if state is KeyState.READY and before is not KeyState.READY:
        key.revive(reason)
    elif (before, key.state_reason) != (state, reason):
        key.mark(state, reason)
    Key.objects.filter(pk=key.pk).update(checked_at=timezone.now())
    for limit in report.limits:
        learn(key, limit)


def learn(key: Key, limit: Limit) -> None:
    """A limit of the account as a whole, or of its free models. Limits per model say nothing without a model."""
    if not limit.per_account:
        return
    scope = f"account:{key.account_id}/free" if limit.free_only else f"account:{key.account_id}"
    LearnedLimit.objects.update_or_create(
        scope=scope,
        axis=limit.axis,
        window_s=limit.window,
        defaults={"limit": limit.limit, "source": limit.source, "seen_at": timezone.now()},
    )
