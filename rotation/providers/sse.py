"""Server-sent events out of bytes cut anywhere: lines, blocks, names, comments. What is in them is not read here.

Tolerated, because providers do it: CRLF and lone CR, a byte order mark, `data:` without the space, several data
lines, comments between anything, `id:` and `retry:` lines, blank keep-alives. A body that starts like JSON or HTML
is no event stream; it is collected as a `document` for whoever reads the stream.
"""

from __future__ import annotations

from rotation.providers.wire import BOM, PADDING

LARGEST = 1024 * 1024  # bytes of one event

Block = tuple[bytes, bytes | None]  # event name, data; data None: nothing but comments


class Lines:
    """Feed it bytes; it gives blocks. `overflown` once an event grew beyond `LARGEST`, then nothing more comes."""

    __slots__ = ("_cr", "_fresh", "_rest", "_started", "document", "overflown")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._cr = False  # the last byte was CR: a LF now belongs to it
        self._fresh = True  # nothing read yet: a byte order mark may come
        self._started = False
        self.document: bytearray | None = None
        self.overflown = False

    def feed(self, chunk: bytes) -> list[Block]:
        if not self._started:
            chunk = self._start(chunk)
        if self.document is not None:
            self.document += chunk
            self.overflown = len(self.document) > LARGEST
            return []
        if b"\r" in chunk or self._cr:
            chunk = self._unify(chunk)
        return [block for raw in self._split(chunk) if (block := _block(raw)) is not None]

    def _start(self, chunk: bytes) -> bytes:
        """Skip the byte order mark and leading blank lines; look at the first byte that means something."""
        if self._fresh:
            chunk = bytes(self._rest) + chunk
            self._rest.clear()
            if len(chunk) < len(BOM) and BOM.startswith(chunk):
                self._rest += chunk
                return b""
            self._fresh = False
            chunk = chunk.removeprefix(BOM)
        text = chunk.lstrip(PADDING)
        self._started = bool(text)
        if text[:1] in {b"{", b"<"}:
            self.document = bytearray()
        return text

    def _unify(self, chunk: bytes) -> bytes:
        if self._cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._cr = False
        if chunk:
            self._cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _split(self, chunk: bytes) -> list[bytes]:
        """Whole blocks; what is not whole yet is kept."""
        rest = self._rest
        if rest:
            seen = len(rest)
            rest += chunk
            end = rest.rfind(b"\n\n", max(0, seen - 1))
            whole = bytes(rest[:end]) if end >= 0 else b""
            if end >= 0:
                del rest[: end + 2]
        else:
            end = chunk.rfind(b"\n\n")
            whole = chunk[:end] if end >= 0 else b""
            rest += chunk[end + 2 :] if end >= 0 else chunk
        blocks = whole.split(b"\n\n") if whole else []
        return self._within(blocks)

    def _within(self, blocks: list[bytes]) -> list[bytes]:
        for place, block in enumerate(blocks):
            if len(block) > LARGEST:
                self.overflown = True
                return blocks[:place]
        self.overflown = len(self._rest) > LARGEST + 2
        return blocks


def _block(raw: bytes) -> Block | None:
    if raw.startswith(b"data: ") and b"\n" not in raw:
        return b"", raw[6:]
    name, data, seen = b"", [], False
    for line in raw.split(b"\n"):
        if not line:
            continue
        seen = True
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.strip()
    if not seen:
        return None
    return name, b"\n".join(data) if data else None
