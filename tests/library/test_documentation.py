"""docs/library.md: its examples run and print what it says, and it names everything there is."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from rotation import library
from rotation.library import ModelRotationManager, RetryConfig, RetryDetails, RetryPolicy

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "library.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_the_first_example_prints_what_is_written_below_it():
    assert run(blocks("python")[0]) == blocks("text")[0]


def test_all_examples_run_one_after_the_other():
    out = run("\n".join(blocks("python")))
    assert "answers: ONCE MORE?" in out
    assert "SYNC ASYNC" in out
    assert "rate limited" in out


@pytest.mark.parametrize("kind", [ModelRotationManager, RetryPolicy, RetryConfig])
def test_what_is_called_is_documented_with_its_defaults(kind):
    for name, parameter in inspect.signature(kind).parameters.items():
        assert re.search(rf"\b{kind.__name__}\(.*\b{name}\b", TEXT), name
        if isinstance(parameter.default, int | float | str):
            quoted = f'"{parameter.default}"' if isinstance(parameter.default, str) else parameter.default
            assert f"{name}={quoted}" in TEXT


def test_every_public_name_is_documented():
    kinds = (ModelRotationManager, RetryPolicy, RetryConfig)
    methods = {n for kind in kinds for n, _ in inspect.getmembers(kind, inspect.isfunction) if not n.startswith("_")}
    metrics = ModelRotationManager(["a"]).get_metrics()
    numbers = [*metrics["system"], *metrics["models"]["a"]]
    names = {*library.__all__, *methods, *numbers, *(f.name for f in fields(RetryDetails))}
    assert {name for name in names if not re.search(rf"\b{name}\b", TEXT)} == set()
