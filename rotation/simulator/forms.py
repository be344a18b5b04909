"""multipart/form-data, as much of it as an upload needs."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(rb'(?:^|[;\s])name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE = re.compile(rb'filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,200})', re.IGNORECASE)


class BadForm(ValueError):
    """The body is no multipart form."""


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    fields: dict[str, list[str]]
    files: dict[str, Upload]

    def first(self, name: str) -> str:
        return (self.fields.get(name) or [""])[0]


def read_form(content_type: str, body: bytes) -> Form:
    """Raises BadForm."""
    found = _BOUNDARY.search(content_type)
    if "multipart/form-data" not in content_type.lower() or found is None:
        raise BadForm("expected multipart/form-data")
    parts = body.split(b"--" + found[1].encode("latin-1", "replace"))
    if len(parts) < 3:
        raise BadForm("no part found in the form")
    form = Form({}, {})
    for part in parts[1:]:
        if part.startswith(b"--"):
            return form
        head, blank, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None:
            raise BadForm("a part without a name")
        _put(form, name[1].decode("utf-8", "replace"), head, content.removesuffix(b"\r\n"))
    raise BadForm("the form does not end")


def _put(form: Form, name: str, head: bytes, content: bytes) -> None:
    if file := _FILE.search(head):
        form.files[name] = Upload(file[1].decode("utf-8", "replace"), content)
    else:
        form.fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
