"""The five kinds of provider, by name and by the path they live under."""

from __future__ import annotations

from collections.abc import Mapping

from rotation.simulator.kinds.base import Kind
from rotation.simulator.kinds.generic import Generic
from rotation.simulator.kinds.groq import Groq
from rotation.simulator.kinds.openai import OpenAI
from rotation.simulator.kinds.openrouter import OpenRouter
from rotation.simulator.kinds.together import Together

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (OpenRouter(), Groq(), OpenAI(), Together(), Generic())}
