"""A person's question put through the gateway's own door, for pages without scripts and for asking the same again.

Like any client's: it meets the same quotas and leaves the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2
from django.conf import settings

CAP = 4 * 2**20  # bytes of an answer that are read
SECONDS = 90.0  # a person does not wait longer


@dataclass(frozen=True, slots=True)
class Heard:
    """What the door said; header names in lower case. `status` 0: nothing, and `trouble` says why in words."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    trouble: str = ""


def put(path: str, body: bytes, *, key: str, content_type: str = "application/json") -> Heard:
    """POST to a path of `/v1` with a client key. Never raises for what the other side does."""
    headers = {
        "authorization": f"Bearer {key}",
        "content-type": content_type,
        "x-deadline-ms": str(int(SECONDS * 1000)),
    }
    begun = time.monotonic()
    try:
        with httpx2.Client(trust_env=False, follow_redirects=False, timeout=SECONDS + 10) as client:
            address = settings.ROTATION_GATEWAY_URL.rstrip("/") + path
            with client.stream("POST", address, content=body, headers=headers) as answer:
                told = {name.lower(): value for name, value in answer.headers.items()}
                return Heard(answer.status_code, told, _read(answer), time.monotonic() - begun)
    except httpx2.TimeoutException:
        return Heard(0, seconds=time.monotonic() - begun, trouble=f"no answer within {SECONDS:.0f} s")
    except httpx2.HTTPError as error:
        words = f"the gateway at {settings.ROTATION_GATEWAY_URL} could not be asked: {type(error).__name__}"
        return Heard(0, seconds=time.monotonic() - begun, trouble=words)


def _read(answer: httpx2.Response) -> bytes:
    parts, size = [], 0
    for part in answer.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > CAP:
            break
    return b"".join(parts)[:CAP]
