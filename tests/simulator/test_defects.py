"""A model with a hidden defect lists like any other, and shows it only to whoever asks the right thing."""

from __future__ import annotations

from typing import Any

import httpx2
import orjson
import pytest

from rotation.discovery.verify import pictures
from rotation.simulator.defects import DAY, LISTED, LIVES, Defect
from rotation.simulator.serve import Running
from tests.simulator.asking import MODELS, TOOL, Client, events, said

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FORM = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}


def order(sim: Running, body: Any, method: str = "POST") -> Any:
    answer = httpx2.request(method, f"{sim.url}/_sim/defects", json=body)
    return answer.json() if answer.status_code == 200 else answer.json()["error"]


def hide(sim: Running, defect: str, kind: str = "openrouter") -> None:
    order(sim, {"kind": kind, "model": MODELS[kind], "defect": defect})


def answer(client: Client, text: str, kind: str = "openrouter", **fields: Any) -> Any:
    return client.chat(kind, text, **fields).json()["choices"][0]["message"]


def test_nobody_has_one_until_it_is_ordered_and_a_reset_heals_all(sim: Running):
    assert order(sim, None, "GET")["defects"] == []
    hide(sim, Defect.SLOW)
    assert order(sim, None, "GET")["defects"] == [
        {"kind": "openrouter", "model": MODELS["openrouter"], "defect": "slow"}
    ]
    sim.reset(seed=0)
    assert order(sim, None, "GET")["defects"] == []


def test_tools_are_taken_and_answered_in_words(sim: Running, client: Client):
    assert answer(client, "What is the weather in Oslo?", tools=[TOOL])["tool_calls"]
    hide(sim, Defect.LIES_ABOUT_TOOLS)
    told = answer(client, "What is the weather in Oslo?", tools=[TOOL])
    assert "tool_calls" not in told
    assert told["content"]


def test_json_is_broken_where_a_schema_was_taken(sim: Running, client: Client):
    text = 'Where is "Oslo"?'
    assert orjson.loads(answer(client, text, response_format=FORM)["content"]) == {"city": "Oslo"}
    hide(sim, Defect.BREAKS_JSON)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer(client, text, response_format=FORM)["content"])
    assert answer(client, "What is 2 + 2? Only the number.")["content"] == "4"


def test_a_long_text_is_cut_without_a_word(sim: Running, client: Client):
    text = f"The secret word is zebra. {'It rained again. ' * 800} What is the secret word? Only the word."
    assert answer(client, text)["content"] == "zebra"
    hide(sim, Defect.SHORT_CONTEXT)
    assert "zebra" not in answer(client, text)["content"]


def test_stop_and_system_are_not_heard(sim: Running, client: Client):
    hide(sim, Defect.IGNORES_STOP)
    assert answer(client, 'Say "one two three"', stop=["two"])["content"] == "one two three"
    hide(sim, Defect.IGNORES_SYSTEM, "groq")
    messages = [
        {"role": "system", "content": 'Begin every answer with "KAPPA".'},
        {"role": "user", "content": "Only say 2 + 2"},
    ]
    sent = {"model": MODELS["groq"], "messages": messages}
    headers = {"authorization": "Bearer sk-sim-groq-main-1"}
    told = client.post("/groq/openai/v1/chat/completions", json=sent, headers=headers).json()
    assert told["choices"][0]["message"]["content"] == "4"


@pytest.mark.parametrize("kind", ["openrouter", "groq", "openai", "together", "generic"])
def test_streams_come_without_a_count(sim: Running, client: Client, kind: str):
    options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    assert "completion_tokens" in client.chat(kind, 'Say "one two"', **options).text
    hide(sim, Defect.NO_USAGE, kind)
    bare = client.chat(kind, 'Say "one two"', **options)
    assert "completion_tokens" not in bare.text
    assert said(events(bare)) == "one two"
    assert events(bare)[-1] == "[DONE]"


def test_one_that_dies_answers_404_after_a_week_and_then_leaves_the_listing(sim: Running, client: Client):
    def listed() -> bool:
        told = client.fetch("openrouter", "/models").json()["data"]
        return any(model["id"] == MODELS["openrouter"] for model in told)

    hide(sim, Defect.DIES)
    assert client.chat("openrouter").status_code == 200
    sim.advance(LIVES + 1)
    assert client.chat("openrouter").status_code == 404
    assert listed()
    sim.advance(LISTED + DAY)
    assert not listed()


def test_a_slow_one_takes_its_time(sim: Running, client: Client):
    hide(sim, Defect.SLOW, "groq")
    client.chat("groq")
    assert sim.ledger(kind="groq")[-1]["first_ms"] > 400  # 100 s at 200 times the speed


def test_a_share_of_all_is_chosen_by_the_seed(sim: Running):
    told = order(sim, {"share": 0.3, "kind": "openrouter"})["defects"]
    assert 70 < len(told) < 140
    assert {one["defect"] for one in told} == set(Defect)
    order(sim, None, "DELETE")
    assert order(sim, {"share": 0.3, "kind": "openrouter"})["defects"] == told


@pytest.mark.parametrize(
    "body",
    [{"kind": "nobody"}, {"kind": "groq", "model": "x", "defect": "slow"}, {"model": "y"}, "slow", {"share": -1}],
)
def test_an_order_that_cannot_be_followed_says_why(sim: Running, body: Any):
    assert isinstance(order(sim, body), str)
    assert order(sim, None, "GET")["defects"] == []


def test_a_simulated_model_sees_colours_and_compares(sim: Running, client: Client):
    url = pictures.data_url("yellow", "blue")
    parts = [
        {"type": "text", "text": "Which colours are these? Only the colours."},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    sent = {"model": "gpt-4o", "messages": [{"role": "user", "content": parts}]}
    headers = {"authorization": "Bearer sk-sim-openai-main-1"}
    told = client.post("/openai/v1/chat/completions", json=sent, headers=headers).json()
    assert told["choices"][0]["message"]["content"] == "yellow, blue"
    text = "Ben is taller than Ann. Ann is taller than Cem. Who is the shortest? Only the name."
    assert answer(client, text)["content"] == "Cem"
