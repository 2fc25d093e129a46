"""The JSON Schema for editors and the check of the program accept the same files."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from migrate.codecs.config_directory.schema import json_schemas
from migrate.codecs.config_directory.validate import find_mistakes, unchecked_fields

GOOD: dict[str, list[dict[str, Any]]] = {
    "assistant": [
        {
            "name": "A",
            "model": "m",
            "tools": [{"type": "file_search", "file_search": {"max_num_results": 5}}],
        },
        {"name": "A", "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}},
        {"name": "A", "temperature": 0, "top_p": 1, "metadata": {"a": "b"}, "response_format": "auto"},
        {"name": "A", "tools": [{"type": "odd"}], "unchecked_tools": ["odd"]},
        {"name": "A" * 300, "unchecked": ["name"]},
        {"id": "x", "tools": [{"type": "mcp", "server_label": "s", "anything": 1}], "extras": {"new": [1]}},
    ],
    "vector_store": [
        {"name": "S", "files": {"a.md": None, "b.md": {"attributes": {"year": 2025, "new": True}}}},
        {"name": "S", "expires_after": {"anchor": "last_active_at", "days": 7}},
    ],
    "file": [{"bytes": 3, "sha256": "0" * 64}, {"path": "docs/a.md", "name": None, "purpose": None}],
}
BAD: dict[str, list[tuple[dict[str, Any], str]]] = {
    "assistant": [
        ({"name": "A", "tools": [{"type": "odd"}]}, "'odd' is not known; allowed: azure_ai_search"),
        ({"name": "A", "tools": [{"type": "function", "function": {}}]}, "is missing"),
        ({"name": "A", "tools": {}}, "must be a list, and is a mapping"),
        ({"name": "A", "nam": "B"}, "is no key here"),
        ({"name": "A" * 257}, "257 characters, allowed are 256"),
        ({"name": "A", "temperature": "hot"}, "must be a number, and is a text"),
        ({"name": "A", "temperature": -1}, "-1 is too small, the least is 0"),
        ({"name": "A", "metadata": {str(n): "x" for n in range(17)}}, "17 entries, allowed are 16"),
        ({"name": "A", "metadata": {"k" * 65: "x"}}, "65 characters, allowed are 64"),
        ({"name": "A", "response_format": "jsonn"}, "allowed are auto"),
        ({"name": "A", "tool_resources": {"file_serch": {}}}, "did you mean file_search?"),
        ({"id": "", "name": "A"}, "must not be empty"),
    ],
    "vector_store": [
        ({"name": "S", "files": ["a.md"]}, "must be a mapping, and is a list"),
        ({"name": "S", "files": {"a": {"chunking_strategy": {"type": "some"}}}}, "'some' is not known"),
        ({"name": "S", "expires_after": {"anchor": "created_at", "days": 7}}, "'created_at' is not known"),
    ],
    "file": [
        ({"bytes": -1}, "-1 is too small"),
        ({"sha256": "xyz"}, "64 hex digits"),
        ({"size": 3}, "is no key here"),
    ],
}


def validator(kind: str) -> Any:
    name = {"assistant": "assistant.json", "vector_store": "vector-store.json", "file": "files.json"}[kind]
    schema = json_schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def as_file(kind: str, value: Any) -> Any:
    return {"a.md": value} if kind == "file" else value


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, rows in GOOD.items() for value in rows])
def test_what_is_right_is_right_for_both(kind: str, value: dict[str, Any]) -> None:
    assert find_mistakes(kind, value) == []
    validator(kind).validate(as_file(kind, value))


@pytest.mark.parametrize(
    ("kind", "value", "words"), [(kind, value, words) for kind, rows in BAD.items() for value, words in rows]
)
def test_what_is_wrong_is_wrong_for_both(kind: str, value: dict[str, Any], words: str) -> None:
    (found,) = find_mistakes(kind, value)
    assert words in found[1]
    assert not validator(kind).is_valid(as_file(kind, value))


def test_every_key_is_known_to_the_editor() -> None:
    from migrate.model import KINDS

    known = json_schemas()["assistant.json"]["else"]["properties"]
    assert set(KINDS["assistant"].fields) <= set(known)


# Objects that no export writes, with the keys of their kind.
NOT_EXPORTED = ("is no key here", "must not be empty")
HELD = [(kind, value) for kind, rows in BAD.items() for value, words in rows if words not in NOT_EXPORTED]


@pytest.mark.parametrize(("kind", "value"), HELD)
def test_an_export_reports_what_it_cannot_check(kind: str, value: dict[str, Any]) -> None:
    fields, types = unchecked_fields(kind, value)
    assert fields or types
    marks = {"unchecked": fields, "unchecked_tools": types}
    assert find_mistakes(kind, {**value, **{name: mark for name, mark in marks.items() if mark}}) == []
