"""Reads one parameter of a request at a time, with the complaint a provider would have about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class BadAsk(Exception):
    """The request is no chat request: what is wrong, and with which parameter."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


def model(raw: Mapping[str, Any]) -> str:
    value = raw.get("model")
    if isinstance(value, str) and value:
        return value
    raise BadAsk(
        "you must provide a model parameter" if value is None else "Invalid type for 'model': expected a string.",
        "model",
    )


def messages(raw: Mapping[str, Any]) -> list[Any]:
    given = raw.get("messages")
    if given is None:
        raise BadAsk("Missing required parameter: 'messages'.", "messages")
    if not isinstance(given, list) or not given:
        raise BadAsk("Invalid 'messages': expected a non-empty array of objects.", "messages")
    return given


def mapping(raw: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = raw.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise BadAsk(f"Invalid type for '{name}': expected an object.", name)


def boolean(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadAsk(f"Invalid type for '{name}': expected a boolean.", name)


def integer(raw: Mapping[str, Any], name: str, *, low: int, high: int) -> int | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadAsk(f"Invalid '{name}': expected an integer from {low} to {high}.", name)
    return value


def max_tokens(raw: Mapping[str, Any]) -> int | None:
    newer = integer(raw, "max_completion_tokens", low=1, high=10_000_000)
    return newer if newer is not None else integer(raw, "max_tokens", low=1, high=10_000_000)


def stop(raw: Mapping[str, Any]) -> tuple[str, ...]:
    given = raw.get("stop")
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,) if given else ()
    if isinstance(given, Sequence) and all(isinstance(text, str) for text in given):
        return tuple(text for text in given if text)
    raise BadAsk("Invalid type for 'stop': expected a string or an array of strings.", "stop")


def tools(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The function of each tool."""
    given = raw.get("tools")
    if given is None:
        return ()
    if not isinstance(given, list):
        raise BadAsk("Invalid type for 'tools': expected an array of objects.", "tools")
    functions = []
    for place, tool in enumerate(given):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise BadAsk(f"Missing required parameter: 'tools[{place}].function.name'.", f"tools[{place}].function")
        functions.append(function)
    return tuple(functions)
