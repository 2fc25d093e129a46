"""A body of an unexpected shape is still read, compared, and adapted or reported: it raises no error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrate.codecs.adapt import adapt
from migrate.codecs.assistants import decode_assistants_object, encode_create
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.references import references_of, remap_references
from tests.codecs.adaptation import AZURE, reported

ODD = [
    ("assistant", "tools", 7),
    ("assistant", "tools", [{"type": ["list"]}]),
    ("assistant", "tools", [{"type": "function", "function": "f"}]),
    ("assistant", "tools", [{"type": "file_search", "file_search": [1]}]),
    ("assistant", "tools", [{"type": "file_search", "file_search": {"ranking_options": "auto"}}]),
    ("assistant", "metadata", ["k", "v"]),
    ("assistant", "tool_resources", ["file-a"]),
    ("assistant", "tool_resources", {"code_interpreter": {"file_ids": 7}}),
    ("thread", "tool_resources", {"file_search": {"vector_store_ids": [{"id": "vs_1"}]}}),
    ("message", "content", 7),
    ("message", "content", [None, 7, ["x"]]),
    ("message", "content", [{"type": "text", "text": 5}]),
    ("message", "content", [{"type": "text", "text": {"value": "x", "annotations": 5}}]),
    ("message", "content", [{"type": "image_file", "image_file": "file-a"}]),
    ("message", "attachments", 7),
    ("message", "attachments", [None, "file-a"]),
    ("message", "attachments", [{"file_id": "file-a", "tools": ["file_search"]}]),
    ("vector_store", "expires_after", "7 days"),
    ("vector_store_file", "attributes", ["a"]),
    ("vector_store_file", "chunking_strategy", "auto"),
]
each_shape = pytest.mark.parametrize(("kind", "field", "value"), ODD)


@each_shape
def test_it_is_read_and_compared(kind: str, field: str, value: Any) -> None:
    for entity in decode_assistants_object(kind, {"id": "x", field: value}):
        assert json_digest(normalize_entity(entity))
        list(references_of(entity))
        remap_references(entity, lambda _, old: old)


@each_shape
def test_it_is_fitted_or_reported(kind: str, field: str, value: Any) -> None:
    entity = decode_assistants_object(kind, {"id": "x", field: value})[0]
    fitted, losses = adapt(entity, AZURE)
    json.dumps(encode_create(fitted))
    if normalize_entity(fitted).get(field) != normalize_entity(entity).get(field):
        assert field in {name.split(".")[0] for name, _ in reported(losses)}
