"""Embeddings as a task: vectors of two models are not comparable, so a call never goes from one model to another.

It rotates over the keys and providers that offer the very model that was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rotation.core.failures import Failure
from rotation.core.targets import Needs, Target
from rotation.gateway.call import Asked, asked_for, checked
from rotation.gateway.envelope import invalid
from rotation.gateway.needs import BYTES_PER_TOKEN
from rotation.gateway.task import Task
from rotation.providers.base import Adapter, Answer
from rotation.providers.vectors import read_vectors

if TYPE_CHECKING:
    from rotation.gateway.call import Call
    from rotation.gateway.snapshot import Route, Snapshot

MOST_INPUTS = 2048  # OpenAI's bound
FORMATS = ("float", "base64")


def read(body: bytes) -> Asked:
    """The body of a call for embeddings, checked. Raises `Refusal` (400) naming the parameter."""
    payload = checked(body)
    _inputs(payload.get("input"))
    if payload.get("encoding_format") not in (None, *FORMATS):
        raise invalid("'encoding_format' must be float or base64.", param="encoding_format")
    dimensions = payload.get("dimensions")
    if dimensions is not None and (type(dimensions) is not int or dimensions < 1):
        raise invalid("'dimensions' must be a whole number from 1.", param="dimensions", code="invalid_type")
    if payload.pop("stream", None):
        raise invalid("'stream' must be left out: embeddings are answered whole.", param="stream")
    return asked_for(payload, Needs(len(body) // BYTES_PER_TOKEN, type="embedding"))


def _inputs(given: Any) -> None:
    many = given if isinstance(given, list) else [given]
    right = all((isinstance(one, str | list) and one) or type(one) is int for one in many)
    if not many or not right:
        raise invalid("'input' must be a text, or a list of texts or tokens, none empty.", param="input",
                      code="invalid_type")  # fmt: skip
    if len(many) > MOST_INPUTS and type(many[0]) is not int:
        raise invalid(f"'input' may hold at most {MOST_INPUTS} entries.", param="input", code="too_many_inputs")


class Embedding(Task):
    operation = path = "embeddings"
    replaceable = False

    def route(self, snapshot: Snapshot, call: Call) -> Route:
        if call.models:
            raise invalid("'models' must be left out: vectors of different models are not comparable.", param="models")
        route = super().route(snapshot, call)
        if route.pool:
            why = "vectors of different models are not comparable"
            raise invalid(f"'model' must name one embedding model, not a pool: {why}.", param="model")
        return route

    def read(
        self, adapter: Adapter, target: Target, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> Answer | Failure:
        return read_vectors(status, headers, body, now)


EMBEDDING = Embedding()
