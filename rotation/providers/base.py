"""The words adapters and gateway share: what to send, what came back. Bytes <-> meaning, never I/O.

An adapter is one `Adapter` instance per provider kind. It builds requests and reads answers;
only the gateway (and, for listings and key checks, the worker) sends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rotation.core.failures import Failure


class FilePart(Protocol):
    """A file to be sent: its clean name, its content type, its size in bytes; read any number of times."""

    @property
    def name(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def size(self) -> int: ...

    def pieces(self) -> AsyncIterator[bytes]: ...


class Body(Protocol):
    """A body sent in pieces, because it is too large to be held; its length in bytes is known beforehand."""

    @property
    def length(self) -> int: ...

    def pieces(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request ready to be sent. Header names are lower case; `headers` holds the secret, so it has no repr.

    The body is `body`, or `stream` when that is given.
    `dropped` names what the client asked for and this provider is not told, in the order of the payload.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    dropped: tuple[str, ...] = ()
    stream: Body | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; `estimated` when we had to (characters / 4). `cost` in USD if given.

    An estimate made from an answer alone cannot know the prompt: its `tokens_in` is 0. `audio_seconds` is what was
    heard, None where nothing was.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    estimated: bool = False
    audio_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole, good, non-streamed reply: the body to hand on (white-space padding stripped), and what it used."""

    body: bytes
    usage: Usage | None
    finish_reason: str | None
    model: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event read from a stream.

    `raw` is what to pass on, ending in a blank line (b"" for comments and anything to be dropped).
    `content` is true for text, reasoning, refusal or tool-call deltas that are not empty: the commit point.
    `failure` is set for an error inside the stream, whatever the HTTP status was; `raw` is empty then, because the
    provider's own words are not redacted in it, and the reader has nothing to say after it.
    """

    raw: bytes
    content: bool = False
    finish_reason: str | None = None
    usage: Usage | None = None
    usage_only: bool = False  # `choices: []` and usage: dropped unless the client asked for it
    done: bool = False
    failure: Failure | None = None


class StreamReader(Protocol):
    """Feeds on bytes as they come, cut anywhere; keeps partial lines and UTF-8 to itself. Never raises."""

    characters: int  # of output seen so far: what an estimate goes by when no usage comes

    def feed(self, chunk: bytes) -> list[Event]: ...

    def finish(self) -> Failure | None:
        """At EOF: None when the stream was whole (finish_reason or [DONE] seen), else why not.

        An event whose closing blank line never came would be lost here; `feed(b"\\n\\n")` first hands it out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit learned from a header, an error text or a key endpoint.

    `axis`: "requests", "tokens", "audio_seconds". `window` in seconds (1, 60, 3600, 86400).
    `remaining` at the time of the answer, None when not told. `per_account`: counted over all models of the account;
    `free_only`: counted over the account's free models. `source`: "header", "text", "key".
    """

    axis: str
    limit: float
    window: float
    remaining: float | None = None
    per_account: bool = False
    free_only: bool = False
    source: str = "header"


@dataclass(frozen=True, slots=True)
class Listed:
    """One model as a provider's listing offers it. Prices USD per token, None = not given or variable (-1).

    `expires` is the announced end as told, "" when the listing says that none is, None when it says nothing.
    """

    model: str
    name: str = ""
    family: str = ""
    context: int | None = None
    max_output: int | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    type: str = "chat"  # chat, embedding, transcription, image, moderation, rerank, speech, other
    tools: bool | None = None
    json_schema: bool | None = None
    reasoning: bool = False
    price_in: float | None = None
    price_out: float | None = None
    free: bool = False
    expires: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What a key check said. `failure` None means the key works."""

    failure: Failure | None
    limits: tuple[Limit, ...] = ()
    credit_left: float | None = None
    free_tier: bool | None = None
    label: str = ""


class Adapter(Protocol):
    """One provider kind. `now` is epoch seconds (wall clock), wanted only for dates in hints."""

    kind: str

    def chat(
        self,
        base_url: str,
        secret: str,
        model: str,
        payload: Mapping[str, Any],
        *,
        options: Mapping[str, Any] = ...,
        path: str = ...,
    ) -> Outgoing:
        """A chat completion for `model`. `payload` is the client's, kept but for `model`; a stream asks for usage.

        `path` under the base URL names another operation that takes JSON: "completions", "embeddings".
        """
        ...

    def transcription(
        self,
        base_url: str,
        secret: str,
        model: str,
        fields: Sequence[tuple[str, str]],
        file: FilePart,
        *,
        translate: bool = ...,
        options: Mapping[str, Any] = ...,
    ) -> Outgoing:
        """Audio to text. `fields` are the client's, kept but for `model`; the body is streamed."""
        ...

    def listing(self, base_url: str, secret: str) -> Outgoing: ...

    def key_check(self, base_url: str, secret: str) -> Outgoing: ...

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Answer | Failure:
        """A whole non-streamed reply, good or bad: errors inside a 200, empty or broken bodies are failures too."""
        ...

    def stream(self, now: float) -> StreamReader: ...

    def read_listing(self, body: bytes) -> list[Listed]:
        """Raises ValueError with one clear line when the body is not this provider's listing."""
        ...

    def read_key_check(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> KeyReport: ...

    def classify(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure: ...

    def limits(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> list[Limit]: ...
