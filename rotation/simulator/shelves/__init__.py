"""What each simulated provider has to offer when a world begins. Figures are those of autumn 2025."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rotation.simulator.catalogue import Catalogue, Model
from rotation.simulator.shelves import generic, groq, openai, openrouter, together

SHELVES: Mapping[str, Callable[[int], list[Model]]] = {
    "openrouter": openrouter.models,
    "groq": groq.models,
    "openai": openai.models,
    "together": together.models,
    "generic": generic.models,
}


def stock(kind: str, seed: int) -> Catalogue:
    """A fresh catalogue of one provider. Only OpenRouter's depends on the seed."""
    return Catalogue(SHELVES[kind](seed))
