"""The examples of docs/api.md do what they say, in their order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rotation.models import Deployment, Pool, Provider

pytestmark = pytest.mark.django_db
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
EXAMPLE = re.compile(r"```http\n(\w+) (\S+)\n(.*?)```\n```json\n(.*?)```", re.DOTALL)


def fits(said: Any, shown: Any) -> bool:
    """Everything the document shows is there; "..." stands for anything."""
    if isinstance(shown, dict):
        return isinstance(said, dict) and all(name in said and fits(said[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return isinstance(said, list) and len(said) == len(shown) and all(map(fits, said, shown))
    return bool(shown == "..." or said == shown)


def ids(text: str) -> str:
    """The document counts from 1; here the rows have other ids."""
    tables: dict[str, Any] = {"/pools/{}": Pool, '"provider": {},': Provider, '"model": {},': Deployment}
    for words, table in tables.items():
        if row := table.objects.first():
            text = text.replace(words.format(1), words.format(row.pk))
    return text


def test_the_examples_do_what_they_say(ask: Any):
    examples = EXAMPLE.findall(TEXT)
    assert len(examples) == TEXT.count("```http") >= 9
    for method, path, body, shown in examples:
        answer = ask(method.lower(), ids(path), ids(body) or None)
        assert fits(answer.json(), json.loads(shown)), (method, path, answer.json())
