"""The shape of the house, held by reading it: who may import whom, who may open a socket, how long anything may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 300
USUAL_MODULE = 200
LONGEST_FUNCTION = 30
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "handler", "handlers", "manager", "managers", "data", "info"}

# Who may talk to the world. Everybody else asks one of these.
SENDERS = {
    "rotation/gateway/upstream.py": "calls",
    "rotation/gateway/resolving.py": "the system's resolver, for where a provider's name leads",
    "rotation/gateway/pages.py": "pages, to the dashboard's own socket",
    "rotation/jobs/fetch.py": "listings and key checks, which cost nothing",
    "rotation/discovery/verify/asking.py": "questions to models, to the gateway's own door",
    "rotation/embedded/probe.py": "is our own child there?",
    "rotation/embedded/listening.py": "the port up listens on",
    "rotation/playing.py": "a person's question, to the gateway's own door",
    "rotation/serve.py": "the socket uvicorn serves",
}
# These import the module and call nobody.
NOBODY_CALLED = {
    "rotation/settings.py": "asks for its own name",
    "rotation/addresses.py": "reads an address",
    "rotation/gateway/wires.py": "knows what their errors are called",
    "rotation/embedded/supervisor.py": "wakes itself through a pair",
    "rotation/ledger/watch.py": "shuts one down",
}
CLIENTS = ("httpx", "httpx2", "httpx_aiohttp", "aiohttp", "requests", "http.client", "urllib.request")
SOCKET_MODULES = {"socket", "ssl", *CLIENTS}
IMPURE = {"time", "random", "secrets", "uuid", "os", "io", "socket", "threading", "asyncio", "subprocess", "logging"}
CLOCKS = {"now", "utcnow", "today"}


def sources(*folders: str) -> list[Path]:
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it, but not what only a type checker sees."""
    hidden = {
        id(inner)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree(path)):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{name_of(path)}: imports are written in full"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def words(path: Path) -> Iterator[str]:
    """Names of everything called as an attribute."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", sources("rotation/core"), ids=name_of)
def test_the_core_is_pure(path):
    """Time, chance and the world are arguments."""
    for module in imports(path):
        first = module.partition(".")[0]
        if first == "rotation":
            assert within(module, "rotation.core") or module == "rotation", module
        else:
            assert first in sys.stdlib_module_names, module
            assert first not in IMPURE, module
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCKS, f"line {node.lineno} reads a clock"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input"}, f"line {node.lineno}"


@pytest.mark.parametrize("path", sources("rotation/providers"), ids=name_of)
def test_adapters_build_and_parse_and_never_send(path):
    for module in imports(path):
        assert not within(module, "django", "rotation.gateway", "rotation.models", *SOCKET_MODULES), module


@pytest.mark.parametrize("path", sources("rotation/library"), ids=name_of)
def test_the_library_needs_the_core_and_the_standard_library_only(path):
    """It sends nothing either: the call is its user's own."""
    for module in imports(path):
        known = within(module, "rotation.core", "rotation.library") or module == "rotation"
        assert known or module.partition(".")[0] in sys.stdlib_module_names, module
        assert not within(module, *SOCKET_MODULES), module


def test_the_engine_never_knows_the_dashboard():
    guilty = [name_of(path) for path in sources("rotation") if any(within(m, "dashboard") for m in imports(path))]
    # One address list for all of Django: it includes the dashboard's by name, not by import.
    assert guilty == []


def test_only_senders_open_sockets():
    simulator = ROOT / "rotation" / "simulator"  # plays the other side of the wire
    others = [path for path in sources("rotation", "dashboard") if simulator not in path.parents]
    known = SENDERS.keys() | NOBODY_CALLED.keys()
    guilty = {
        f"{name_of(path)} imports {module}"
        for path in others
        for module in imports(path)
        if within(module, *SOCKET_MODULES) and name_of(path) not in known
    }
    assert guilty == set()
    for name in NOBODY_CALLED:
        assert not {"create_connection", "connect"} & set(words(ROOT / name)), name


def test_every_sender_on_the_list_is_still_there():
    assert [name for name in SENDERS | NOBODY_CALLED if not (ROOT / name).exists()] == []


def test_importing_the_core_imports_no_django():
    assert (ROOT / "rotation" / "__init__.py").read_text() == ""


@pytest.mark.parametrize("path", sources("rotation", "dashboard"), ids=name_of)
def test_no_module_is_called_after_nothing(path):
    assert path.stem not in FORBIDDEN_NAMES


def test_no_module_is_too_long():
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in sources("rotation", "dashboard")}
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(name, lines of what one has to follow): without decorators, signature and docstring.

    A last `return` counts as one line: what it lays out over many is a table, not a procedure.
    """
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            end = node.body[-1].lineno if isinstance(node.body[-1], ast.Return) else node.end_lineno or 0
            yield f"{name_of(path)}:{node.lineno} {node.name}", end - body[0].lineno + 2 if body else 1


def test_no_function_is_too_long():
    lengths = {name: n for path in sources("rotation", "dashboard") for name, n in functions(path)}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}


def test_every_module_says_what_it_is_for():
    written = [path for path in sources("rotation", "dashboard") if path.read_text().strip()]
    silent = [name_of(path) for path in written if not ast.get_docstring(tree(path))]
    assert silent == []
