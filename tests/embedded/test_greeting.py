from __future__ import annotations

import json

import pytest

from rotation.embedded import greeting
from rotation.embedded.greeting import Welcome, in_words, warn_of_strangers


def test_as_json_it_is_one_line_on_stdout_and_nothing_else(capsys, tmp_path):
    greeting.welcome(Welcome("http://x:1", None, None, False), as_json=True, logs=tmp_path)
    out, err = capsys.readouterr()
    assert json.loads(out) == {"url": "http://x:1", "setup_url": None, "client_key": None, "simulated": False}
    assert (out.count("\n"), err) == (1, "")


def test_people_read_only_what_concerns_them(tmp_path):
    settled = in_words(Welcome("http://x:1", None, None, False), tmp_path)
    assert "first account" not in settled
    assert "simulated" not in settled
    assert "<client key>" in settled
    fresh = in_words(Welcome("http://x:1", "http://x:1/setup/t/", "rk_a_b", True), tmp_path)
    for word in ("http://x:1/setup/t/", "Bearer rk_a_b", "simulated providers answer", "OPENROUTER_API_KEY"):
        assert word in fresh


@pytest.mark.parametrize(
    ("host", "allowed", "warned"),
    [("0.0.0.0", None, True), ("0.0.0.0", "a.example", False), ("127.0.0.1", None, False)],
)
def test_who_listens_for_everybody_is_told_whom_pages_answer(capsys, host, allowed, warned):
    warn_of_strangers(host, allowed)
    assert ("ALLOWED_HOSTS" in capsys.readouterr().err) is warned
