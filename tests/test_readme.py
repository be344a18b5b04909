"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotation.simulator.serve import running
from tests.cast import ALICE, Offer, Serving, serving, snapshot_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    with (
        running(seed=1, speed=50.0) as sim,
        serving(snapshot_of(sim.url, [Offer("openai", "gpt-4o-mini")]), tmp_path) as s,
    ):
        yield s


def test_the_curl_example_gets_an_answer(served: Serving) -> None:
    [command] = [text for _, text in BLOCKS if text.startswith("curl") and "/chat/completions" in text]
    words = shlex.split(command.replace("\\\n", " ").replace(ADDRESS, served.url).replace("$ROTATION_KEY", ALICE))
    done = subprocess.run([*words, "-s"], capture_output=True, text=True, check=True)
    assert '"choices"' in done.stdout


def test_the_python_example_prints_an_answer(served: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    [example] = [text for language, text in BLOCKS if language == "python"]
    scope: dict[str, object] = {}
    exec(example.replace(ADDRESS, served.url).replace("<client key>", ALICE), scope)
    assert "Simulated answer" in capsys.readouterr().out
    scope["client"].close()  # type: ignore[attr-defined]  # the SDK's


def test_the_two_commands_are_the_ones_the_checks_call() -> None:
    assert "python3 manage.py up" in README
    assert "python3 manage.py test" in README
    assert "\npython3 manage.py test\n" in (ROOT / ".ci" / "run").read_text()


def test_every_file_it_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_changelog_names_the_version() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
