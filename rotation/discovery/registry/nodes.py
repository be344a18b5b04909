"""YAML as nodes that know their lines. Only what a registry file needs: no tags, no aliases, no depths, no doubles.

Reads the parser's events one by one, so a file that would blow up is refused before it does. Plain words stay words:
what is a number or a date is decided by the field that wants one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

LARGEST = 16 * 1024 * 1024  # bytes of a file
DEEPEST = 12
ENOUGH = 200  # problems told at once


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file, and on which line (from 1; 0: with the file as a whole)."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}" if self.line else self.words


class Refused(Exception):
    """A file that is not taken in, with everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda one: one.line)[:ENOUGH]
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Scalar:
    """One word. `plain`: written without quotation marks. Its end is where a comment may follow."""

    line: int
    text: str
    plain: bool = True
    end_line: int = 0
    end_column: int = 0

    @property
    def empty(self) -> bool:
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(slots=True)
class Mapping:
    line: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    end_line: int = 0
    end_column: int = 0


@dataclass(slots=True)
class Sequence:
    line: int
    items: list[Node] = field(default_factory=list)
    end_line: int = 0
    end_column: int = 0


Node = Scalar | Mapping | Sequence


def parse(text: str) -> Node:
    """The only document of a text. Raises Refused."""
    if len(text.encode(errors="replace")) > LARGEST:
        raise Refused([Problem(0, f"The file is larger than {LARGEST // 1024**2} MiB.")])
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(filter(None, (error.context, error.problem)))
        builder.problems.append(Problem(mark.line + 1 if mark else 0, f"This is not YAML: {words}."))
    except (YAMLError, UnicodeError, ValueError, RecursionError) as error:
        builder.problems.append(Problem(0, f"This is not YAML: {str(error).splitlines()[0][:200]}."))
    if builder.problems:
        raise Refused(builder.problems)
    if builder.root is None:
        raise Refused([Problem(0, "The file is empty.")])
    return builder.root


def _events(text: str) -> Iterator[Event]:
    yield from YAML(typ="rt", pure=True).parse(text)


class _Builder:
    """Puts events together. After an open part is refused nothing more of the file is looked at."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[Mapping | Sequence] = []
        self._keys: list[Scalar | None] = []
        self._documents = 0

    def take(self, event: Event) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise Refused([*self.problems, Problem(line, "A registry is one document: take the second one out.")])
        if isinstance(event, AliasEvent):
            raise Refused([*self.problems, Problem(line, "Aliases (*name) are not taken: write it out.")])
        if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
            self._refuse_odd(event, line)
        if isinstance(event, ScalarEvent):
            end = event.end_mark
            self._add(Scalar(line, event.value, bool(event.implicit[0]), end.line + 1, end.column))
        elif isinstance(event, MappingStartEvent):
            self._begin(Mapping(line))
        elif isinstance(event, SequenceStartEvent):
            self._begin(Sequence(line))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open[-1].end_line, self._open[-1].end_column = event.end_mark.line + 1, event.end_mark.column
            self._open.pop()
            self._keys.pop()

    def _refuse_odd(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, line: int) -> None:
        if event.tag is not None and event.tag != "!":
            self.problems.append(Problem(line, f"Tags ({str(event.tag)[:60]}) are not taken: write the value only."))
        if event.anchor is not None:
            self.problems.append(Problem(line, "Anchors (&name) are not taken: write it out."))
        if len(self.problems) > ENOUGH:
            raise Refused(self.problems)

    def _begin(self, part: Mapping | Sequence) -> None:
        if len(self._open) >= DEEPEST:
            raise Refused([*self.problems, Problem(part.line, f"Nested deeper than {DEEPEST} levels.")])
        self._add(part)
        self._open.append(part)
        self._keys.append(None)

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = self.root or node
            return
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is not None:
            self._keys[-1] = None
            self._enter(parent, key, node)
        elif isinstance(node, Scalar):
            self._keys[-1] = node
        else:
            raise Refused([*self.problems, Problem(node.line, "A list or a mapping cannot be a key.")])

    def _enter(self, parent: Mapping, key: Scalar, node: Node) -> None:
        first = parent.entries.get(key.text)
        if first is None:
            parent.entries[key.text] = (key, node)
        else:
            words = f"{key.text[:80]!r} stands here a second time, first on line {first[0].line}."
            self.problems.append(Problem(key.line, words))
