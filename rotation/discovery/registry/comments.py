"""People's comments in a registry file, and where they go when it is written again.

A comment stands before a line or at its end, and belongs to what that line says something about. When that is gone the
comment moves to what it stood in: no remark is lost because a model is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rotation.discovery.registry.document import Path
from rotation.discovery.registry.nodes import Mapping, Node, Scalar, Sequence, parse
from rotation.discovery.registry.writing import INDENT, Line

TOP: Path = ()


@dataclass(slots=True)
class Comments:
    """`before` a path's line, `after` it on the same line; `last` at the end of the file."""

    before: dict[Path, list[str]] = field(default_factory=lambda: defaultdict(list))
    after: dict[Path, str] = field(default_factory=dict)
    last: list[str] = field(default_factory=list)


def comments_of(text: str) -> Comments:
    """Raises Refused for what is not YAML."""
    found = Comments()
    paths, ends, inside = _places(parse(text))
    waiting: list[str] = []
    for number, line in enumerate(re.split("\r\n|[\r\n]", text), 1):
        if line.lstrip().startswith("#") and number not in inside:
            waiting.append(line.strip())
        elif number in paths:
            found.before[paths[number]] += waiting
            waiting = []
        if number in ends and (rest := line[ends[number] :].strip(" ,]}\t")).startswith("#"):
            found.after[paths.get(number, TOP)] = rest
    found.last = waiting
    return found


def _places(root: Node) -> tuple[dict[int, Path], dict[int, int], set[int]]:
    """Paths by the line they begin on, the last column taken on each line, and lines within a longer text."""
    paths: dict[int, Path] = {}
    ends: dict[int, int] = {}
    inside: set[int] = set()

    def took(scalar: Scalar, path: Path) -> None:
        paths.setdefault(scalar.line, path)
        ends[scalar.end_line] = max(ends.get(scalar.end_line, 0), scalar.end_column)
        inside.update(range(scalar.line + 1, scalar.end_line + 1))

    def walk(node: Node, path: Path, *, listed: bool = False) -> None:
        if isinstance(node, Scalar):
            took(node, path)
        elif isinstance(node, Mapping):
            for name, (key, value) in node.entries.items():
                names_it = listed and name == "model"
                took(key, path if names_it else (*path, name))
                walk(value, path if names_it else (*path, name))
        elif isinstance(node, Sequence):
            for item in node.items:
                walk(item, (*path, _name(item)), listed=True)

    walk(root, TOP)
    return paths, ends, inside


def _name(item: Node) -> str:
    """What a list's item is called: a member by its model."""
    entry = item.entries.get("model") if isinstance(item, Mapping) else None
    named = entry[1] if entry else item
    return named.text if isinstance(named, Scalar) else ""


def written(lines: Iterable[Line], kept: Comments) -> str:
    """The file's text, with its comments."""
    many = list(lines)
    moved = _moved(kept, {line.path for line in many})
    return "".join(f"{one}\n" for line in many for one in _with_comments(line, moved)) + "".join(
        f"{one}\n" for one in kept.last
    )


def _with_comments(line: Line, kept: Comments) -> Iterator[str]:
    indent = INDENT * line.depth
    yield from (f"{indent}{one}" for one in kept.before.get(line.path, ()))
    after = kept.after.get(line.path)
    text = line.text.replace("\n", f"\n{indent}")
    yield f"{indent}{text}  {after}" if after else f"{indent}{text}"


def _moved(kept: Comments, living: set[Path]) -> Comments:
    """Comments of what is gone stand before what they stood in."""
    moved = Comments(after={path: one for path, one in kept.after.items() if path in living}, last=kept.last)
    orphans = ((path, [one]) for path, one in kept.after.items() if path not in living)
    for path, many in (*kept.before.items(), *orphans):
        home = path
        while home and home not in living:
            home = home[:-1]
        moved.before[home or ("version",)] += many
    return moved
