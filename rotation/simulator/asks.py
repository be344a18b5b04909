"""A chat request as the simulated model reads it. Tokens are characters / 4, everywhere in the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from rotation.simulator import parameters
from rotation.simulator.parameters import BadAsk

IMAGE_TOKENS = 85
LOOKED_AT = 4  # pictures a simulated model looks at
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """`text` is the last user message, `system` all system and developer texts, `tool_results` what tools said last."""

    model: str
    raw: Mapping[str, Any]
    text: str = ""
    system: str = ""
    history: str = ""
    tool_results: tuple[str, ...] = ()
    prompt_tokens: int = 0
    images: int = 0
    pictures: tuple[str, ...] = ()  # addresses of the first images
    max_tokens: int | None = None
    n: int = 1
    stop: tuple[str, ...] = ()
    stream: bool = False
    include_usage: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: Any = None
    parallel: bool = True
    response_format: Mapping[str, Any] | None = None

    @property
    def features(self) -> frozenset[str]:
        """What a model must be able to do: tools, images, json (a schema)."""
        schema = self.response_format is not None and self.response_format.get("type") == "json_schema"
        wanted = {"tools": bool(self.tools), "images": bool(self.images), "json": schema}
        return frozenset(name for name, is_wanted in wanted.items() if is_wanted)


def tokens_of(text: str) -> int:
    return (len(text) + 3) // 4


def parse(body: bytes) -> Body:
    """Raises BadAsk when the body is not a JSON object."""
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadAsk(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
            "library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)"
        ) from error
    if not isinstance(raw, dict):
        raise BadAsk("Invalid type for the request body: expected an object.")
    return raw


def read(body: bytes) -> Ask:
    """Raises BadAsk when it is no chat request a provider would take."""
    return read_fields(parse(body))


def read_fields(raw: Body) -> Ask:
    """The same from JSON already parsed."""
    model = parameters.model(raw)
    said = _Said()
    for place, message in enumerate(parameters.messages(raw)):
        said.take(message, place)
    tools = parameters.tools(raw)
    chars = said.chars + (len(orjson.dumps(tools)) if tools else 0)
    options = raw.get("stream_options")
    return Ask(
        model=model,
        raw=raw,
        text=said.text,
        system="\n".join(said.system),
        history="\n".join(said.history),
        tool_results=tuple(said.tool_results),
        prompt_tokens=(chars + 3) // 4 + IMAGE_TOKENS * said.images,
        images=said.images,
        pictures=tuple(said.pictures),
        max_tokens=parameters.max_tokens(raw),
        n=parameters.integer(raw, "n", low=1, high=128) or 1,
        stop=parameters.stop(raw),
        stream=parameters.boolean(raw, "stream"),
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        tools=tools,
        tool_choice=raw.get("tool_choice"),
        parallel=raw.get("parallel_tool_calls") is not False,
        response_format=parameters.mapping(raw, "response_format"),
    )


class _Said:
    """Walks the messages once."""

    def __init__(self) -> None:
        self.text = ""
        self.system: list[str] = []
        self.history: list[str] = []
        self.tool_results: list[str] = []
        self.images = 0
        self.pictures: list[str] = []
        self.chars = 0

    def take(self, message: Any, place: int) -> None:
        if not isinstance(message, dict):
            raise BadAsk(f"Invalid type for 'messages[{place}]': expected an object.", f"messages[{place}]")
        role = message.get("role")
        if role not in {"system", "developer", "user", "assistant", "tool", "function"}:
            raise BadAsk(f"Invalid value for 'messages[{place}].role'.", f"messages[{place}].role")
        text = self._content(message.get("content"), place)
        self.chars += len(text)
        if calls := message.get("tool_calls"):
            self.chars += len(orjson.dumps(calls))
        if role in {"system", "developer"}:
            self.system.append(text)
        elif role == "user":
            self.text = text
            self.tool_results.clear()
        elif role in {"tool", "function"}:
            self.tool_results.append(text)
        self.history.append(text)

    def _content(self, content: Any, place: int) -> str:
        if content is None or isinstance(content, str):
            return content or ""
        if not isinstance(content, list):
            raise BadAsk(f"Invalid type for 'messages[{place}].content'.", f"messages[{place}].content")
        texts = []
        for part in content:
            if not isinstance(part, dict):
                raise BadAsk(f"Invalid type for 'messages[{place}].content'.", f"messages[{place}].content")
            if part.get("type") in {"image_url", "input_image"}:
                self.images += 1
                self._picture(part.get("image_url"))
            elif isinstance(part.get("text"), str):
                texts.append(part["text"])
        return "\n".join(texts)

    def _picture(self, given: Any) -> None:
        url = given.get("url") if isinstance(given, dict) else given
        if isinstance(url, str) and len(self.pictures) < LOOKED_AT:
            self.pictures.append(url)
