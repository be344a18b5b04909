"""Instances made from schemas are valid by them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rotation.simulator.schemas import instance

Schema = dict[str, Any]


def schemas(leaves: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    names = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6)
    objects = st.dictionaries(names, leaves, max_size=4).map(
        lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)[:2]}
    )
    arrays = st.builds(
        lambda items, least, more: {"type": "array", "items": items, "minItems": least, "maxItems": least + more},
        leaves,
        st.integers(0, 4),
        st.integers(0, 3),
    )
    choices = st.lists(leaves, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
    return st.one_of(objects, arrays, choices)


integers = st.builds(
    lambda low, span: {"type": "integer", "minimum": low, "maximum": low + span},
    st.integers(-50, 50),
    st.integers(0, 90),
)
numbers = st.builds(
    lambda low, span: {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + span},
    st.integers(-50, 50),
    st.integers(1, 90),
)
strings = st.builds(
    lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
    st.integers(0, 30),
    st.integers(0, 30),
)
enums = st.lists(st.one_of(st.integers(), st.text(max_size=5)), min_size=1, max_size=4).map(lambda all_: {"enum": all_})
plain = st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["null", "string"]}, {"const": 7}])
any_schema = st.recursive(st.one_of(integers, numbers, strings, enums, plain), schemas, max_leaves=8)


def valid(value: Any, schema: Schema) -> bool:
    """What of JSON Schema the strategies above use."""
    if "anyOf" in schema:
        return any(valid(value, branch) for branch in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if "const" in schema:
        return bool(value == schema["const"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return any(_valid_as(kind, value, schema) for kind in kinds)


def _valid_as(kind: str, value: Any, schema: Schema) -> bool:
    match kind:
        case "object":
            return set(schema["required"]) <= set(value) and all(
                valid(value[name], part) for name, part in schema["properties"].items() if name in value
            )
        case "array":
            return schema["minItems"] <= len(value) <= schema["maxItems"] and all(
                valid(item, schema["items"]) for item in value
            )
        case "integer":
            return isinstance(value, int) and schema["minimum"] <= value <= schema["maximum"]
        case "number":
            return bool(schema["exclusiveMinimum"] < value < schema["exclusiveMaximum"])
        case "string":
            least, most = schema.get("minLength", 0), schema.get("maxLength", 1_000)
            return isinstance(value, str) and least <= len(value) <= most
        case "boolean":
            return isinstance(value, bool)
    return value is None


@given(any_schema, st.text(max_size=40), st.lists(st.text(max_size=10), max_size=3))
def test_an_instance_is_valid(schema: Schema, text: str, hints: list[str]) -> None:
    assert valid(instance(schema, text, hints), schema)


WORDS = (
    *("type", "properties", "items", "anyOf", "allOf", "$ref", "enum", "required"),
    *("minItems", "minimum", "pattern", "format", "prefixItems", "multipleOf"),
)
rubbish = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.dictionaries(st.sampled_from(WORDS), inner | st.lists(inner, max_size=3), max_size=4),
)


@given(rubbish)
def test_a_broken_schema_still_gives_something(schema: Any) -> None:
    instance(schema if isinstance(schema, dict) else {}, "1 2 3")


def test_references_and_joined_parts_are_followed() -> None:
    schema = {
        "$defs": {"city": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
        "allOf": [
            {"type": "object", "properties": {"a": {"const": 1}}},
            {"properties": {"b": {"$ref": "#/$defs/city"}}},
        ],
    }
    assert instance(schema, hints=["Rome"]) == {"a": 1, "b": {"name": "Rome"}}


def test_a_recursive_schema_comes_to_an_end() -> None:
    node = {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["next"],
    }
    depth, value = 0, instance(node)
    while value:
        depth, value = depth + 1, value["next"]
    assert depth < 20


def test_a_schema_without_an_end_and_one_of_millions_of_values_come_to_an_end() -> None:
    instance({"type": "object", "properties": {"n": {"$ref": "#"}}, "required": ["n"]})
    wide = {"type": "array", "minItems": 100, "items": {"$ref": "#"}}
    assert len(str(instance(wide))) < 200_000


def test_values_come_from_the_question_where_they_fit() -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "maximum": 10}, "unit": {"enum": ["mile", "km"]}},
    }
    assert instance(schema, "between 99 and 7 of them", ["km"]) == {"n": 7, "unit": "km"}


def test_formats_and_patterns_are_met_where_they_are_known() -> None:
    assert instance({"type": "string", "format": "date"}) == "2025-10-25"
    assert instance({"type": "string", "pattern": "^[A-Z][0-9]$"}) == "A1"
    assert instance({"type": "integer", "minimum": 3, "multipleOf": 5}) == 5
