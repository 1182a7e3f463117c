"""Schemas in the form of strict mode, or why they have none."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, HttpUrl, create_model

from flash_integrations._adapters.json_schema import (
    LooseSchemaError,
    is_recursive,
    object_root,
    schema_of,
    to_strict,
    wire_name,
)


class Point(BaseModel):
    """A place."""

    x: int
    y: int = Field(default=0, description="up")
    label: str | None = None


class Node(BaseModel):
    """Holds itself."""

    name: str
    children: list["Node"] = []


NODE = Node.model_json_schema()["$defs"]["Node"]
CHAIN = {"type": "object", "properties": {"next": {"$ref": "#/properties/first"}}}

RECURSIVE = {
    "a class": Node.model_json_schema(),
    "within": {"properties": {"root": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": NODE}},
    "the root": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}},
    "a path": {"type": "object", "properties": {"first": CHAIN}},
    "a list": {"anyOf": [{"type": "array", "items": {"$ref": "#/anyOf/0"}}, {"type": "null"}]},
    "draft 7": {"$ref": "#/definitions/N", "definitions": {"N": {"properties": {"n": {"$ref": "#/definitions/N"}}}}},
    "escaped": {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"items": {"$ref": "#/$defs/a~1b%20c"}}}},
    "over another": {
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"items": {"$ref": "#/$defs/A"}}},
    },
}
PLAIN = {
    "no reference": Point.model_json_schema(),
    "twice the same": {
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"type": "string"}},
    },
    "elsewhere": {"properties": {"a": {"$ref": "https://example.com/a.json"}}},
    "to nothing": {"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/anyOf/7"}}, "anyOf": []},
    "a property of that name": {"properties": {"$ref": {"type": "string"}}},
}


@pytest.mark.parametrize("schema", RECURSIVE.values(), ids=RECURSIVE)
def test_a_schema_that_holds_itself_is_found(schema):
    """By references of every form."""
    assert is_recursive(schema)


@pytest.mark.parametrize("schema", PLAIN.values(), ids=PLAIN)
def test_other_schemas_do_not_hold_themselves(schema):
    """Neither what is referred to twice, nor what cannot be followed."""
    assert not is_recursive(schema)


def test_references_at_the_root_are_followed_to_an_object():
    """Over several of them, and round a circle without end; what stands beside a reference stays."""
    chain = {"$ref": "#/$defs/A", "title": "T", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"type": "object"}}}
    assert object_root(chain) == {"type": "object", "title": "T", "$defs": chain["$defs"]}
    circle = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}
    assert object_root(circle)["$defs"] == circle["$defs"]


def test_strict_objects_are_closed_and_need_all_their_fields():
    """Defaults go, too: the model must say every field."""
    strict = to_strict(Point.model_json_schema())
    assert strict["additionalProperties"] is False
    assert strict["required"] == ["x", "y", "label"]
    assert "default" not in strict["properties"]["y"]
    assert strict["properties"]["y"]["description"] == "up"


def test_the_schema_given_is_not_changed():
    """It may be a tool's own."""
    schema = Point.model_json_schema()
    before = str(schema)
    to_strict(schema)
    assert str(schema) == before


def test_a_class_that_holds_itself_has_an_object_at_its_root():
    """Its references stay, and are closed where they lead."""
    strict = to_strict(schema_of(Node))
    assert (strict["type"], strict["required"]) == ("object", ["name", "children"])
    assert strict["$defs"]["Node"]["additionalProperties"] is False


LOOSE = {
    "Any": Any,
    "a bare list": list,
    "a list of Any": list[Any],
    "a set": set[str],
    "a tuple": tuple[int, str],
    "free names": dict[str, int],
    "a URL": HttpUrl,
    "a path": Path,
    "bytes": bytes,
    "deep inside": list[dict[str, Any]],
}


@pytest.mark.parametrize("field", LOOSE.values(), ids=LOOSE)
def test_what_strict_mode_refuses_has_no_strict_form(field):
    """OpenAI refuses the whole request for one such field; the error names it."""
    cls = create_model("Made", thing=(field, ...))
    with pytest.raises(LooseSchemaError, match="thing"):
        to_strict(cls.model_json_schema())


KEYWORDS = {
    "a list that says no items": {"type": "array"},
    "items are anything": {"type": "array", "items": True},
    "a tuple in its older form": {"type": "array", "items": [{"type": "string"}]},
    "unique items": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "names by pattern": {"type": "object", "properties": {}, "patternProperties": {"^x": {"type": "string"}}},
    "any more names": {"type": "object", "properties": {}, "additionalProperties": {}},
    "a number of names": {"type": "object", "properties": {}, "minProperties": 1},
    "a dict or none": {"type": ["object", "null"]},
    "a URL or none": {"type": ["string", "null"], "format": "uri"},
    "contents": {"type": "array", "items": {"type": "string"}, "minContains": 1},
    "encoded": {"type": "string", "contentEncoding": "base64"},
    "all of two": {"allOf": [{"type": "string"}, {"type": "string", "pattern": "a"}]},
    "true": True,
    "nothing": {},
}


@pytest.mark.parametrize("field", KEYWORDS.values(), ids=KEYWORDS)
def test_a_written_schemas_keywords_are_looked_at(field):
    """What other generators of schemas write is judged like Pydantic's."""
    with pytest.raises(LooseSchemaError, match="thing"):
        to_strict({"type": "object", "properties": {"thing": field}})


def test_an_object_or_none_is_closed():
    """A list of types is read like a single one."""
    schema = {"type": ["object", "null"], "properties": {"a": {"type": "string"}}}
    assert to_strict(schema) == {**schema, "additionalProperties": False, "required": ["a"]}


@pytest.mark.parametrize("word", sorted("date-time time date duration email hostname ipv4 ipv6 uuid".split()))
def test_the_formats_strict_mode_knows_stay(word):
    """Dates and their like are held to."""
    assert to_strict({"type": "string", "format": word}) == {"type": "string", "format": word}


def test_values_are_no_schemas():
    """What stands under enum or const is left as it is, though it look like a keyword."""
    schema = {"enum": [{"default": 1}, "x"]}
    assert to_strict(schema) == schema


@pytest.mark.parametrize(
    ("name", "wire"), [("Plain", "Plain"), ("Box[int]", "Box_int_"), ("Größe", "Gr__e"), ("x" * 90, "x" * 64)]
)
def test_names_fit_the_wire(name, wire):
    """Generic classes have brackets, which OpenAI refuses."""
    assert wire_name(name) == wire
