"""Pairs of spellings with the same meaning for a service, which count as equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrate.model import JSON, Entity
from migrate.model.normalize import DEFAULT_CHUNKINGS, normalize_entity

LONG_ID = "/subscriptions/s/resourceGroups/g/providers/p/accounts/a/projects/p/connections/search"


@dataclass(frozen=True)
class Pair:
    """Two values of one field; None stands for an absent one."""

    kind: str
    field: str
    title: str
    left: JSON
    right: JSON

    @property
    def is_equal(self) -> bool:
        """Whether a comparison takes both for the same."""
        return self._compared(self.left) == self._compared(self.right)

    def _compared(self, value: JSON) -> dict[str, Any]:
        return normalize_entity(Entity(self.kind, "", fields={} if value is None else {self.field: value}))


def _tools(title: str, left: JSON, right: JSON) -> Pair:
    return Pair("assistant", "tools", title, [left], [right])


def _function(**more: JSON) -> JSON:
    return {"type": "function", "function": {"name": "weigh", **more}}


def _search(ranker: str) -> JSON:
    return {"type": "file_search", "file_search": {"ranking_options": {"ranker": ranker}}}


def _indexes(connection: str) -> JSON:
    return {"azure_ai_search": {"indexes": [{"index_connection_id": connection}]}}


SCREEN = {"display_width": 800}
API = {"name": "shop"}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"description": None}}}
TEXT = {"type": "text", "text": {"value": "x"}}
IMAGE = {"type": "image_file", "image_file": {"file_id": "f"}}

EQUAL = (
    Pair("assistant", "metadata", "an empty field and an absent one", {}, None),
    Pair("assistant", "metadata", "keys of this program, or none", {"migrated_from": "openai:a"}, None),
    Pair("assistant", "name", "an empty text and none", "", None),
    Pair("assistant", "description", "an empty text and none", "", None),
    Pair("assistant", "instructions", "empty instructions and none", "", None),
    Pair("assistant", "temperature", "1, 1.0 and absent", 1.0, None),
    Pair("assistant", "top_p", "1, 1.0 and absent", 1, None),
    Pair("assistant", "response_format", "`auto` and absent", "auto", None),
    Pair(
        "assistant", "response_format", "a null beside a schema and none; the schema itself counts exactly",
        {**SCHEMA, "json_schema": {**SCHEMA["json_schema"], "strict": None}}, SCHEMA,  # type: ignore[dict-item]
    ),
    Pair("run", "tool_choice", "`auto` and absent", "auto", None),
    Pair("assistant", "definition", "empty branches and none", {"text": {}}, None),
    _tools("`strict: false` of a function and absent", _function(strict=False), _function()),
    _tools("empty parameters of a function and absent", _function(parameters={}), _function()),
    _tools("an empty description of a function and absent", _function(description=""), _function()),
    _tools("both names of the default ranker, `auto` and absent",
           _search("default_2024_08_21"), {"type": "file_search"}),
    _tools("the options of a computer, nested and flat",
           {"type": "computer_use_preview", "computer_use_preview": SCREEN},
           {"type": "computer_use_preview", **SCREEN}),
    _tools("`functions` of `openapi`, which the service adds, and none",
           {"type": "openapi", "openapi": {**API, "functions": []}}, {"type": "openapi", "openapi": API}),
    Pair("assistant", "tools", "tools in another order",
         [{"type": "a"}, {"type": "b"}], [{"type": "b"}, {"type": "a"}]),
    Pair("assistant", "tool_resources", "empty branches and none", {"file_search": {"ids": []}}, None),
    Pair("thread", "tool_resources", "ids in another order",
         {"code_interpreter": {"file_ids": ["a", "b"]}}, {"code_interpreter": {"file_ids": ["b", "a"]}}),
    Pair("assistant", "tool_resources", "a connection by its short name and by its whole id",
         _indexes("search"), _indexes(LONG_ID)),
    Pair("message", "attachments", "attachments in another order",
         [{"file_id": "a"}, {"file_id": "b"}], [{"file_id": "b"}, {"file_id": "a"}]),
    Pair("message", "content", "no annotations and an empty list of them",
         [TEXT], [{"type": "text", "text": {"value": "x", "annotations": []}}]),
    Pair("message", "content", "`detail: auto` of an image and absent",
         [IMAGE], [{"type": "image_file", "image_file": {"file_id": "f", "detail": "auto"}}]),
    Pair("vector_store_file", "chunking_strategy", "800 tokens with 400 overlapping, `auto` and absent",
         *DEFAULT_CHUNKINGS),
    Pair("file", "filename", "the escapes of form encoding and what they mean", 'a"b', "a%22b"),
)  # fmt: skip
