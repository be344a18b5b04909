"""What bytes from a provider are, before anybody asks what they mean: JSON, HTML, lower-case headers.

It knows no provider, no error shape and no event stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson

BOM = b"\xef\xbb\xbf"
PADDING = b" \t\r\n"

_TITLE = re.compile(rb"<title[^>]{0,100}>([^<]{0,200})", re.IGNORECASE)


def parse(data: bytes | bytearray) -> Any:
    """JSON, quickly; once more with the slower parser for lone surrogates, which models do send. Raises ValueError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _parse_slowly(data)


def _parse_slowly(data: bytes | bytearray) -> Any:
    if b"\\u" not in data:
        raise ValueError("not JSON")
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def bare(body: bytes) -> bytes:
    """The body without a byte order mark and without the white space some providers keep a connection alive with."""
    return body.removeprefix(BOM).strip(PADDING)


def is_html(body: bytes | bytearray) -> bool:
    """A page meant for people: a login form, a proxy's error, a block page."""
    return body[:1024].removeprefix(BOM).lstrip(PADDING).startswith(b"<")


def html_title(body: bytes) -> str:
    """What the page calls itself, or nothing."""
    found = _TITLE.search(body[:4096])
    return found[1].decode("utf-8", "replace").strip() if found else ""


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers under lower-case names, whatever the client library made of them."""
    return {name.lower(): value for name, value in headers.items()}
