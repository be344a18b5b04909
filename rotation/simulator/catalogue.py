"""The models a simulated provider serves: what each can do, costs and how long it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """`seconds` is its median time to a short answer. Prices are USD per million tokens, -1 for variable.

    `type`: chat, embedding, transcription, speech, image, moderation.
    """

    id: str
    name: str = ""
    owner: str = ""
    type: str = "chat"
    context: int = 131_072
    max_output: int | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    seconds: float = 1.0
    tools: bool = True
    parallel: bool = True
    json_schema: bool = True
    images: bool = False
    reasoning: bool = False
    moderated: bool = False
    created: int = 1_733_506_137
    expires: str | None = None
    dimensions: int = 0
    listed: bool = True  # some are served without standing in the listing

    @property
    def free(self) -> bool:
        return self.id.endswith(":free")

    @property
    def family(self) -> str:
        return self.id.partition("/")[0] if "/" in self.id else self.owner


class Catalogue:
    """One provider's models by id. `version` rises with every change, so that listings can be kept ready."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {model.id: model for model in models}
        self._gone: dict[str, float] = {}
        self.version = 0

    def __iter__(self) -> Iterator[Model]:
        """The living ones, in listing order."""
        return (model for model in self._models.values() if model.listed and model.id not in self._gone)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, model_id: str) -> Model | None:
        return None if model_id in self._gone else self._models.get(model_id)

    def gone_since(self, model_id: str) -> float | None:
        """When a model that was served once went away, in simulated epoch seconds."""
        return self._gone.get(model_id)

    def put(self, model: Model) -> None:
        """Adds a model, or replaces the one of the same id."""
        self._models[model.id] = model
        self._gone.pop(model.id, None)
        self.version += 1

    def remove(self, model_id: str, now: float) -> None:
        """Raises KeyError for a model that was never served."""
        if model_id not in self._models:
            raise KeyError(model_id)
        self._gone[model_id] = now
        self.version += 1
