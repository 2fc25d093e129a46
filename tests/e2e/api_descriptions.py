"""API descriptions (OpenAPI): the operation of a request, and the keys of its body that nothing describes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.running import ROOT

SHARED = Path(os.environ.get("ASSISTANTS_MIGRATE_SHARED") or ROOT.parent / "shared")
SPECS, REAL = SHARED / "specs", SHARED / "real"
Json = dict[str, Any]


@cache
def described(name: str) -> Json:
    text = (SPECS / name).read_text(encoding="utf-8")
    document: Json = yaml.safe_load(text) if name.endswith("yaml") else json.loads(text)
    return _with_nulls(document)


def _with_nulls(node: Any) -> Any:
    """Convert `nullable` of OpenAPI 3.0 to the type null of JSON Schema."""
    if isinstance(node, list):
        return [_with_nulls(item) for item in node]
    if not isinstance(node, dict):
        return node
    rest = {key: _with_nulls(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [rest, {"type": "null"}]} if node.get("nullable") is True else rest


def operation(documents: tuple[str, ...], method: str, path: str) -> tuple[Json, Json] | None:
    """The description and the operation that a request belongs to."""
    for name in documents:
        document = described(name)
        for template, methods in sorted(document["paths"].items(), key=lambda item: item[0].count("{")):
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method.lower() in methods:
                return document, methods[method.lower()]
    return None


def resolved(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def unknown_keys(document: Json, schemas: list[Json], value: Any, where: str = "") -> Iterator[str]:
    """Keys that are a property of none of the possible schemas."""
    flat = list(_alternatives(document, schemas))
    if isinstance(value, list):
        items = [schema["items"] for schema in flat if "items" in schema]
        for number, item in enumerate(value):
            yield from unknown_keys(document, items, item, f"{where}[{number}]")
    elif isinstance(value, dict):
        objects = [schema for schema in flat if "properties" in schema]
        open_ = any(schema.get("additionalProperties") not in (None, False) for schema in flat)
        for key, inner in value.items() if objects else ():
            below = [schema["properties"][key] for schema in objects if key in schema["properties"]]
            if not below and not open_:
                yield f"{where}.{key}"
            yield from unknown_keys(document, below, inner, f"{where}.{key}")


def _alternatives(document: Json, schemas: list[Json]) -> Iterator[Json]:
    for schema in schemas:
        flat = resolved(document, schema)
        yield flat
        for word in ("anyOf", "oneOf", "allOf"):
            yield from _alternatives(document, flat.get(word, []))
