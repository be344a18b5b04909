"""Client keys: made, digested, found. A key looks like `rk_<8 public>_<43 base62>` and is shown once.

256 bits of chance need no slow hash; what is stored is HMAC-SHA256 under a pepper that is not in the database, so a
stolen table opens nothing. A key is found by its digest: there is nothing left to compare letter by letter.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from rotation.models import ClientKey

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
SHAPE = re.compile(r"rk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}")
JOBS = "internal"  # the public part of the jobs' own key
PLAYGROUND = "Playground of "


def digest(plain: str) -> str:
    """What a key is stored and found as: hex HMAC-SHA256 under the pepper."""
    return hmac.digest(settings.ROTATION_PEPPER.encode(), plain.encode(errors="replace"), hashlib.sha256).hex()


def issue(
    label: str, pools: Sequence[str] = (), *, internal: bool = False, expires_at: datetime | None = None
) -> tuple[ClientKey, str]:
    """A new client key: its row, and the key itself, which nobody can show again."""
    key = ClientKey(label=label, pools=list(pools), internal=internal, expires_at=expires_at)
    plain = cut(key)
    key.save()
    return key, plain


def cut(key: ClientKey) -> str:
    """Give an unsaved row a key of its own; the plain text is in nobody's hands but the caller's."""
    key.prefix = chance(8)
    plain = f"rk_{key.prefix}_{chance(43)}"
    key.last4, key.digest = plain[-4:], digest(plain)
    return plain


def chance(length: int) -> str:
    """So many letters and digits nobody can guess."""
    return "".join(secrets.choice(BASE62) for _ in range(length))


def find(plain: str) -> ClientKey | None:
    """The live key of that text, if there is one."""
    if not SHAPE.fullmatch(plain):
        return None
    key = ClientKey.objects.filter(digest=digest(plain)).first()
    return key if key and key.live() else None


def for_jobs() -> tuple[ClientKey, str]:
    """The key Rotation's own jobs call the gateway with: derived from the pepper, so it need not be stored anywhere."""
    number = int.from_bytes(hmac.digest(settings.ROTATION_PEPPER.encode(), b"client key of the jobs", hashlib.sha256))
    plain = f"rk_{JOBS}_{_base62(number)}"
    known = {"label": "Rotation's own jobs", "internal": True, "prefix": JOBS, "last4": plain[-4:]}
    key, _ = ClientKey.objects.get_or_create(digest=digest(plain), defaults=known)
    return key, plain


def for_playground(person: int, name: str, today: date) -> tuple[ClientKey, str]:
    """The key somebody signed in tries things with from the browser: their own, another one every day.

    Derived from the pepper, so a page can show it again without its being stored. One row for each person, whatever
    they are called by now; who was locked out by disabling it stays locked out, one that was ended begins again.
    """
    word = f"playground {person} {today:%Y-%m-%d}"
    number = int.from_bytes(hmac.digest(settings.ROTATION_PEPPER.encode(), word.encode(), hashlib.sha256))
    plain = f"rk_{_public(person)}_{_base62(number)}"
    ends = datetime.combine(today + timedelta(days=2), time(), UTC)
    now = {"digest": digest(plain), "last4": plain[-4:], "expires_at": ends}
    label = f"{PLAYGROUND}{name}"[:120]
    key, _ = ClientKey.objects.get_or_create(prefix=_public(person), defaults={"label": label, **now})
    if key.label.startswith(PLAYGROUND):  # else somebody calls it otherwise
        now["label"] = label
    if differing := [field for field, value in now.items() if getattr(key, field) != value]:
        for field in differing:
            setattr(key, field, now[field])
        key.save(update_fields=differing)
    return key, plain


def end_playground(person: int) -> None:
    """Their key of the Playground ends now: for who is locked out, removed, or may no longer spend anything."""
    now = timezone.now()
    ClientKey.objects.filter(prefix=_public(person), expires_at__gt=now).update(expires_at=now)


def _public(person: int) -> str:
    """Chance gives another key the same one once in 10^14."""
    return f"p{person:07d}"[-8:]


def _base62(number: int) -> str:
    """43 digits: enough for 256 bits."""
    digits = []
    for _ in range(43):
        number, rest = divmod(number, 62)
        digits.append(BASE62[rest])
    return "".join(digits)
