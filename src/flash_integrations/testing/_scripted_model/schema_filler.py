"""Filling a JSON schema from a text: the scripted model's arguments for tools and its structured answers.

The same schema and text always give the same value, and a value that satisfies the schema's types, enums, bounds,
required fields and references. A ``pattern`` is kept only where the text has something that fits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .value_finder import FieldValues

__all__ = ["fill"]

_DEPTH = 8
_INDIRECT = ("$ref", "anyOf", "oneOf", "allOf")


def fill(schema: Mapping[str, Any], findings: FieldValues) -> Any:
    """A value for a schema, with what the text offers for it."""
    return _Filler(schema, findings).value(schema, "value", ())


class _Filler:
    """One walk over a schema; ``path`` holds the references on the way, so that a schema which holds itself ends."""

    def __init__(self, root: Mapping[str, Any], findings: FieldValues) -> None:
        self._root = root
        self._values = findings

    def value(self, schema: Any, name: str, path: tuple[str, ...]) -> Any:
        schema, path = self._resolved(schema, path)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._values.option(name, schema["enum"])
        match _type(schema):
            case "object":
                return self._object(schema, path)
            case "array":
                return self._array(schema, name, path)
            case "integer" | "number" as kind:
                return self._number(schema, name, whole=kind == "integer")
            case kind:
                return self._simple(schema, name, kind)

    def _resolved(self, schema: Any, path: tuple[str, ...]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """A schema without references, unions and intersections; for ``true``, which allows anything, an empty one."""
        while isinstance(schema, Mapping) and (keyword := next((name for name in _INDIRECT if name in schema), None)):
            beside = {key: value for key, value in schema.items() if key != keyword}
            match keyword:
                case "$ref":
                    path = (*path, schema[keyword])
                    schema = {**self._target(schema[keyword]), **beside}
                case "allOf":
                    schema = self._merged(schema)
                case _:
                    branch = self._branch(schema[keyword], path)
                    schema = {**beside, **branch} if isinstance(branch, Mapping) else beside
        return schema if isinstance(schema, Mapping) else {}, path

    def _simple(self, schema: Mapping[str, Any], name: str, kind: str) -> Any:
        if kind == "null":
            return None
        if kind == "boolean":
            return self._values.truth(name, schema.get("default"))
        return self._text(schema, name)

    def _target(self, reference: str) -> Mapping[str, Any]:
        target: Any = self._root
        for step in reference.lstrip("#/").split("/"):
            if step:
                target = target[step.replace("~1", "/").replace("~0", "~")]
        return target if isinstance(target, Mapping) else {}

    def _branch(self, branches: list[Any], path: tuple[str, ...]) -> Any:
        """The first branch that is not null; null where the others would lead round in a circle."""
        full = [branch for branch in branches if branch != {"type": "null"}]
        if len(full) < len(branches) and all(self._returns(branch, path) for branch in full):
            return {"type": "null"}
        return next((branch for branch in full if not self._returns(branch, path)), full[0] if full else {})

    def _merged(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """What all parts of an ``allOf`` ask for together."""
        merged: dict[str, Any] = {}
        for part in (*schema["allOf"], {key: value for key, value in schema.items() if key != "allOf"}):
            full = {**self._target(part["$ref"]), **part} if "$ref" in part else dict(part)
            full.pop("$ref", None)
            merged |= {
                **full,
                "properties": {**merged.get("properties", {}), **full.get("properties", {})},
                "required": [*merged.get("required", []), *full.get("required", [])],
            }
        return {key: value for key, value in merged.items() if value or key not in ("properties", "required")}

    def _returns(self, schema: Any, path: tuple[str, ...]) -> bool:
        return len(path) > _DEPTH or (isinstance(schema, Mapping) and schema.get("$ref") in path)

    def _object(self, schema: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        """All required properties, and of the others those that the text speaks of; all where none is required."""
        properties: Mapping[str, Any] = schema.get("properties") or {}
        required = schema.get("required")
        filled = {}
        for name, about in properties.items():
            wanted = name in required if required is not None else not self._returns(about, path)
            options = about.get("enum", []) if isinstance(about, Mapping) else []
            if wanted or self._values.speaks_of(name) or any(self._values.has(option) for option in options):
                filled[name] = self.value(about, name, path)
        return filled

    def _array(self, schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> list[Any]:
        items = schema.get("items", {})
        least = schema.get("minItems", 0)
        if self._returns(items, path) and not least:
            return []
        resolved, _ = self._resolved(items, path)
        if "enum" in resolved:
            count = max(1, sum(self._values.has(option) for option in resolved["enum"]))
            wanted = sorted(resolved["enum"], key=lambda option: not self._values.has(option))
            values = [wanted[at % len(wanted)] for at in range(max(count, least))]
            return values[: schema.get("maxItems", len(values))]
        count = max(1, least, self._values.many(_type(resolved)))
        count = min(count, schema.get("maxItems", count))
        values = [self.value(items, name, path) for _ in range(count)]
        if schema.get("uniqueItems") and all(isinstance(value, str) for value in values):
            values = [value if value not in values[:at] else f"{value} {at + 1}" for at, value in enumerate(values)]
        return values

    def _number(self, schema: Mapping[str, Any], name: str, *, whole: bool) -> float:
        value = self._values.number(name, whole=whole)
        if value is None:
            value = schema.get("default")
        value = 1 if value is None else value
        step = schema.get("multipleOf") or (1 if whole else 0)
        gap = step or 1
        low, high = schema.get("minimum"), schema.get("maximum")
        if schema.get("exclusiveMinimum") is not None:
            low = schema["exclusiveMinimum"] + gap
        if schema.get("exclusiveMaximum") is not None:
            high = schema["exclusiveMaximum"] - gap
        if step:
            value = value // step * step
        if low is not None and value < low:
            value = -(-low // step) * step if step else low
        if high is not None and value > high:
            value = high // step * step if step else high
        return int(value) if whole else value

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        found = self._values.text(name, style=schema.get("format"), default=schema.get("default"))
        if len(found) < schema.get("minLength", 0):
            found = found.ljust(schema["minLength"], ".")
        return found[: schema.get("maxLength", len(found))]


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)
