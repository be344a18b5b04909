"""A whole, non-streamed reply: good only when it really holds an answer.

A status of 200 proves nothing: errors come inside it, after kilobytes of padding, at the top or in a choice; so do
pages, empty bodies and answers that say nothing. Statuses other than 2xx go to `errors.classify`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from rotation.core.failures import Failure, FailureKind
from rotation.providers.base import Answer, Usage
from rotation.providers.content import characters, has_content
from rotation.providers.envelope import complaint
from rotation.providers.errors import classify, in_choice, inside
from rotation.providers.redact import plain, redact
from rotation.providers.stream import rename
from rotation.providers.usage import estimated, usage_of
from rotation.providers.wire import bare, html_title, is_html, parse

EMPTY = "empty_answer"  # the code of a failure that is an answer saying nothing
_CUT_SHORT = ("length", "content_filter", "max_tokens")  # may well have come to nothing


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, now: float, *, renames: Mapping[str, str]
) -> Answer | Failure:
    """The answer in a reply, or why there is none. `renames` maps the provider's finish reasons to OpenAI's."""
    if not 200 <= status < 300:
        return classify(status, headers, body, now)
    body = bare(body)
    try:
        parsed = parse(body)
    except ValueError:
        return _broken(status, _unreadable(body))
    return _error_inside(status, parsed, now) or _answer(body, parsed, parsed["choices"], renames)


def _error_inside(status: int, parsed: Any, now: float) -> Failure | None:
    """Why a parsed body is no answer, or None when it has choices that say something."""
    choices = parsed.get("choices") if type(parsed) is dict else None
    if not choices or parsed.get("error"):
        empty = _broken(status, "empty answer", EMPTY) if choices == [] else _broken(status, "answered without choices")
        return inside(parsed, now) if complaint(parsed) else empty
    if type(choices) is not list or not all(type(choice) is dict for choice in choices):
        return _broken(status, "answered with choices that are none")
    failure = next((found for choice in choices if (found := in_choice(choice, now))), None)
    if failure is None and not any(_says(choice) for choice in choices) and not _meant_empty(parsed, choices):
        return _broken(status, "empty answer", EMPTY)
    return failure


def _answer(body: bytes, parsed: dict[str, Any], choices: list[dict[str, Any]], renames: Mapping[str, str]) -> Answer:
    if renames and rename(parsed, renames):
        body = orjson.dumps(parsed)
    reason = next((r for choice in choices if isinstance(r := choice.get("finish_reason"), str)), None)
    model = parsed.get("model")
    return Answer(body, _usage(parsed, choices), _name(reason) or None, _name(model))


def _name(value: Any) -> str:
    """Almost always a plain word already, and this is on every call's way."""
    return value if isinstance(value, str) and len(value) <= 100 and value.isprintable() else plain(value)


def _says(choice: dict[str, Any]) -> bool:
    return has_content(choice, choice.get("message"))


def _meant_empty(parsed: dict[str, Any], choices: list[dict[str, Any]]) -> bool:
    """An empty answer that is meant: cut short, or a text of nothing for which tokens were made (a stop sequence)."""
    if any(choice.get("finish_reason") in _CUT_SHORT for choice in choices):
        return True
    texts = [part.get("content") for choice in choices if isinstance(part := choice.get("message"), dict)]
    usage = usage_of(parsed)
    return "" in texts and usage is not None and usage.tokens_out > 0


def _usage(parsed: dict[str, Any], choices: list[dict[str, Any]]) -> Usage:
    found = usage_of(parsed)
    return found or estimated(sum(characters(choice, choice.get("message")) for choice in choices), parsed)


def _unreadable(body: bytes) -> str:
    if not body:
        return "answered with an empty body"
    if is_html(body):
        title = redact(html_title(body), longest=200)
        return f"answered with a page, not with JSON: {title}" if title else "answered with a page, not with JSON"
    return "answered with something that is not JSON"


def _broken(status: int, words: str, code: str | None = None) -> Failure:
    return Failure(FailureKind.OVERLOADED, words, status, code=code)
