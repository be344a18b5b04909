"""The written-down answers of every provider kind, in the shapes they come in."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

NOW = 1_790_000_000.0
FIXTURES = Path(__file__).with_name("fixtures")


@lru_cache
def errors(kind: str) -> list[dict[str, Any]]:
    """Rows of name, status, headers, body and what is expected of it."""
    return [orjson.loads(line) for line in (FIXTURES / kind / "errors.jsonl").read_bytes().splitlines()]


def fixture(kind: str, name: str) -> bytes:
    return (FIXTURES / kind / name).read_bytes()


def streams(kind: str) -> list[Path]:
    return sorted((FIXTURES / kind).glob("stream_*.sse"))
