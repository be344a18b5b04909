"""`manage.py replay` at a terminal."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from rotation.models import Replay, Trace
from tests.replay.test_trace import GOOD

pytestmark = pytest.mark.django_db


def told(*words, **options):
    out = io.StringIO()
    call_command("replay", *words, stdout=out, **options)
    return out.getvalue()


def test_figures_beside_each_other_with_intervals(yesterday):
    yesterday.calls(120)
    said = told("--order", "quick,slow", "--set", "patience=4")
    assert "candidate: order: groq/quick, groq/slow, groq/spare" in said
    assert "candidate: patience: 4 instead of 10.0" in said
    assert "Mean time to the answer" in said
    assert ": better" in said
    assert "Coverage: for" in said
    assert Replay.objects.get().by == "command line"


def test_the_whole_result_as_json(yesterday, tmp_path):
    yesterday.calls(60)
    file = tmp_path / "candidate.json"
    file.write_text('{"strategy": "fastest"}')
    result = json.loads(told("--candidate", str(file), "--json", "--since", "48h"))
    assert result["calls"] == 60
    assert result["ways"][1]["strategy"] == "fastest"


def test_a_trace_is_imported_and_replayed(yesterday, tmp_path):
    yesterday.calls(60)
    file = tmp_path / "azure.csv"
    file.write_bytes(GOOD)
    assert "Imported 2 calls over 0:00:00.052" in told("import", str(file))
    assert "trace azure: 2 calls" in told("--trace", "azure", "--without", "slow")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pool", "nix", "--order", "quick"), "There is no pool 'nix'; there are: auto."),
        (("--order", "quack"), "There is no model 'quack' here"),
        (("--set", "patience"), "--set wants KNOB=VALUE"),
        (("--set", "colour=red"), "unknown policy knob 'colour'"),
        (("--since", "yesterday", "--order", "quick"), "--since is so far back"),
        (("--trace", "nix", "--order", "quick"), "There is no trace 'nix'; there are: none."),
        (("--candidate", "/nowhere.json"), "cannot be read as a candidate"),
        (("import",), "Name the file"),
        (("import", "/nowhere.csv"), "cannot be read"),
        (("--since", "5m", "--order", "quick"), "had no calls"),
    ],
    ids=["pool", "model", "set", "knob", "since", "trace", "file", "import", "no-file", "empty"],
)
def test_mistakes_are_told_and_leave_nothing(yesterday, words, said):
    yesterday.calls(10)
    with pytest.raises(CommandError) as wrong:
        told(*words)
    assert said in str(wrong.value)
    assert (Replay.objects.count(), Trace.objects.count()) == (0, 0)
