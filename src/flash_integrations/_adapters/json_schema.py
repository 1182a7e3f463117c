"""JSON schemas as the wire takes them: an object at the root, a name in its characters, and the form of strict mode."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel

_NAMED = frozenset({"properties", "$defs", "definitions"})
"""Schema keywords whose keys are names of the user's, not keywords."""

_FORMATS = frozenset("date-time time date duration email hostname ipv4 ipv6 uuid".split())
"""The formats strict mode knows: https://platform.openai.com/docs/guides/structured-outputs (2026)."""

_LOOSE_KEYWORDS = {
    "prefixItems": "tuples",
    "uniqueItems": "sets",
    "patternProperties": "objects with free names",
    "propertyNames": "objects with free names",
    "unevaluatedProperties": "objects with free names",
    "minProperties": "objects with free names",
    "maxProperties": "objects with free names",
    "unevaluatedItems": "tuples",
    "additionalItems": "tuples",
    "contains": "lists that must contain something",
    "minContains": "lists that must contain something",
    "maxContains": "lists that must contain something",
    "contentSchema": "strings that hold JSON",
    "contentEncoding": "encoded strings",
    "not": "exclusions",
    "if": "conditions",
    "then": "conditions",
    "else": "conditions",
    "dependentRequired": "dependent fields",
    "dependentSchemas": "dependent fields",
}
"""Keywords strict mode refuses, and what they make of a schema (the same page, "Some type-specific keywords"; lengths
of strings are taken since May 2025)."""


class LooseSchemaError(ValueError):
    """A schema that has no strict form; says which part of it, and why."""


def schema_of(cls: type[BaseModel]) -> dict[str, Any]:
    """A class's schema with an object at its root."""
    return object_root(cls.model_json_schema())


def object_root(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with an object at its root, where Pydantic puts a reference if a class holds itself.

    References within it stay good, for nothing in it moves.
    """
    rooted = dict(schema)
    followed: set[str] = set()
    while isinstance(target := rooted.get("$ref"), str) and target not in followed:
        followed.add(target)
        rooted = {**_resolved(target, schema), **{name: value for name, value in rooted.items() if name != "$ref"}}
    return rooted


def is_recursive(schema: Mapping[str, Any]) -> bool:
    """Whether something in a schema holds itself, by references of any form: ``#``, ``#/$defs/Node``, ``#/items``."""
    done: set[str] = set()

    def comes_back(part: Any, on_the_way: tuple[str, ...]) -> bool:
        for target in _references(part):
            if target in on_the_way:
                return True
            if target not in done and comes_back(_resolved(target, schema), (*on_the_way, target)):
                return True
            done.add(target)
        return False

    return comes_back(schema, ("#",))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(target := part.get("$ref"), str):
            yield target
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _resolved(target: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a JSON pointer (RFC 6901) refers to; nothing where that is not in the schema."""
    part: Any = schema if target.startswith("#") else None
    for escaped in unquote(target).split("/")[1:]:
        step = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(part, list) and step.isdecimal() and int(step) < len(part):
            part = part[int(step)]
        else:
            part = part.get(step) if isinstance(part, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def wire_name(name: str) -> str:
    """A schema's name in the characters OpenAI takes (as of 2025); those of generic classes have brackets."""
    return re.sub(r"[^\w-]", "_", name, flags=re.ASCII)[:64]


def to_strict(schema: Any, *, where: str = "the schema") -> Any:
    """A schema in the form that strict mode wants: closed objects, all fields required, no defaults.

    Args:
        schema: a JSON schema; it is not changed.
        where: what it describes, for errors.

    Raises:
        LooseSchemaError: it has no such form: free names, tuples, sets, anything at all, an unknown format.
    """
    if isinstance(schema, list):
        return [to_strict(item, where=where) for item in schema]
    if not isinstance(schema, dict):
        return schema
    _refuse_loose(schema, where)
    strict: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, dict):
            strict[key] = {name: _strict_field(inner, name) for name, inner in value.items()}
        elif key in ("enum", "const", "examples"):
            strict[key] = value
        elif key not in ("default", "discriminator"):
            strict[key] = to_strict(value, where=where)
    if "object" in _types(schema):
        strict["additionalProperties"] = False
        if names := list(schema["properties"]):
            strict["required"] = names
    for keyword in ("oneOf", "allOf"):
        if keyword in strict and (keyword == "oneOf" or len(strict[keyword]) == 1):
            strict["anyOf"] = strict.pop(keyword)
    if "$ref" in strict and len(strict) > 1:
        # Nothing may stand beside a reference but inside an alternative.
        strict["anyOf"] = [{"$ref": strict.pop("$ref")}]
    return strict


def _strict_field(schema: Any, name: str) -> Any:
    return to_strict({} if schema is True else schema, where=name)


def _types(schema: dict[str, Any]) -> list[Any]:
    """The types a schema names: ``"object"`` and ``["object", "null"]`` are both in use."""
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]


def _refuse_loose(schema: dict[str, Any], where: str) -> None:
    for keyword in _LOOSE_KEYWORDS.keys() & schema.keys():
        raise LooseSchemaError(f"{where}: {_LOOSE_KEYWORDS[keyword]} have no strict form")
    if not schema.keys() & {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}:
        raise LooseSchemaError(f"{where}: a value of any type has no strict form")
    types = _types(schema)
    if "array" in types and isinstance(schema.get("items"), list):
        raise LooseSchemaError(f"{where}: tuples have no strict form")
    if "array" in types and schema.get("items") in (None, True, {}):
        raise LooseSchemaError(f"{where}: a list of anything has no strict form")
    if "string" in types and schema.get("format", "date") not in _FORMATS:
        raise LooseSchemaError(f"{where}: the format {schema['format']!r} has no strict form")
    if "object" in types and ("properties" not in schema or schema.get("additionalProperties", False) is not False):
        raise LooseSchemaError(f"{where}: objects with free names have no strict form")
    if len(schema.get("allOf", ())) > 1:
        raise LooseSchemaError(f"{where}: several schemas at once have no strict form")
