"""What all five kinds have in common: OpenAI's shape of requests, answers, streams and errors.

A kind overrides what it does otherwise; anything not overridden is meant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rotation.core.failures import Failure, FailureKind
from rotation.providers import answers, errors, limits, multipart, requests
from rotation.providers.base import Answer, FilePart, KeyReport, Limit, Listed, Outgoing, StreamReader
from rotation.providers.complaints import Complaint
from rotation.providers.envelope import read_complaint
from rotation.providers.stream import ChatStream
from rotation.providers.wire import bare, lowered

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class OpenAILike(ABC):
    """An adapter that does everything OpenAI's way, but for the listing, which is everybody's own.

    Options any kind knows: `drops` (parameter names never sent to this provider), `no_stream_options` (the server
    refuses `stream_options`).
    """

    kind = "openai"
    drops: frozenset[str] = frozenset()
    asks_usage = True  # a stream tells its usage only when asked through stream_options
    renames: Mapping[str, str] = MappingProxyType({})  # its finish reasons -> OpenAI's

    def chat(
        self,
        base_url: str,
        secret: str,
        model: str,
        payload: Mapping[str, Any],
        *,
        options: Mapping[str, Any] = NO_OPTIONS,
        path: str = "chat/completions",
    ) -> Outgoing:
        """A chat completion for `model`. Raises ValueError when the payload cannot be written as JSON."""
        drops = self.drops
        if options:
            drops |= requests.names(options.get("drops"))
            if options.get("no_stream_options"):
                drops |= {"stream_options"}
        body, dropped = requests.body_of(payload, model, drops)
        if path != "embeddings":
            self.shape(body, model, options)
        headers = requests.authorised(secret, self.headers(options))
        return requests.post(f"{base_url.rstrip('/')}/{path}", headers, body, dropped)

    def shape(self, body: dict[str, Any], model: str, options: Mapping[str, Any]) -> None:
        """Last changes to a payload; here: a stream asks for its usage."""
        if self.asks_usage and body.get("stream") is True and not options.get("no_stream_options"):
            requests.with_usage(body)

    def transcription(
        self,
        base_url: str,
        secret: str,
        model: str,
        fields: Sequence[tuple[str, str]],
        file: FilePart,
        *,
        translate: bool = False,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> Outgoing:
        """Audio to text with `model`, or to English text."""
        drops = requests.NEVER_SENT | self.drops | requests.names(options.get("drops"))
        kept, dropped = multipart.fields_for(fields, model, drops)
        body = multipart.Multipart.of([*kept, *self.spoken(kept, translate)], file)
        headers = requests.authorised(secret, self.headers(options))
        headers |= {"content-type": body.type, "content-length": str(body.length), "accept": "*/*"}
        url = f"{base_url.rstrip('/')}/audio/{'translations' if translate else 'transcriptions'}"
        return Outgoing("POST", url, headers, dropped=dropped, stream=body)

    def spoken(self, fields: Sequence[tuple[str, str]], translate: bool) -> Sequence[tuple[str, str]]:
        """Fields added to these for audio; here: none."""
        return ()

    def headers(self, options: Mapping[str, Any]) -> Mapping[str, str]:
        """Headers of this kind's own."""
        return {}

    def listing(self, base_url: str, secret: str) -> Outgoing:
        return requests.get(f"{base_url.rstrip('/')}/models", requests.authorised(secret, self.headers(NO_OPTIONS)))

    def key_check(self, base_url: str, secret: str) -> Outgoing:
        """The listing needs a good key, and costs nothing."""
        return self.listing(base_url, secret)

    def read_answer(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Answer | Failure:
        return answers.read_answer(status, headers, body, now, renames=self.renames)

    def stream(self, now: float) -> StreamReader:
        return ChatStream(now, self.renames)

    def classify(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
        return errors.classify(status, headers, body, now)

    @abstractmethod
    def read_listing(self, body: bytes) -> list[Listed]: ...

    def read_key_check(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> KeyReport:
        """Good when the key was let in and the answer is a listing."""
        if not 200 <= status < 300:
            return KeyReport(self.classify(status, headers, body, now))
        try:
            self.read_listing(body)
        except ValueError as error:
            inside = read_complaint(bare(body))
            failure = self.classify(inside.status or status, headers, body, now) if inside else None
            return KeyReport(failure or Failure(FailureKind.OVERLOADED, str(error), status))
        return KeyReport(None, tuple(self.limits(status, headers, b"", now)))

    def limits(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> list[Limit]:
        """Limits told by an answer. A good answer's body is not looked at: it is content."""
        found = self.header_limits(lowered(headers))
        return found if 200 <= status < 300 else [*found, *self.text_limits(read_complaint(bare(body)))]

    def header_limits(self, headers: Mapping[str, str]) -> list[Limit]:
        return limits.inferred(headers)

    def text_limits(self, found: Complaint | None) -> list[Limit]:
        return limits.in_texts(found)
