"""Embeddings: unit vectors decided by model and text, as lists or as base64 of little-endian 32-bit floats."""

from __future__ import annotations

import base64
import hashlib
import math
import sys
from array import array
from collections.abc import Mapping
from typing import Any

import orjson

from rotation.simulator import parameters, spoilers
from rotation.simulator.admission import found, held, met
from rotation.simulator.asks import parse, tokens_of
from rotation.simulator.catalogue import Model
from rotation.simulator.limits import Hold, Need
from rotation.simulator.oops import Oops, Refusal, Trouble
from rotation.simulator.parameters import BadAsk
from rotation.simulator.script import whole
from rotation.simulator.visit import Plan, Visit

_TYPES = frozenset({"embedding"})
_MOST = 2_048


def embed(visit: Visit) -> Plan:
    """POST /embeddings."""
    entry, kind = visit.entry, visit.kind
    try:
        visit.check_key()
        raw = parse(visit.body)
        model_id = parameters.model(raw)
        inputs = _inputs(raw)
        entry.model, entry.tokens_in = model_id, sum(tokens for _, tokens in inputs)
        number = visit.world.number(kind.name, model_id)
        rule = met(visit, model_id, number)
        model = found(visit, model_id, _TYPES)
        body = _answer(raw, model, inputs)
        hold = held(visit, model, Need(prompt=entry.tokens_in), visit.world.clock.now)
    except BadAsk as bad:
        return Plan(visit.refused(Oops(Trouble.BAD_REQUEST, message=bad.message, param=bad.param)))
    except Refusal as refusal:
        return Plan(visit.refused(refusal.oops))
    seconds = model.seconds * (1 + len(inputs) / 100)
    script = whole(200, kind.json_headers + _standing(visit, hold), orjson.dumps(body), wait=seconds)
    return Plan(script if rule is None else spoilers.spoil(rule, script, None, kind))


def _standing(visit: Visit, hold: Hold | None) -> tuple[tuple[str, str], ...]:
    return visit.kind.standing(hold, visit.world.clock.now)


def _inputs(raw: Mapping[str, Any]) -> list[tuple[str, int]]:
    """(text, tokens) of every input; token lists count as themselves."""
    given = raw.get("input")
    if isinstance(given, str) or (isinstance(given, list) and given and _all(given, int)):
        given = [given]
    if not isinstance(given, list) or not 0 < len(given) <= _MOST:
        raise BadAsk(f"'input' must be text, or an array of 1 to {_MOST} texts or token arrays.", "input")
    inputs = []
    for one in given:
        if isinstance(one, str) and one:
            inputs.append((one, tokens_of(one)))
        elif isinstance(one, list) and one and _all(one, int):
            inputs.append((" ".join(map(str, one)), len(one)))
        else:
            raise BadAsk("Invalid 'input': an empty or unusable entry.", "input")
    return inputs


def _all(values: list[Any], type_: type) -> bool:
    return all(isinstance(value, type_) for value in values)


def _answer(raw: Mapping[str, Any], model: Model, inputs: list[tuple[str, int]]) -> dict[str, Any]:
    wanted = raw.get("dimensions") or model.dimensions
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 < wanted <= model.dimensions:
        raise BadAsk(f"Invalid 'dimensions': expected an integer from 1 to {model.dimensions}.", "dimensions")
    form = raw.get("encoding_format") or "float"
    if form not in {"float", "base64"}:
        raise BadAsk("Invalid 'encoding_format': expected float or base64.", "encoding_format")
    for text, tokens in inputs:
        if tokens > model.context:
            most = (
                f"This model's maximum context length is {model.context} tokens, however you requested {tokens} tokens"
            )
            raise BadAsk(f"{most} ({len(text)} characters). Please reduce your prompt.", "input")
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector(model.id, text, wanted), form)}
        for index, (text, _) in enumerate(inputs)
    ]
    total = sum(tokens for _, tokens in inputs)
    usage = {"prompt_tokens": total, "total_tokens": total}
    return {"object": "list", "data": data, "model": model.id, "usage": usage}


def vector(model_id: str, text: str, dimensions: int) -> array[float]:
    """Of length 1; the same text gives the same vector, different texts nearly orthogonal ones."""
    noise = hashlib.shake_128(f"{model_id}\0{text}".encode("utf-8", "replace")).digest(2 * dimensions)
    raw = array("h", noise)
    length = math.sqrt(sum(value * value for value in raw)) or 1.0
    return array("f", (value / length for value in raw))


def _encoded(values: array[float], form: str) -> str | list[float]:
    if form == "float":
        return values.tolist()
    if sys.byteorder == "big":
        values.byteswap()
    return base64.b64encode(values.tobytes()).decode()
