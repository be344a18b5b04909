"""A form with one file as a request's body, sent in pieces: nothing of the file is held here.

Field names, values and file names are the client's: what could end a line or a quotation is escaped as browsers do
(WHATWG, multipart/form-data encoding).
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from rotation.providers.base import FilePart

Fields = Sequence[tuple[str, str]]

_ESCAPES = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})


@dataclass(frozen=True, slots=True)
class Multipart:
    """`type` is the content type with its boundary, `length` the bytes of the whole body."""

    type: str
    length: int
    head: bytes = field(repr=False)
    file: FilePart = field(repr=False)
    tail: bytes = field(repr=False)

    @classmethod
    def of(cls, fields: Fields, file: FilePart) -> Multipart:
        """These fields, then the file."""
        boundary = f"rotation-{uuid.uuid4().hex}"
        parts = [
            f'--{boundary}\r\ncontent-disposition: form-data; name="{_quoted(n)}"\r\n\r\n{v}\r\n' for n, v in fields
        ]
        named = f'content-disposition: form-data; name="file"; filename="{_quoted(file.name)}"'
        parts.append(f"--{boundary}\r\n{named}\r\ncontent-type: {file.type}\r\n\r\n")
        head, tail = "".join(parts).encode("utf-8", "replace"), f"\r\n--{boundary}--\r\n".encode()
        length = len(head) + file.size + len(tail)
        return cls(f"multipart/form-data; boundary={boundary}", length, head, file, tail)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, from its start."""
        yield self.head
        async for piece in self.file.pieces():
            yield piece
        yield self.tail


def _quoted(text: str) -> str:
    return text.translate(_ESCAPES)


def fields_for(fields: Fields, model: str, drops: frozenset[str]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The client's fields for `model` without what must not or cannot be sent, and the names left out."""
    kept = [(name, value) for name, value in fields if name != "model" and _bare(name) not in drops]
    dropped = dict.fromkeys(name for name, _ in fields if _bare(name) in drops and name != "models")
    return [("model", model), *kept], tuple(dropped)


def _bare(name: str) -> str:
    """`include[]` is called `include` in the tables."""
    return name.partition("[")[0]
