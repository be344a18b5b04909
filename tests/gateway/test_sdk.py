"""`curl` and the OpenAI SDK change their base URL and nothing else."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from typing import Any

import openai
import pytest

from rotation.simulator.serve import Running
from tests.cast import ALICE, Serving
from tests.gateway.asking import Open

HELLO: Any = [{"role": "user", "content": "Say hello."}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def sdk(served: Serving, key: str = ALICE, **more: int) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, **more)  # type: ignore[arg-type]  # max_retries only


def test_the_sdk_gets_an_answer(gateway: Open) -> None:
    with sdk(gateway()) as client:
        answer = client.chat.completions.create(model="auto", messages=HELLO)
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


def test_the_sdk_streams(gateway: Open) -> None:
    with sdk(gateway()) as client:
        stream = client.chat.completions.create(model="auto", messages=HELLO, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text


def test_the_sdk_calls_tools(gateway: Open) -> None:
    with sdk(gateway()) as client:
        answer = client.chat.completions.create(model="auto", messages=HELLO, tools=[TOOL], tool_choice="required")
    [call] = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert call.function.name == "weather"
    assert "city" in json.loads(call.function.arguments)


def test_the_async_sdk_gets_many_answers_at_once(gateway: Open) -> None:
    served = gateway()

    async def many() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=ALICE) as client:
            calls = [client.chat.completions.create(model="fast", messages=HELLO) for _ in range(10)]
            return [a.choices[0].message.content for a in await asyncio.gather(*calls)]

    assert all(asyncio.run(many()))


def test_the_sdk_lists_models(gateway: Open) -> None:
    with sdk(gateway()) as client:
        assert client.models.list().data[0].id == "auto"
        assert client.models.retrieve("fast").id == "fast"


def test_a_broken_stream_raises_in_the_sdk(gateway: Open, sim: Running) -> None:
    served = gateway()
    sim.faults({"fault": "truncate", "after": 2})
    with sdk(served) as client, pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(model="auto", messages=HELLO, stream=True):
            pass


def test_wrong_keys_and_names_raise_what_the_sdk_documents(gateway: Open) -> None:
    served = gateway()
    with sdk(served, "rk_nobody") as client, pytest.raises(openai.AuthenticationError):
        client.models.list()
    with sdk(served) as client, pytest.raises(openai.NotFoundError, match="gpt-17"):
        client.chat.completions.create(model="gpt-17", messages=HELLO)


def test_curl_gets_an_answer_without_naming_a_content_type(gateway: Open) -> None:
    curl = shutil.which("curl")
    assert curl, "curl comes with every system this runs on"
    body = json.dumps({"model": "auto", "messages": HELLO})
    url = f"{gateway().url}/v1/chat/completions"
    done = subprocess.run(
        [curl, "-s", url, "-H", f"Authorization: Bearer {ALICE}", "-d", body], capture_output=True, check=True
    )
    assert json.loads(done.stdout)["choices"][0]["message"]["content"]
