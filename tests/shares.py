"""How the tests are shared out to processes: a file stays whole, and what takes longest begins first.

Whole files, because many share something costly among their tests: an installation, a browser, a set of services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdist.scheduler import LoadScopeScheduling

#: The costly ones, the costliest first. A folder is one share.
FIRST = ("tests/embedded/test_up.py", "tests/browser/", "tests/e2e/", "tests/test_compose.py", "tests/chaos/")


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # the library has no types
    """xdist's scheduler with files for scopes."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((share for share in FIRST if file.startswith(share) and share.endswith("/")), file)


def costliest_first(items: list[Any]) -> None:
    """Sorts in place; everything else keeps its order."""
    items.sort(key=lambda item: rank(item.nodeid, FIRST))


def rank(nodeid: str, first: Sequence[str]) -> int:
    return next((n for n, share in enumerate(first) if nodeid.startswith(share)), len(first))
