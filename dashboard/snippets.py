"""How a program calls this address, in the languages people ask for: ready to be pasted. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

KEY = "<client key>"


@dataclass(frozen=True, slots=True)
class Snippet:
    """`install` is what is typed once before; "" for nothing."""

    name: str
    install: str
    code: str


def snippets(address: str, key: str = KEY, model: str = "auto", message: str = "Say hello") -> list[Snippet]:
    """`address` is that of `/v1`, without a slash at its end."""
    at, with_key, asked, said = (json.dumps(text) for text in (address, key, model, message))
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": message}]}).replace("'", "'\\''")
    return [
        Snippet(
            "curl",
            "",
            f"curl {address}/chat/completions \\\n"
            f'  -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\\n'
            f"  -d '{body}'",
        ),
        Snippet(
            "Python",
            "pip install openai",
            "from openai import OpenAI\n\n"
            f"client = OpenAI(base_url={at}, api_key={with_key})\n"
            "answer = client.chat.completions.create(\n"
            f'    model={asked}, messages=[{{"role": "user", "content": {said}}}]\n'
            ")\n"
            "print(answer.choices[0].message.content)",
        ),
        Snippet(
            "JavaScript",
            "npm install openai",
            'import OpenAI from "openai";\n\n'
            f"const client = new OpenAI({{ baseURL: {at}, apiKey: {with_key} }});\n"
            "const answer = await client.chat.completions.create({\n"
            f'  model: {asked},\n  messages: [{{ role: "user", content: {said} }}],\n'
            "});\n"
            "console.log(answer.choices[0].message.content);",
        ),
        Snippet(
            "LangChain",
            "pip install langchain-openai",
            "from langchain_openai import ChatOpenAI\n\n"
            f"model = ChatOpenAI(base_url={at}, api_key={with_key}, model={asked})\n"
            f"print(model.invoke({said}).content)",
        ),
    ]
