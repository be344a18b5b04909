"""OpenRouter's catalogue: 347 models of 55 families, 53 of them free.

The starter's ids are always there; the seed decides the rest.
"""

from __future__ import annotations

import random
from dataclasses import replace

from rotation.simulator.catalogue import Model
from rotation.simulator.shelves.families import FAMILIES, STARTER

MODELS = 347
FREE = 53
_SIZES = ("3b", "7b", "8b", "12b", "14b", "20b", "24b", "32b", "70b", "72b", "120b", "235b-a22b", "405b")
_WORDS = ("", "-instruct", "-chat", "-mini", "-pro", "-vl", "-thinking", "-coder", "-preview")
_CONTEXTS = (8_192, 16_384, 32_768, 65_536, 128_000, 131_072, 131_072, 163_840, 200_000, 256_000, 262_144, 1_048_576)
_OPEN_FAMILIES = 40  # only these give models away


def models(seed: int) -> list[Model]:
    """Newest first, as the listing has it."""
    rng = random.Random(f"openrouter catalogue {seed}")  # noqa: S311 - repeatable is the point
    made = {model.id: model for model in _starters()}
    families = list(FAMILIES)
    for family in families:
        _grow(made, family, rng)
    paid_target = MODELS - (FREE - sum(model.free for model in made.values()))
    while len(made) < paid_target:
        _grow(made, rng.choice(families), rng)
    _give_away(made, families[:_OPEN_FAMILIES], rng)
    return sorted(made.values(), key=lambda model: (-model.created, model.id)) + _unlisted()


def _unlisted() -> list[Model]:
    """The listing shows models that put out text by chat; these are served all the same."""
    embedding = Model("openai/text-embedding-3-small", type="embedding", context=8_192, price_in=0.02, seconds=0.4)
    whisper = Model("openai/whisper-large-v3", type="transcription", context=448, seconds=1.4)
    return [
        replace(embedding, tools=False, json_schema=False, dimensions=1_536, listed=False),
        replace(whisper, tools=False, json_schema=False, listed=False),
    ]


def _starters() -> list[Model]:
    return [
        *STARTER,
        Model(
            "openrouter/auto", "Auto Router", context=2_000_000, price_in=-1.0, price_out=-1.0, seconds=1.5, images=True
        ),
        Model("openrouter/polaris-alpha", "Polaris Alpha", context=256_000, seconds=1.8, created=1_762_450_000),
    ]


def _grow(made: dict[str, Model], family: str, rng: random.Random) -> None:
    """One more paid model of the family."""
    while True:
        stem = rng.choice(FAMILIES[family])
        slug = f"{stem}-{rng.choice(_SIZES)}{rng.choice(_WORDS)}"
        model_id = f"{family}/{slug}"
        if model_id not in made:
            break
    vision = "-vl" in slug or rng.random() < 0.2
    price_in = round(10 ** rng.uniform(-1.7, 0.7), 3)
    made[model_id] = Model(
        id=model_id,
        name=f"{family.title()}: {slug.replace('-', ' ').title()}",
        owner=family,
        context=rng.choice(_CONTEXTS),
        max_output=rng.choice((None, 8_192, 16_384, 32_768)),
        price_in=price_in,
        price_out=round(price_in * rng.choice((1.0, 2.0, 3.0, 4.0)), 3),
        seconds=round(10 ** rng.uniform(-0.1, 1.1), 2),
        tools=rng.random() < 0.65,
        parallel=rng.random() < 0.8,
        json_schema=rng.random() < 0.6,
        images=vision,
        reasoning="thinking" in slug or rng.random() < 0.25,
        moderated=rng.random() < 0.17,
        created=rng.randrange(1_700_000_000, 1_761_000_000),
    )


def _give_away(made: dict[str, Model], families: list[str], rng: random.Random) -> None:
    """Free twins of paid models until there are FREE of them; fewer than half know tools."""
    paid = sorted(
        model.id for model in made.values() if model.family in families and model.price_in > 0 and ":" not in model.id
    )
    rng.shuffle(paid)
    for model_id in paid[: MODELS - len(made)]:
        twin = made[model_id]
        made[f"{model_id}:free"] = replace(
            twin,
            id=f"{model_id}:free",
            name=f"{twin.name} (free)",
            price_in=0.0,
            price_out=0.0,
            tools=twin.tools and rng.random() < 0.3,
            expires=rng.choice((None, None, None, "2026-12-31")),
        )
