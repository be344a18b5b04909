"""The registry as a YAML file: out, in, and what would change. Made to be reviewed as a diff.

`text()` writes it, `compare()` says what a file would change, `bring_in()` makes it so.
"""

from __future__ import annotations

from rotation.control.by import By
from rotation.discovery.registry import editions
from rotation.discovery.registry.bringing import Compared, bring_in, compare
from rotation.discovery.registry.comments import Comments, comments_of, written
from rotation.discovery.registry.compare import Difference, Sign
from rotation.discovery.registry.nodes import Problem, Refused
from rotation.discovery.registry.reading import read
from rotation.discovery.registry.stored import stored
from rotation.discovery.registry.writing import digest, lines

__all__ = ["Compared", "Difference", "Problem", "Refused", "Sign", "bring_in", "compare", "text"]

HEAD = (
    "# The registry of models. What importing this file would change: manage.py registry diff FILE",
    "# Prices are US dollars per million tokens; scores 0 to 5 with their 95 % interval; times in milliseconds.",
)


def text(by: By, *, existing: str = "", simulated: bool = False) -> str:
    """The registry as a file. `existing` gives its comments, and its version unless something has changed since.

    Raises Refused when `existing` is no registry.
    """
    document = stored(simulated=simulated)
    if not existing.strip():
        kept = Comments()
        kept.before["version",] = list(HEAD)
    else:
        before = read(existing)
        kept = comments_of(existing)
        document.version = before.version + (digest(before) != digest(document))
    if simulated:  # pretended models have no editions
        document.version = max(1, document.version)
    else:
        document.version = editions.note(by, document=document, at_least=document.version).version
    return written(lines(document), kept)
