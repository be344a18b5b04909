"""A call as the engine sees it: the client's payload, what it needs, and by when.

Reading is strict where a mistake would be expensive or dangerous and silent everywhere else:
unknown fields pass through to the provider. Raises `Refusal` (400) naming the parameter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from rotation.core.targets import Needs
from rotation.gateway.clients import Client
from rotation.gateway.envelope import Refusal, invalid
from rotation.gateway.needs import needs_of
from rotation.gateway.task import CHAT, Task
from rotation.gateway.wishes import NO_WISHES, Wishes

MAX_DEPTH = 100
MAX_TOOLS = 1_000
MAX_MESSAGES = 100_000
MAX_NAME = 200
MAX_CHAIN = 50
GENERATES = ("chat", "completions")
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

# Fields through which a client might try to steer where a call goes or whose key it takes: never forwarded.
STEERING = frozenset({"api_base", "base_url", "api_key", "headers", "extra_headers", "extra_body", "extra_query"})


@dataclass(frozen=True, slots=True)
class Call:
    """One accepted call. `at` is wall-clock epoch seconds, `started` and `deadline` are engine time."""

    id: str
    at: float
    started: float
    deadline: float
    client: Client
    asked: str
    models: tuple[str, ...]
    payload: Mapping[str, Any]
    needs: Needs
    stream: bool
    wants_usage: bool
    task: Task = CHAT
    wishes: Wishes = NO_WISHES
    prompt: str = ""  # the body, sealed, where the operator wants it kept

    @property
    def operation(self) -> str:
        return self.task.operation

    @property
    def output(self) -> int | None:
        """The most tokens it asks for; None when it leaves that open, 0 where no text is generated."""
        return self.needs.max_output or (None if self.operation in GENERATES else 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a body says, before it is tied to a client, an id and a deadline."""

    model: str
    models: tuple[str, ...]
    payload: dict[str, Any]
    needs: Needs
    stream: bool
    wants_usage: bool


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda v: type(v) is int and v >= low


def _number(v: Any) -> bool:
    return type(v) in (int, float)


def _flag(v: Any) -> bool:
    return type(v) is bool


def _objects(v: Any) -> bool:
    return type(v) is list and all(type(i) is dict for i in v)


def _name(v: Any) -> bool:
    return type(v) is str and len(v) <= MAX_NAME and v.isprintable()


# name -> (is it right?, what it must be); null counts as left out, as at OpenAI.
PARAMETERS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "stream": (_flag, "true or false"),
    "n": (_whole(1), "a whole number from 1"),
    "max_tokens": (_whole(1), "a whole number from 1"),
    "max_completion_tokens": (_whole(1), "a whole number from 1"),
    "temperature": (_number, "a number"),
    "top_p": (_number, "a number"),
    "presence_penalty": (_number, "a number"),
    "frequency_penalty": (_number, "a number"),
    "tools": (_objects, "a list of objects"),
    "parallel_tool_calls": (_flag, "true or false"),
    "response_format": (lambda v: type(v) is dict, "an object"),
    "stream_options": (lambda v: type(v) is dict, "an object"),
    "models": (
        lambda v: type(v) is list and len(v) <= MAX_CHAIN and all(_name(m) for m in v),
        f"a list of at most {MAX_CHAIN} model names",
    ),
}


def read(body: bytes) -> Asked:
    """The body of a chat completion, checked."""
    payload = checked(body)
    _messages(payload)
    if len(payload.get("tools") or ()) > MAX_TOOLS:
        raise invalid(f"'tools' may hold at most {MAX_TOOLS} entries.", param="tools", code="too_many_tools")
    return asked_for(payload, needs_of(payload, len(body)))


def checked(body: bytes) -> dict[str, Any]:
    """A body in which what all operations share is right: JSON, a model, parameters of the right types."""
    payload = parse(body)
    _model(payload)
    for name, (right, words) in PARAMETERS.items():
        value = payload.get(name)
        if value is not None and not right(value):
            raise invalid(f"'{name}' must be {words}.", param=name, code="invalid_type")
    return payload


def asked_for(payload: dict[str, Any], needs: Needs) -> Asked:
    """What a checked body says; a chain of models is taken out of it."""
    options = payload.get("stream_options") or {}
    chain = tuple(payload.pop("models", None) or ())
    stream = bool(payload.get("stream"))
    return Asked(payload["model"], chain, payload, needs, stream, bool(options.get("include_usage")))


def parse(body: bytes) -> dict[str, Any]:
    """JSON object of bounded depth without NUL; steering fields removed."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"The body is not valid JSON: {error}.", "invalid_json") from None
    if type(payload) is not dict:
        raise Refusal(400, "The body must be a JSON object.", "invalid_json")
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(payload) > MAX_DEPTH:
        raise Refusal(400, f"The body is nested more than {MAX_DEPTH} levels deep.", "invalid_json")
    if b"\\u0000" in body and NUL.search(body):
        raise Refusal(400, "The body holds a NUL character (\\u0000); leave it out.", "invalid_json")
    for name in STEERING & payload.keys():
        del payload[name]
    return payload


def _depth(value: Any) -> int:
    """Levels of nesting, breadth first, so that no depth can exhaust the stack."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) is dict or type(child) is list
        ]
    return depth


def _model(payload: Mapping[str, Any]) -> None:
    model = payload.get("model")
    if type(model) is not str or not model.strip():
        raise invalid("'model' must be given: 'auto', a pool, or a model's name.", param="model", code="missing_model")
    if not _name(model):
        raise invalid(f"'model' must be at most {MAX_NAME} printable characters.", param="model")


def _messages(payload: Mapping[str, Any]) -> None:
    messages = payload.get("messages")
    if type(messages) is not list or not messages:
        raise invalid("'messages' must be a list with at least one message.", param="messages", code="invalid_type")
    if len(messages) > MAX_MESSAGES:
        raise invalid(
            f"'messages' may hold at most {MAX_MESSAGES} entries.", param="messages", code="too_many_messages"
        )
    for index, message in enumerate(messages):
        if type(message) is not dict or type(message.get("role")) is not str:
            where = f"messages[{index}]"
            raise invalid(f"'{where}' must be an object with a 'role'.", param=where, code="invalid_type")
