"""Slows down guessing of passwords: every wrong try of one name from one address makes the next wait longer.

The try is counted before the password is looked at and forgotten when it was right, so a thousand tries at once are
counted as well. It lives in the database, so that it holds for all processes and over restarts. Other people with the
same name from other addresses are not locked out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2s

from django.db import transaction
from django.http import HttpRequest

from dashboard.models import SignInDelay

FREE_TRIES = 5
LONGEST = timedelta(minutes=5)
FORGOTTEN = timedelta(hours=1)


def delay_after(tries: int) -> timedelta:
    """Nothing for the first five tries, then 1, 2, 4, ... seconds, at most five minutes."""
    over = tries - FREE_TRIES
    return timedelta(0) if over < 0 else min(timedelta(seconds=2 ** min(over, 20)), LONGEST)


def subject_of(request: HttpRequest, username: str) -> str:
    address = request.META.get("REMOTE_ADDR", "")
    name = username.strip().casefold()[:150]
    return blake2s(f"{name}\0{address}".encode(errors="replace")).hexdigest()


def ask(subject: str, now: datetime) -> timedelta | None:
    """Counts a try. None: go ahead. Else how long to wait; that try is not counted."""
    SignInDelay.objects.filter(seen_at__lt=now - FORGOTTEN).delete()
    with transaction.atomic():
        SignInDelay.objects.get_or_create(subject=subject, defaults={"until": now, "seen_at": now})
        row = SignInDelay.objects.select_for_update().get(subject=subject)  # two tries at once queue here
        if row.until > now:
            return row.until - now
        row.tries += 1
        row.until, row.seen_at = now + delay_after(row.tries), now
        row.save(update_fields=["tries", "until", "seen_at"])
    return None


def forget(subject: str) -> None:
    """The password was right."""
    SignInDelay.objects.filter(subject=subject).delete()
