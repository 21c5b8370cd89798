"""Walks a content's JSON Schema: a valid document for each shape, and every place a value stands.

So the tests about what no field may hold find the fields of any convention by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from contracts.kernel.control import CONTROL_TYPES
from contracts.kernel.fields import Payload, caller_model
from contracts.registry import load

SAMPLES = {
    "^[0-9]{7}[A-Z]$": "0760001A",
    "^[0-9a-f]{32}$": "a" * 32,
    "^[0-9]{5,6}$": "104362",
    "^[A-Za-z0-9_-]{43}$": "k" * 43,
    "^[A-Za-z0-9_-]{128,16384}$": "c" * 128,
    "^[a-z0-9][a-z0-9-]{3,60}$": "conv-a-1",
    "^[A-N][0-9]{4}$": "K1207",
    "^[0-9A-Z]{4,8}$": "187XKLM",
    "^[A-Z]{1,2}-?[0-9]{1,4}[a-z]?(?:[.\\-][0-9]{1,2}){0,2}$": "A-5.1",
}
FORMATS = {
    "date": "2012-06-01",
    "date-time": "2026-11-12T10:00:00+01:00",
    "email": "zoe@exemple.fr",
    "phone": "+33639981234",
}

Path = tuple[str | int, ...]
Schema = dict[str, Any]


@dataclass(frozen=True)
class Leaf:
    """One place of one content where a value stands, and a document that holds one there."""

    payload: type[Payload]
    document: Any
    path: Path
    schema: Schema

    def holding(self, value: object) -> Any:
        """The document with that value in that place."""
        changed = deepcopy(self.document)
        spot = changed
        for part in self.path[:-1]:
            spot = spot[part]
        spot[self.path[-1]] = value
        return changed

    @property
    def is_text(self) -> bool:
        return bool(self.schema["type"] == "string")

    def __str__(self) -> str:
        return f"{self.payload.__name__}.{'.'.join(map(str, self.path))}"


def contents() -> list[type[Payload]]:
    """Every content that any convention or control type can carry, as sent and as typed.

    Where the node fills all of it nothing is typed, and there is no place to walk to.
    """
    found = list(dict.fromkeys(flow.payload for _, flow in load().flows()))
    found += [typed for typed in map(caller_model, found) if typed.model_fields]
    return [*found, *(control.payload for control in CONTROL_TYPES.values())]


def leaves() -> list[Leaf]:
    """Every place of every content."""
    return [leaf for payload in contents() for leaf in leaves_of(payload)]


def leaves_of(payload: type[Payload]) -> list[Leaf]:
    """Places of one content, each once."""
    whole = payload.model_json_schema()
    found: dict[tuple[Path, str], Leaf] = {}
    for document, places in _shapes(whole, whole.get("$defs", {})):
        for path, schema in places:
            kind = str(schema.get("format", schema["type"]))
            found.setdefault((path, kind), Leaf(payload, document, path, schema))
    return list(found.values())


Shape = tuple[Any, list[tuple[Path, Schema]]]


def _shapes(schema: Schema, defs: dict[str, Schema]) -> Iterator[Shape]:
    """Documents that fit a schema, so that each branch appears in one, and their places."""
    if "$ref" in schema:
        yield from _shapes(defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    elif "anyOf" in schema:
        for branch in schema["anyOf"]:
            yield from _shapes(branch, defs)
    elif schema["type"] == "object":
        yield from _objects(schema, defs)
    elif schema["type"] == "array":
        for item, places in _shapes(schema["items"], defs):
            yield [item], [((0, *path), leaf) for path, leaf in places]
    elif schema["type"] == "null":
        yield None, []
    else:
        yield _sample(schema), [((), schema)]


def _objects(schema: Schema, defs: dict[str, Schema]) -> Iterator[Shape]:
    assert schema["additionalProperties"] is False
    options = {name: list(_shapes(one, defs)) for name, one in schema["properties"].items()}
    base = {name: shapes[0] for name, shapes in options.items()}
    yield _joined(base)
    for name, shapes in options.items():
        for shape in shapes[1:]:
            yield _joined({**base, name: shape})


def _joined(parts: dict[str, Shape]) -> Shape:
    document = {name: deepcopy(part) for name, (part, _) in parts.items()}
    places = [((name, *path), leaf) for name, (_, all_) in parts.items() for path, leaf in all_]
    return document, places


def _sample(schema: Schema) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] in {"integer", "boolean"}:
        return {"integer": 1, "boolean": True}[schema["type"]]
    if "pattern" in schema:
        return SAMPLES[schema["pattern"]]
    return FORMATS[schema["format"]] if "format" in schema else "Durand"
