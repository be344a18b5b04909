"""OpenAI's own client, pointed at a simulator, gets what it would get from the real thing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from rotation.simulator.serve import Running
from tests.simulator.asking import KINDS, MODELS, ROOTS, key

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


FORCED: Any = {"type": "function", "function": {"name": "get_weather"}}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sdk(sim: Running, kind: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=sim.url + ROOTS[kind], api_key=key(kind), max_retries=0) as client:
        yield client


def asked(text: str) -> Any:
    return [{"role": "user", "content": text}]


def test_a_plain_answer(sdk, kind) -> None:
    answer = sdk.chat.completions.create(model=MODELS[kind], messages=asked("What is 12 * 12? Only the number."))
    assert answer.choices[0].message.content == "144"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream(sdk, kind) -> None:
    with sdk.chat.completions.create(model=MODELS[kind], messages=asked("Say hello."), stream=True) as stream:
        chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "Hello!" in text
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]


def test_tools_are_called_with_valid_arguments_and_their_results_are_used(sdk, kind) -> None:
    messages = asked("What is the weather in Lisbon?")
    first = sdk.chat.completions.create(model=MODELS[kind], messages=messages, tools=TOOLS).choices[0]
    assert first.finish_reason == "tool_calls"
    (call,) = first.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Lisbon"})
    messages += [first.message.to_dict(), {"role": "tool", "tool_call_id": call.id, "content": "23 degrees"}]
    second = sdk.chat.completions.create(model=MODELS[kind], messages=messages, tools=TOOLS).choices[0]
    assert "23 degrees" in second.message.content


def test_parallel_tools_come_together_unless_forbidden(sdk, kind) -> None:
    messages = asked("What is the weather in Lisbon and in Porto?")
    both = sdk.chat.completions.create(model=MODELS[kind], messages=messages, tools=TOOLS)
    calls = both.choices[0].message.tool_calls
    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Lisbon", "Porto"]
    assert len({call.id for call in calls}) == 2
    one = sdk.chat.completions.create(model=MODELS[kind], messages=messages, tools=TOOLS, parallel_tool_calls=False)
    assert len(one.choices[0].message.tool_calls) == 1


def test_the_async_client_streams_tools_too(sim, kind) -> None:
    async def ask() -> str:
        async with openai.AsyncOpenAI(base_url=sim.url + ROOTS[kind], api_key=key(kind), max_retries=0) as client:
            stream = await client.chat.completions.create(
                model=MODELS[kind],
                messages=asked("Weather in Oslo?"),
                tools=TOOLS,
                stream=True,
                tool_choice=FORCED,
            )
            parts = [
                call.function.arguments or ""
                async for chunk in stream
                for choice in chunk.choices
                for call in choice.delta.tool_calls or ()
                if call.function
            ]
        return "".join(parts)

    assert json.loads(asyncio.run(ask())) == {"city": "Oslo"}


class Trip(BaseModel):
    city: str
    days: int
    by_train: bool


def test_structured_output_is_parsed(sim) -> None:
    with openai.OpenAI(base_url=sim.url + ROOTS["openai"], api_key=key("openai"), max_retries=0) as client:
        answer = client.chat.completions.parse(
            model="gpt-4o",
            messages=asked("Plan 3 days in Rome"),
            response_format=Trip,
        )
    trip = answer.choices[0].message.parsed
    assert trip == Trip(city="Rome", days=3, by_train=True)


def test_errors_become_the_sdk_s_own_exceptions(sim, sdk, kind) -> None:
    raised = {
        "key_revoked": openai.AuthenticationError,
        "rate_limit": openai.RateLimitError,
        "overloaded": openai.InternalServerError,
        "model_gone": openai.NotFoundError,
        "refuse_connection": openai.APIConnectionError,
    }
    for fault, error in raised.items():
        sim.faults({"kind": kind, "fault": fault})
        with pytest.raises(error):
            sdk.chat.completions.create(model=MODELS[kind], messages=asked("Hello"))


def test_broken_streams_raise_but_a_truncated_one_passes_for_complete(sim, sdk, kind) -> None:
    def read() -> int:
        with sdk.chat.completions.create(model=MODELS[kind], messages=asked("Hello"), stream=True) as stream:
            return len(list(stream))

    for fault, error in (("cut", Exception), ("error_in_stream", openai.APIError), ("malformed", Exception)):
        sim.faults({"kind": kind, "fault": fault, "after": 2})
        with pytest.raises(error):
            read()
    sim.faults({"kind": kind, "fault": "truncate", "after": 2})
    assert read() == 2


def test_embeddings_come_as_the_sdk_asks_for_them(sim) -> None:
    with openai.OpenAI(base_url=sim.url + ROOTS["openai"], api_key=key("openai"), max_retries=0) as client:
        made = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        plain = client.embeddings.create(model="text-embedding-3-small", input="one", encoding_format="float")
    assert [len(item.embedding) for item in made.data] == [1_536, 1_536]
    assert made.data[0].embedding == pytest.approx(plain.data[0].embedding)
    assert made.usage.prompt_tokens == 2


def test_audio_is_transcribed(sim) -> None:
    with openai.OpenAI(base_url=sim.url + ROOTS["openai"], api_key=key("openai"), max_retries=0) as client:
        told = client.audio.transcriptions.create(model="whisper-1", file=("talk.mp3", b"\0" * 48_000))
    assert told.text == "This is the simulated transcript of a mp3 file of 48000 bytes, about 3 seconds long."


def test_models_are_listed(sim) -> None:
    with openai.OpenAI(base_url=sim.url + ROOTS["openai"], api_key=key("openai"), max_retries=0) as client:
        assert "gpt-4o" in [model.id for model in client.models.list()]
