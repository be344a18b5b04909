"""Adapters: bytes <-> meaning, one per provider kind. They build requests and read answers; they never send.

A new kind is one file, one line in `PROVIDERS`, and one folder of its answers for the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rotation.providers.base import Adapter
from rotation.providers.generic import Generic
from rotation.providers.groq import Groq
from rotation.providers.openai import OpenAI
from rotation.providers.openrouter import OpenRouter
from rotation.providers.together import Together

_ADAPTERS: tuple[Adapter, ...] = (OpenRouter(), Groq(), OpenAI(), Together(), Generic())

PROVIDERS: Mapping[str, Adapter] = MappingProxyType({adapter.kind: adapter for adapter in _ADAPTERS})
