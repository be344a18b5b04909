"""The shapes of `/v1`, for the OpenAPI page and for people. Plain pydantic models: unknown fields pass through.

What is checked of a body stands in `gateway/call.py`; these say what a client may send and expect.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Open(BaseModel):
    """Anything not named here passes through to the provider."""

    model_config = ConfigDict(extra="allow")


class Message(Open):
    role: str
    content: str | list[dict[str, Any]] | None = None


class ChatRequest(Open):
    """A chat completion, as OpenAI defines it."""

    model: str = Field(
        description="`auto`, a pool, `provider/model`, or a model id; `:fastest` or `:cheapest` behind any of them",
        examples=["auto"],
    )
    messages: list[Message] = Field(min_length=1)
    models: list[str] | None = Field(None, description="further names to try, in order")
    stream: bool = False
    n: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = None
    top_p: float | None = None
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    stream_options: dict[str, Any] | None = None


class ChatCompletion(Open):
    """A whole answer; a stream is `text/event-stream` with chunks of the same kind."""

    id: str
    object: Literal["chat.completion"]
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, Any] | None = None


class CompletionRequest(Open):
    """A text completion, as OpenAI defined it before chats."""

    model: str = Field(description="a pool, `provider/model`, or a model id")
    prompt: str | list[Any] = Field(min_length=1)
    stream: bool = False
    max_tokens: int | None = Field(None, ge=1)
    n: int | None = Field(None, ge=1)
    temperature: float | None = None


class Completion(Open):
    """A whole answer; a stream is `text/event-stream` with chunks of the same kind."""

    id: str
    object: Literal["text_completion"]
    choices: list[dict[str, Any]]
    usage: dict[str, Any] | None = None


class EmbeddingsRequest(Open):
    """Texts to be made vectors, as OpenAI defines it."""

    model: str = Field(description="`provider/model`, or a model id; no pool, for vectors of two do not compare")
    input: str | list[Any] = Field(min_length=1)
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(None, ge=1)


class Embeddings(Open):
    object: Literal["list"]
    data: list[dict[str, Any]]
    model: str
    usage: dict[str, Any] | None = None


class TranslationForm(Open):
    """Audio to English text, as OpenAI defines it."""

    file: str = Field(description="The audio, with a file name.", json_schema_extra={"format": "binary"})
    model: str = Field(description="`transcription`, `provider/model`, or a model id", examples=["transcription"])
    prompt: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    temperature: float | None = None


class TranscriptionForm(TranslationForm):
    """Audio to text, as OpenAI defines it."""

    language: str | None = Field(None, examples=["en"])
    timestamp_granularities: list[Literal["word", "segment"]] | None = Field(None, alias="timestamp_granularities[]")


class Model(Open):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    object: Literal["list"]
    data: list[Model]


class Error(Open):
    message: str
    type: str
    param: str | None
    code: str


class ErrorEnvelope(BaseModel):
    """Every answer under `/v1` that is not a success."""

    error: Error
