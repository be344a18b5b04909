"""What a person (or a script) is told by `up`."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rotation.embedded.listening import WILDCARDS


@dataclass(frozen=True, slots=True)
class Welcome:
    """`setup_url` until the first account is made, `client_key` unless it was revoked."""

    url: str
    setup_url: str | None
    client_key: str | None
    simulated: bool


def say(text: str) -> None:
    """Progress and problems go to stderr: stdout belongs to the result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def note(text: str) -> None:
    say(f"{time.strftime('%H:%M:%S')} {text}")


def warn_of_strangers(host: str, allowed: str | None) -> None:
    """Listening for everybody is not yet answering everybody, which surprises people."""
    if host in WILDCARDS and not allowed:
        note("only localhost is answered: set ALLOWED_HOSTS to the names or addresses people will use")


def welcome(told: Welcome, *, as_json: bool, logs: Path) -> None:
    print(json.dumps(asdict(told)) if as_json else in_words(told, logs), flush=True)  # noqa: T201


def in_words(told: Welcome, logs: Path) -> str:
    lines = ["", f"  Rotation answers at  {told.url}", f"  OpenAI base URL      {told.url}/v1"]
    if told.client_key:
        lines.append(f"  Client key           {told.client_key}")
    if told.setup_url:
        lines += ["", "  Make the first account (this link is good for one hour, once):", f"  {told.setup_url}"]
    if told.simulated:
        lines += [
            "",
            "  No provider key is known, so simulated providers answer. Their answers say so. Set OPENROUTER_API_KEY,",
            "  GROQ_API_KEY, OPENAI_API_KEY or TOGETHER_API_KEY (or add a key in the admin) to switch to real ones.",
        ]
    body = '{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'
    lines += [
        "",
        "  Try it:",
        f"  curl {told.url}/v1/chat/completions \\",
        f'    -H "Authorization: Bearer {told.client_key or "<client key>"}" -H "Content-Type: application/json" \\',
        f"    -d '{body}'",
        "",
        f"  Logs are in {logs}. Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)
