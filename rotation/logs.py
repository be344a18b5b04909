"""How Rotation logs: one readable line per event (or one JSON object), and never a secret.

INFO is a start or a summary, WARNING a rotation or a retry, ERROR a final failure or an opened breaker.
Extra fields that may be given with a record: `request_id`. Prompts and answers are never passed to a logger.
"""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

SECRET_SHAPES = re.compile(
    r"""(?ix)
    \b(sk|gsk|rk|pk|tgp|xai|hf)[-_][A-Za-z0-9_\-]{8,}       # keys as providers and we write them
    | (?<=bearer\s)[^\s"',;]{8,}                            # any authorisation header
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)                       # user:password in an address
    | \bgAAAA[A-Za-z0-9_\-=]{20,}                           # a sealed secret
    """
)


def redact(text: str) -> str:
    """`text` with everything that looks like a secret replaced by its last four characters."""
    return SECRET_SHAPES.sub(lambda found: "…" + found.group()[-4:] if len(found.group()) >= 20 else "…", text)


class Redaction(logging.Filter):
    """Rewrites a record's finished message, so that arguments cannot carry a secret past it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a logging mistake must not become a failed call
            message = str(record.msg)
        record.msg, record.args = redact(message), None
        return True


class Line(logging.Formatter):
    """`2026-01-31 12:00:00.123Z WARNING rotation.gateway: message (request 0198…)`."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        request = getattr(record, "request_id", None)
        return f"{line} (request {request})" if request else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return redact(super().formatException(ei))


class Json(Line):
    """One JSON object per line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := getattr(record, "request_id", None):
            fields["request_id"] = str(request)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=True)


def config(level: str, *, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING: everything on stderr, redacted; clients that log whole addresses only from WARNING on."""
    quiet = ("httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "asyncio", "urllib3", "uvicorn.access")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"redaction": {"()": "rotation.logs.Redaction"}},
        "formatters": {"line": {"()": "rotation.logs.Json" if as_json else "rotation.logs.Line"}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redaction"]},
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "rotation": {"level": level},
            "dashboard": {"level": level},
            "celery": {"level": level},
            "uvicorn": {"level": level},
            "django": {"level": "WARNING", "handlers": [], "propagate": True},
            **{name: {"level": "WARNING"} for name in quiet},
        },
    }
