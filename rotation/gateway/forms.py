"""multipart/form-data, read while it comes: its one file goes to a spool on disk, its fields stay in memory.

Bounded in every direction: boundary, headers, fields, file. It knows no operation; what the fields must be, their
reader says (`audio_form`). Raises `Refusal` (400, 413) naming what is wrong.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from rotation.gateway.envelope import Refusal, invalid
from rotation.gateway.spool import Spool

logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of what is refused anyway

LONGEST_BOUNDARY = 70  # characters, RFC 2046
MOST_FIELDS = 100
LONGEST_FIELD = 64 * 1024
LONGEST_FIELD_NAME = 100
LONGEST_FILE_NAME = 100
LONGEST_HEADER = 4096
MOST_HEADERS = 8  # of one part
ANY_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"'%;\\/:*?<>|]")


@dataclass(frozen=True, slots=True)
class Form:
    """A whole form. Its file is on disk; whoever has the form closes it. `name` and `type` are the file's, cleaned."""

    fields: tuple[tuple[str, str], ...]
    file: Spool
    name: str
    type: str

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.file.size

    def pieces(self) -> AsyncIterator[bytes]:
        """The file, from its start, any number of times."""
        return self.file.pieces()

    def get(self, name: str) -> str | None:
        """The last value of a field."""
        return next((value for key, value in reversed(self.fields) if key == name), None)

    def close(self) -> None:
        self.file.close()


async def read_form(content_type: str, chunks: AsyncIterator[bytes], folder: Path) -> Form:
    """The form these bytes are; its file under `folder`. Whatever goes wrong, nothing is left on the disk."""
    reader = _Reader(_boundary(content_type), Spool(folder))
    try:
        async for chunk in chunks:
            reader.feed(chunk)
            await reader.file.drain()
        await reader.file.drain(all_of_it=True)
        return reader.form()
    except OSError:
        reader.file.close()
        raise Refusal(503, "The upload could not be kept: no room on the disk.", "no_room") from None
    except BaseException:
        reader.file.close()
        raise


def _boundary(content_type: str) -> bytes:
    form, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if form != b"multipart/form-data" or not boundary:
        raise Refusal(400, "Send the audio as multipart/form-data with a boundary.", "invalid_form")
    if len(boundary) > LONGEST_BOUNDARY:
        raise Refusal(400, f"The form's boundary is longer than {LONGEST_BOUNDARY} characters.", "invalid_form")
    return boundary


class _Reader:
    """Feeds on bytes cut anywhere."""

    def __init__(self, boundary: bytes, file: Spool) -> None:
        self.file = file
        self.fields: list[tuple[str, str]] = []
        self._file_name: str | None = None
        self._file_type = ANY_TYPE
        self._ended = False
        self._header = [bytearray(), bytearray()]
        self._headers: dict[bytes, bytes] = {}
        self._name = ""
        self._value: bytearray | None = None  # None while the part is the file
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._header_ends,
                "on_headers_finished": self._part_begins,
                "on_part_data": self._part_goes_on,
                "on_part_end": self._part_ends,
                "on_end": self._ends,
            },
            max_header_count=MOST_HEADERS,
            max_header_size=LONGEST_HEADER,
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Refusal(400, f"The form is not valid: {_in_words(error)}.", "invalid_form") from None

    def form(self) -> Form:
        if not self._ended:
            raise Refusal(400, "The form is cut off: its closing boundary is missing.", "invalid_form")
        if self._file_name is None:
            raise invalid("'file' must be given: the audio, with a file name.", param="file", code="missing_file")
        return Form(tuple(self.fields), self.file, self._file_name, self._file_type)

    def _header_ends(self) -> None:
        self._headers[bytes(self._header[0]).lower().strip()] = bytes(self._header[1])
        self._header = [bytearray(), bytearray()]

    def _part_begins(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if kind != b"form-data" or not self._name:
            raise Refusal(400, "A part of the form has no name.", "invalid_form")
        if len(self._name) > LONGEST_FIELD_NAME or not self._name.isprintable():
            raise Refusal(400, f"A field's name must be up to {LONGEST_FIELD_NAME} printable characters.",
                          "invalid_form")  # fmt: skip
        if b"filename" in options:
            self._file_begins(options[b"filename"].decode("utf-8", "replace"))
        else:
            self._value = bytearray()

    def _file_begins(self, file_name: str) -> None:
        if self._name != "file" or self._file_name is not None:
            raise invalid("The form may hold one file, called 'file'.", param=self._name, code="too_many_files")
        self._value = None
        self._file_name = clean_file_name(file_name)
        told = self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()
        self._file_type = told if _TYPE.fullmatch(told) else ANY_TYPE

    def _part_goes_on(self, data: bytes, start: int, end: int) -> None:
        if self._value is None:
            self.file.put(bytes(data[start:end]))
            return
        self._value += data[start:end]
        if len(self._value) > LONGEST_FIELD:
            longest = LONGEST_FIELD // 1024
            raise invalid(f"'{self._name}' is longer than {longest} KiB.", param=self._name, code="too_long")

    def _part_ends(self) -> None:
        if self._value is None:
            return
        if len(self.fields) >= MOST_FIELDS:
            raise Refusal(400, f"The form has more than {MOST_FIELDS} fields.", "invalid_form")
        try:
            value = self._value.decode()
        except UnicodeDecodeError:
            raise invalid(f"'{self._name}' is not UTF-8.", param=self._name) from None
        if "\0" in value:
            raise invalid(f"'{self._name}' holds a NUL character; leave it out.", param=self._name)
        self.fields.append((self._name, value))

    def _ends(self) -> None:
        self._ended = True


def clean_file_name(name: str) -> str:
    """A file name fit for a header: no folder, no quotes; its extension, which tells the format, is kept."""
    base = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1])
    base = "".join(c if c.isprintable() else "_" for c in base).strip(" .")
    stem, dot, suffix = base.rpartition(".")
    if dot and len(base) > LONGEST_FILE_NAME:
        base = f"{stem[: LONGEST_FILE_NAME - 17]}.{suffix[:16]}"
    return base[:LONGEST_FILE_NAME] or "audio"


def _in_words(error: Exception) -> str:
    """The parser's words without what a client put in them."""
    text = str(error)
    return "a header is too large" if "header size" in text.lower() else "it does not follow its boundary"
