"""Small programs a model is asked for, and how they are judged: parsed and looked at, never executed.

What is parsed was written by somebody else: its size, its depth of brackets and its numbers are bounded first.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rotation.discovery.verify.causes import Cause
from rotation.discovery.verify.marks import Grade, said, shown, wrong
from rotation.discovery.verify.replies import Answer

LONGEST = 8_000  # characters of code
DEEPEST = 50  # brackets inside brackets
MOST = 8  # pieces of an answer that may be its code
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n`]*\n(.*?)(?:```|~~~|\Z)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"^(?:def|import|from|@)\b", re.MULTILINE)
_LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)
_COMPARES = (ast.Compare,)


@dataclass(frozen=True, slots=True)
class Program:
    """`stem` begins the function's name, `task` completes "that ...". It must take `takes` arguments and hold one of
    `needs`, or call itself or one of `calls`."""

    stem: str
    task: str
    takes: int
    needs: tuple[type[ast.AST], ...]
    calls: Collection[str] = ()


PROGRAMS = (
    Program("palindrome", "tells whether a text is a palindrome", 1, _COMPARES, ("all",)),
    Program("prime", "tells whether a number is prime", 1, _COMPARES, ("all", "any")),
    Program("fibonacci", "returns the n-th Fibonacci number", 1, _LOOPS),
    Program("factorial", "returns the factorial of a number", 1, _LOOPS, ("factorial", "prod", "reduce")),
    Program("vowels", "counts the vowels of a text", 1, _LOOPS, ("sum", "count", "findall", "filter")),
    Program("gcd", "returns the greatest common divisor of two whole numbers", 2, _LOOPS, ("gcd",)),
    Program("largest", "returns the largest number of a list", 1, _LOOPS, ("max", "sorted", "reduce")),
    Program("evens", "returns the even numbers of a list", 1, _LOOPS, ("filter",)),
    Program(
        "unique", "returns a list without its duplicates, in the same order", 1, _LOOPS, ("set", "dict", "fromkeys")
    ),
)


def graded(answer: Answer, called: str, program: Program) -> Grade:
    """5: the function asked for, with its arguments, a result that depends on them, and a way to get there."""
    text = said(answer).replace("\r\n", "\n")
    trees = [tree for source in _sources(text) if (tree := parsed(source)) is not None]
    if not trees:
        return wrong(answer, f"Python code with a function {called}", score=0)
    function = next((found for tree in trees if (found := _function(tree, called))), None)
    if function is None:
        names = [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)][:3]
        told = f"it defines {', '.join(map(shown, names))}" if names else "it defines no function"
        return Grade(1, f"a function {called} was wanted, {told}", Cause.WRONG_ANSWER)
    if fault := _fault(function, program):
        return Grade(2, fault, Cause.WRONG_ANSWER)
    return Grade(5 if "```" in text or text.startswith(("def ", "import ", "from ")) else 4)


def _sources(text: str) -> list[str]:
    """What may be the code: each fence; without one what begins with a definition, to its last indented line."""
    if fenced := [textwrap.dedent(one).strip("\n") for one in _FENCE.findall(text)[:MOST]]:
        return [*fenced, "\n".join(fenced)]
    begun = _CODE.search(text)
    if begun is None:
        return [text]
    lines = text[begun.start() :].splitlines()
    last = max((n for n, line in enumerate(lines) if line.startswith((" ", "\t"))), default=0)
    return [text, "\n".join(lines), "\n".join(lines[: last + 1])]


def parsed(source: str) -> ast.Module | None:
    """The tree of a source, None for what is no Python or beyond the bounds. Nothing is compiled or run."""
    if len(source) > LONGEST or "\0" in source or _depth(source) > DEEPEST or re.search(r"\d{300}", source):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a careless escape in somebody else's text is no concern of ours
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def _depth(source: str) -> int:
    deepest = depth = 0
    for sign in source:
        if sign in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in ")]}":
            depth -= 1
    return deepest


def _function(tree: ast.Module, called: str) -> ast.FunctionDef | None:
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == called), None)


def _fault(function: ast.FunctionDef, program: Program) -> str:
    """What is wrong with it, "" for nothing."""
    given = [*function.args.posonlyargs, *function.args.args]
    needed = len(given) - len(function.args.defaults)
    if not needed <= program.takes <= len(given):
        return f"the function takes {len(given)} arguments, not {program.takes}"
    nodes = list(_own(function))
    if not any(isinstance(node, ast.Return) and node.value is not None for node in nodes):
        return "the function returns nothing"
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    if not {argument.arg for argument in given[: program.takes]} <= used:
        return "the function does not use its arguments"
    steps = {function.name, *program.calls, *_recursive(nodes)}
    if not any(isinstance(node, program.needs) for node in nodes) and not _calls(nodes) & steps:
        return "the function has no step that could find the result"
    return ""


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    for statement in function.body:
        yield from ast.walk(statement)


def _recursive(nodes: Collection[ast.AST]) -> set[str]:
    """Names of functions within that call themselves."""
    within = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    return {node.name for node in within if node.name in _calls(list(_own(node)))}


def _calls(nodes: Collection[ast.AST]) -> set[str]:
    """Names of what is called, plainly or as an attribute."""
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    plain = {function.id for function in called if isinstance(function, ast.Name)}
    return plain | {function.attr for function in called if isinstance(function, ast.Attribute)}
