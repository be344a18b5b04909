"""A registry file as a document; everything that is wrong with it at once, each with its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import cast

from rotation.discovery.registry import fields, readers
from rotation.discovery.registry.document import Document, Model, Path, Pool, Values
from rotation.discovery.registry.fields import Field
from rotation.discovery.registry.nodes import Mapping, Node, Problem, Refused, Scalar, parse
from rotation.discovery.registry.nodes import Sequence as Listing
from rotation.models import Verdict

TOP = ("version", "models", "pools")
LONGEST_ID = 255
CONCLUSIVE = (Verdict.VERIFIED.value, Verdict.INCOMPATIBLE.value)


def read(text: str) -> Document:
    """The document a file holds. Raises Refused."""
    reader = _Reader()
    document = reader.document(parse(text))
    if reader.problems:
        raise Refused(reader.problems)
    return document


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing when nothing is near."""
    close = get_close_matches(name[:200], list(known), n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[Path, int] = {}

    def wrong(self, line: int, words: str) -> None:
        self.problems.append(Problem(line, words))

    def document(self, root: Node) -> Document:
        top = self.entries(root, "A registry is a mapping with version, models and pools.")
        self.unknown(top, TOP, root)
        document = Document(version=self.version(root, top), lines=self.lines)
        if "models" in top:
            for provider, node in self.named(top["models"][1], ("models",), 60):
                document.models[provider] = {
                    model: self.model(one, ("models", provider, model))
                    for model, one in self.named(node, ("models", provider), LONGEST_ID)
                }
        if "pools" in top:
            for name, node in self.named(top["pools"][1], ("pools",), 60):
                document.pools[name] = self.pool(node, ("pools", name))
        return document

    def version(self, root: Node, top: dict[str, tuple[Scalar, Node]]) -> int:
        if "version" not in top:
            self.wrong(root.line, "There is no version: write for example version: 1 at the top.")
            return 0
        return cast("int", self.value(Field("version", readers.whole(), 0), top["version"][1]))

    def entries(self, node: Node, words: str) -> dict[str, tuple[Scalar, Node]]:
        """A mapping's entries; nothing at all reads as an empty one."""
        if isinstance(node, Mapping):
            return node.entries
        if not (isinstance(node, Scalar) and node.empty):
            self.wrong(node.line, words)
        return {}

    def named(self, node: Node, path: Path, longest: int) -> Iterable[tuple[str, Node]]:
        """Things by their names; where each stands is noted."""
        for key, value in self.entries(node, f"{path[-1]!r} takes a mapping by name.").values():
            try:
                name = readers.text(longest)(key)
            except ValueError as why:
                self.wrong(key.line, f"This name is {why}." if "longer" in str(why) else f"This name {why}.")
                continue
            if not name.strip():
                self.wrong(key.line, "A name is missing here.")
                continue
            self.lines[(*path, name)] = key.line
            yield name, value

    def unknown(self, found: Iterable[str], known: Sequence[str], keys: Node) -> None:
        for name in found:
            if name not in known:
                line = keys.entries[name][0].line if isinstance(keys, Mapping) else 0
                self.wrong(line, f"Nothing is called {name[:80]!r} here{nearest(name, known) or _choices(known)}")

    def value(self, one: Field, node: Node) -> object:
        if isinstance(node, Scalar) and node.empty:
            return _fresh(one.default)
        try:
            return one.read(node)
        except ValueError as why:
            self.wrong(node.line, f"{one.name}: {why}.")
            return _fresh(one.default)

    def values(self, node: Node, table: Sequence[Field], path: Path, others: Sequence[str] = ()) -> Values:
        """Every field of a table, from the mapping or as its default."""
        entries = self.entries(node, f"{path[-1]!r} takes a mapping of fields.")
        if isinstance(node, Mapping):
            self.unknown(entries, [*(one.name for one in table), *others], node)
        found = {}
        for one in table:
            found[one.name] = self.value(one, entries[one.name][1]) if one.name in entries else _fresh(one.default)
            if one.name in entries:
                self.lines[(*path, one.name)] = entries[one.name][0].line
        return found

    def model(self, node: Node, path: Path) -> Model:
        model = Model(self.values(node, fields.MODEL, path, CONCLUSIVE))
        for verdict in CONCLUSIVE:
            entry = node.entries.get(verdict) if isinstance(node, Mapping) else None
            for capability, one in self.named(entry[1], (*path, verdict), 60) if entry else ():
                if capability in model.verdicts:
                    self.wrong(one.line, f"{capability!r} is both verified and incompatible.")
                found = self.values(one, fields.VERDICT, (*path, verdict, capability))
                if found["at"] is None:
                    self.wrong(one.line, f"{capability!r} has no at: write when it was seen.")
                model.verdicts[capability] = {"verdict": verdict, **found}
        return model

    def pool(self, node: Node, path: Path) -> Pool:
        pool = Pool(self.values(node, fields.POOL, path, ("members",)))
        entry = node.entries.get("members") if isinstance(node, Mapping) else None
        if entry is None or (isinstance(entry[1], Scalar) and entry[1].empty):
            return pool
        if not isinstance(entry[1], Listing):
            self.wrong(entry[1].line, "members takes a list, each with model: provider/model and a position.")
            return pool
        for item in entry[1].items:
            self.member(pool, item, (*path, "members"))
        return pool

    def member(self, pool: Pool, node: Node, path: Path) -> None:
        model = node.entries.get("model") if isinstance(node, Mapping) else None
        name = model[1].text if model and isinstance(model[1], Scalar) else ""
        if "/" not in name:
            self.wrong(node.line, "A member needs model: provider/model.")
            return
        if name in pool.members:
            self.wrong(node.line, f"{name!r} is a member already, see line {self.lines[(*path, name)]}.")
        self.lines[(*path, name)] = node.line
        found = self.values(node, fields.MEMBER, (*path, name), ("model",))
        if found["position"] is None:
            self.wrong(node.line, f"{name!r} has no position: write a whole number, the lowest is tried first.")
        pool.members[name] = found


def _fresh(default: object) -> object:
    return type(default)() if isinstance(default, list | dict) else default


def _choices(known: Sequence[str]) -> str:
    return f"; there are: {', '.join(known)}."
