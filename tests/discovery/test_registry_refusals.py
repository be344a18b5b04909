"""Registry files that are not taken in: told with every line, and nothing has changed afterwards."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from rotation.control.by import By
from rotation.discovery import registry
from rotation.discovery.registry.nodes import parse
from rotation.discovery.registry.reading import read
from rotation.models import AuditEvent, Deployment, Door, Pool
from tests.models import rows

bring_in = partial(registry.bring_in, By("git", Door.COMMAND))

WRONG = """\
version: two
models:
  grok:
    a: {}
  groq:
    x:
      contxt: 3
      context: many
      tools: yes
      price_in: -1
      expires_on: 2026-02-31
      status: fine
      verified:
        tools: {score: 7, at: 2026-03-01T12:00:00Z}
        json: {score: 4}
    x: {}
pools:
  auto:
    canary_share: 0.5
    policy: {patience: soon}
    members:
    - model: groq/y
      position: 1
    - position: 2
    - model: groq/x
poolz: {}
"""


def problems(take: Callable[[str], object], text: str) -> list[str]:
    with pytest.raises(registry.Refused) as refused:
        take(text)
    return [str(problem) for problem in refused.value.problems]


def test_all_that_is_wrong_is_told_at_once_with_its_line():
    """As far as it can be read without looking at the tables."""
    with pytest.raises(registry.Refused) as refused:
        parse(WRONG)
    assert str(refused.value) == "line 16: 'x' stands here a second time, first on line 6."
    assert problems(read, WRONG.replace("    x: {}\n", "")) == [
        "line 1: version: write a whole number from 0 to 2147483647.",
        "line 7: Nothing is called 'contxt' here; did you mean 'context'?",
        "line 8: context: write a whole number from 0 to 2147483647.",
        "line 9: tools: write true or false.",
        "line 10: price_in: write US dollars per million tokens, 0 or more, for example 0.15.",
        "line 11: expires_on: write a date that exists, for example 2026-03-31.",
        "line 12: status: write one of: listed, candidate, verified, incompatible, gone, archived.",
        "line 14: score: write a number from 0 to 5.",
        "line 15: 'json' has no at: write when it was seen.",
        "line 18: canary_share: write a number from 0.01 to 0.05.",
        "line 23: A member needs model: provider/model.",
        "line 24: 'groq/x' has no position: write a whole number, the lowest is tried first.",
        "line 25: Nothing is called 'poolz' here; did you mean 'pools'?",
    ]


@pytest.mark.django_db
def test_what_does_not_fit_the_tables_is_told_too_and_nothing_is_half_done():
    rows.provider(name="groq")
    text = "version: 1\nmodels:\n  grok: {}\npools:\n  auto:\n    members:\n    - model: groq/zz\n      position: 1\n"
    assert problems(bring_in, text) == [
        "line 3: There is no provider 'grok'; did you mean 'groq'? Add it first.",
        "line 7: There is no model 'groq/zz'.",
    ]
    good = "version: 1\nmodels:\n  groq:\n    a: {free: true}\npools:\n"
    bad = "  auto:\n    policy: {patience: soon}\n  not a slug: {}\n"
    told = problems(bring_in, good + bad)
    assert [line.split(":")[0] for line in told] == ["line 7", "line 8"]
    assert not Deployment.objects.exists()
    assert not Pool.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty."),
        ("- a", "line 1: A registry is a mapping with version, models and pools."),
        ("version: !!python/object:os.system 1", "line 1: Tags (tag:yaml.org,2002:python/object:os.system)"),
        ("version: &a 1", "line 1: Anchors (&name) are not taken"),
        ("version: 1\nmodels: *a", "line 2: Aliases (*name) are not taken"),
        ("version: 1\n---\nversion: 2", "line 2: A registry is one document"),
        ("version: 1\nmodels: {a: {b: {", "line 2: This is not YAML"),
        ("version: 1\nmodels:\n\tgroq: {}", "line 3: This is not YAML"),
        ("version: \x00", "This is not YAML"),
        ("[a]: 1", "line 1: A list or a mapping cannot be a key."),
        ("version: " + "[" * 1_000_000, "line 1: Nested deeper than 12 levels."),
        ("- " * 1_000_000, "line 1: Nested deeper than 12 levels."),
        ("version: 1\n" + "x" * (17 * 1024 * 1024), "The file is larger than 16 MiB."),
        ('version: 1\nmodels: {"groq": {"a\\0b": {}}}', "line 2: This name holds a character that cannot be stored"),
        ("version: 1\nmodels: {groq: {" + "a" * 256 + ": {}}}", "line 2: This name is longer than 255 characters."),
        ("version: 1\npools: {auto: {admits: {x: .inf, y: 1e999}, strategy: [a]}}", "strategy: write one value"),
    ],
    ids=lambda value: value[:20].replace("\0", "NUL"),
)
def test_what_is_not_a_registry_is_refused(text, words):
    with pytest.raises(registry.Refused) as refused:
        read(text)
    assert words in str(refused.value)


def test_a_bomb_of_aliases_is_refused_before_it_goes_off():
    names = "abcdefghijklmnopqrstuvw"
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in itertools.pairwise(names))
    with pytest.raises(registry.Refused):
        parse(bomb)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(registry.Refused):
        parse(text)


@pytest.mark.django_db
def test_the_command_writes_compares_and_brings_in(tmp_path):
    provider = rows.provider(name="groq")
    rows.deployment(provider=provider, model_id="m", context=5)
    file, out = tmp_path / "registry.yaml", io.StringIO()
    call_command("registry", "export", str(file), stdout=out)
    call_command("registry", "export", str(file), stdout=out)
    file.write_text(file.read_text().replace("context: 5", "context: 6"))
    call_command("registry", "diff", str(file), stdout=out)
    assert Deployment.objects.get().context == 5
    call_command("registry", "import", str(file), stdout=out)
    call_command("registry", "import", str(file), stdout=out)
    assert Deployment.objects.get().context == 6
    assert out.getvalue().replace(str(file), "F").splitlines() == [
        "F written.",
        "F is up to date.",
        "Importing it would change (1):",
        "  ~ groq/m context: 5 -> 6",
        "Changed (1):",
        "  ~ groq/m context: 5 -> 6",
        "Nothing to change: it is so already.",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["registry.yaml"]


@pytest.mark.django_db
def test_the_command_says_what_is_wrong(tmp_path):
    file = tmp_path / "registry.yaml"
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("registry", "diff", str(file))
    file.write_bytes(b"version: \xff")
    with pytest.raises(CommandError, match=r"not UTF-8 text \(byte 9\)"):
        call_command("registry", "import", str(file))
    file.write_text("versoin: 1")
    with pytest.raises(CommandError, match="2 problems, nothing was changed"):
        call_command("registry", "export", str(file))
    assert file.read_text() == "versoin: 1"
