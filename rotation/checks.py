"""System checks: what is set up in a way that cannot end well, said before the first request.

Ids are `rotation.E…` (must be mended) and `rotation.W…` (works, but look).
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


@register(Tags.security)
def secrets_key_is_fernet(**_: Any) -> list[CheckMessage]:
    try:
        for key in settings.ROTATION_SECRETS_KEY.split(","):
            Fernet(key.strip().encode())
    except ValueError:
        hint = "Each is 32 random bytes in url-safe base64; separate several with commas, the newest first."
        return [Error("ROTATION_SECRETS_KEY holds something that is not a Fernet key.", hint=hint, id="rotation.E001")]
    return []


@register(Tags.security)
def debug_stays_at_home(**_: Any) -> list[CheckMessage]:
    if settings.DEBUG and (settings.HOST not in LOOPBACK or settings.ROTATION_MODE == "production"):
        hint = "Unset DEBUG, or listen on 127.0.0.1 in development mode."
        return [Error("DEBUG would show settings and code to strangers.", hint=hint, id="rotation.E002")]
    return []


@register(Tags.security)
def secrets_are_long(**_: Any) -> list[CheckMessage]:
    short = [name for name in ("SECRET_KEY", "ROTATION_PEPPER") if len(getattr(settings, name)) < 32]
    hint = "Use at least 32 random characters. A changed pepper makes every client key issued so far invalid."
    return [Error(f"{name} is too short to keep a secret.", hint=hint, id="rotation.E003") for name in short]


@register(Tags.security, deploy=True)
def every_host_is_allowed(**_: Any) -> list[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        hint = "List the names people use, comma-separated, in ALLOWED_HOSTS."
        return [Caution("Any Host header is accepted.", hint=hint, id="rotation.W001")]
    return []
