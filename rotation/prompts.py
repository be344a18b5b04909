"""Bodies of calls, kept sealed while the operator wants that, so that the same can be asked again.

Text only: pictures, audio and files are left out, and it is said that they were. What is too long is not kept at all.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from rotation import sealing

PURPOSE = "prompt"
MOST = 64 * 1024  # bytes, compressed
MOST_PLAIN = 512 * 1024  # bytes, before: longer ones are not even compressed, for that takes time
QUICKLY = 1  # of zlib's levels
LEFT_OUT = {"image_url": "image", "input_image": "image", "input_audio": "audio", "file": "file", "video_url": "video"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """`body` is what was asked, {} where it was too long; `left_out` says of what kinds parts are missing."""

    operation: str
    body: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    too_long: bool = False

    @property
    def whole(self) -> bool:
        """Whether asking it again asks the same."""
        return not self.left_out and not self.too_long


def packed(operation: str, body: Mapping[str, Any]) -> str:
    """A body, as JSON has it, sealed. Its own values are not changed."""
    left_out: set[str] = set()
    plain = orjson.dumps({"operation": operation, "body": _text_only(body, left_out), "left_out": sorted(left_out)})
    small = zlib.compress(plain, QUICKLY) if len(plain) <= MOST_PLAIN else b""
    if not small or len(small) > MOST:
        small = zlib.compress(orjson.dumps({"operation": operation, "body": {}, "too_long": True}))
    return sealing.seal(base64.b85encode(small).decode(), PURPOSE)


def unpacked(sealed: str) -> Prompt:
    """Raises `sealing.Locked` when no secrets key opens it."""
    try:
        found = orjson.loads(zlib.decompress(base64.b85decode(sealing.unseal(sealed, PURPOSE))))
        return Prompt(found["operation"], found["body"], tuple(found.get("left_out", ())), bool(found.get("too_long")))
    except (ValueError, zlib.error, KeyError, TypeError):
        raise sealing.Locked from None


def kept(request: UUID | str) -> Prompt | None:
    """What was asked in that call; None when it was not kept, is erased, or cannot be opened any more."""
    from rotation.models import KeptPrompt  # noqa: PLC0415 - the gateway packs prompts and reads no table

    sealed = KeptPrompt.objects.filter(request_id=request).values_list("sealed", flat=True).first()
    try:
        return unpacked(sealed) if sealed else None
    except sealing.Locked:
        return None


def _text_only(body: Mapping[str, Any], left_out: set[str]) -> dict[str, Any]:
    """The body with a note in the place of every part that is not text."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return dict(body)
    return {**body, "messages": [_message(message, left_out) for message in messages]}


def _message(message: Any, left_out: set[str]) -> Any:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return message
    return {**message, "content": [_part(part, left_out) for part in content]}


def _part(part: Any, left_out: set[str]) -> Any:
    kind = LEFT_OUT.get(str(part.get("type"))) if isinstance(part, dict) else None
    if kind is None:
        return part
    left_out.add(kind)
    return {"type": "text", "text": f"[{kind} left out]"}
