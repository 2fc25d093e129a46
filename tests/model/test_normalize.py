"""Which spellings are equal, and which only look equal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given

from migrate.model import STAMP, Entity
from migrate.model.normalize import json_digest, normalize_entity
from migrate.model.secrets import SECRET_KEY_NAMES
from tests.strategies import anything, steady

MARK = {"migrated_from": "openai:asst_1"}
# A key of the user, because there is no stamp beside it.
OWN = {"migrated_name": "n"}

ABSENT = object()
EMPTY_CODE: dict[str, Any] = {"code_interpreter": {"file_ids": []}}
EMPTY_BOTH = {**EMPTY_CODE, "file_search": {"vector_store_ids": []}}
STATIC = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
OTHER_SIZE = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 401}}
CODE, SEARCH = {"type": "code_interpreter"}, {"type": "file_search"}


def tool(**function: Any) -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": "f", **function}}]


def ranked(**ranking: Any) -> list[dict[str, Any]]:
    return [{"type": "file_search", "file_search": {"ranking_options": ranking}}]


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, **more}}


def image(**more: Any) -> list[dict[str, Any]]:
    return [{"type": "image_file", "image_file": {"file_id": "f", **more}}]


def attached(file_id: str, *tools: Any) -> dict[str, Any]:
    return {"file_id": file_id, "tools": list(tools)}


def held(*file_ids: str) -> dict[str, Any]:
    return {"code_interpreter": {"file_ids": list(file_ids)}}


def rows(*mcp: Any) -> dict[str, Any]:
    return {"mcp": list(mcp)}


def server(**more: Any) -> dict[str, Any]:
    return {"type": "mcp", "server_label": "one", "server_url": "https://x", **more}


def linked(connection: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "sharepoint_grounding",
            "sharepoint_grounding": {"connections": [{"connection_id": connection}]},
        }
    ]


def interface(**inner: Any) -> list[dict[str, Any]]:
    return [{"type": "openapi", "openapi": {"name": "n", "spec": {"paths": {}}, **inner}}]


def indexed(connection: str) -> dict[str, Any]:
    return {"azure_ai_search": {"indexes": [{"index_connection_id": connection, "index_name": "i"}]}}


TWO = attached("b", SEARCH)
LONG = "/subscriptions/s/accounts/a/projects/p/connections/papers"
ONE_ROW = {"server_label": "one", "require_approval": "never"}
TWO_ROW = {"server_label": "two", "headers": {"k": "v"}}
SCREEN = {"display_width": 9, "environment": "browser"}
COMPUTER = "computer_use_preview"
ANONYMOUS = {"auth": {"type": "anonymous"}}
EMPTY_SCHEME = {"auth": {"type": "anonymous", "security_scheme": {}}}


def compared(kind: str, field: str, value: Any) -> dict[str, Any]:
    return normalize_entity(Entity(kind, "x", fields={} if value is ABSENT else {field: value}))


SAME = [
    *[("assistant", name, None, ABSENT) for name in ("name", "description", "instructions", "tools")],
    ("assistant", "name", "", None),
    ("assistant", "description", "", ABSENT),
    ("assistant", "instructions", "", None),
    ("assistant", "tools", [], ABSENT),
    ("assistant", "metadata", {}, ABSENT),
    ("assistant", "metadata", None, {}),
    ("assistant", "metadata", {STAMP: "openai:asst_1"}, {}),
    ("assistant", "metadata", {"a": "1", "b": "2"}, {"b": "2", "a": "1", STAMP: "openai:asst_1"}),
    ("thread", "tool_resources", {}, ABSENT),
    ("thread", "tool_resources", EMPTY_CODE, {}),
    ("thread", "tool_resources", EMPTY_BOTH, None),
    ("thread", "tool_resources", held("a", "b"), {**held("b", "a"), "file_search": {}}),
    ("assistant", "temperature", 1.0, ABSENT),
    ("assistant", "temperature", 1, 1.0),
    ("assistant", "top_p", 1.0, None),
    ("assistant", "temperature", 0, 0.0),
    ("assistant", "response_format", "auto", ABSENT),
    ("run", "tool_choice", "auto", None),
    ("assistant", "tools", [CODE, SEARCH], [SEARCH, CODE]),
    ("assistant", "tools", tool(strict=False), tool()),
    ("assistant", "tools", tool(strict=None, description=""), tool()),
    ("assistant", "tools", tool(parameters={}), tool()),
    ("assistant", "tools", tool(parameters={"type": "object", "properties": {}}), tool()),
    ("assistant", "tools", ranked(ranker="default_2024_08_21", score_threshold=0.0), [SEARCH]),
    ("assistant", "tools", [{"type": "file_search", "file_search": {}}], [SEARCH]),
    ("assistant", "tools", ranked(ranker="default-2024-11-15"), [SEARCH]),
    ("assistant", "tools", [{"type": COMPUTER, COMPUTER: SCREEN}], [{"type": COMPUTER, **SCREEN}]),
    ("assistant", "tools", interface(functions=[{"name": "f"}], description=None), interface()),
    ("assistant", "tools", interface(**EMPTY_SCHEME), interface(**ANONYMOUS)),
    ("assistant", "tools", [server(allowed_tools=None, headers={}, authorization="")], [server()]),
    ("assistant", "tools", [server(headers={"k": "v"})], [server(headers={"k": "v"})]),
    ("assistant", "tools", linked(LONG), linked("papers")),
    ("assistant", "tool_resources", indexed(LONG), indexed("papers")),
    ("assistant", "tool_resources", {"azure_ai_search": {"indexes": []}}, None),
    ("assistant", "tool_resources", rows(), None),
    ("assistant", "tool_resources", rows(ONE_ROW, TWO_ROW), rows(TWO_ROW, ONE_ROW)),
    ("assistant", "definition", {"text": {}, "structured_inputs": None}, ABSENT),
    ("assistant", "metadata", {**MARK, "migrated_name": "n", "migrated_files_12": "f"}, {}),
    ("thread", "metadata", {**MARK, "migrated_files": "f", "migrated_vector_stores_2": "v"}, None),
    ("thread", "metadata", {"assistants_migrate_from": "openai:a", "migrated_name": "n"}, OWN),
    ("message", "attachments", [], ABSENT),
    ("message", "attachments", [attached("a", CODE), TWO], [TWO, attached("a", CODE)]),
    ("message", "attachments", [attached("a", CODE, SEARCH)], [attached("a", SEARCH, CODE)]),
    ("message", "attachments", [attached("a")], [{"file_id": "a"}]),
    ("message", "content", [text("x", annotations=[])], [text("x")]),
    ("message", "content", image(detail="auto"), image()),
    ("vector_store_file", "chunking_strategy", STATIC, ABSENT),
    ("vector_store_file", "chunking_strategy", {"type": "auto"}, STATIC),
    ("vector_store_file", "attributes", {}, None),
    ("file", "filename", "a%22b.txt", 'a"b.txt'),
]  # fmt: skip

DIFFERENT = [
    ("message", "content", [text("x")], [text("x ")]),
    ("message", "content", [text("x")], [text("x\n")]),
    ("message", "content", [text("\u00e9")], [text("e\u0301")]),
    ("message", "content", [text("")], ABSENT),
    ("message", "content", [text("a"), text("b")], [text("b"), text("a")]),
    ("message", "content", [text("ab")], [text("a"), text("b")]),
    ("message", "content", image(detail="low"), image()),
    ("message", "content", [text("x", annotations=[{"text": "c"}])], [text("x")]),
    ("message", "role", "user", "assistant"),
    ("message", "attachments", [attached("a", CODE)], [attached("a", SEARCH)]),
    ("message", "attachments", [attached("a", CODE)], [attached("a", CODE), attached("a", CODE)]),
    ("assistant", "metadata", {"a": "1"}, {"a": "1 "}),
    ("assistant", "metadata", {"a": ""}, {}),
    ("assistant", "metadata", {"a": "1"}, {"A": "1"}),
    ("assistant", "tools", tool(strict=True), tool()),
    ("assistant", "tools", tool(parameters={"type": "object"}), tool()),
    ("assistant", "tools", [CODE], [CODE, SEARCH]),
    ("assistant", "tools", ranked(score_threshold=0.5), [SEARCH]),
    ("assistant", "tools", ranked(ranker="none"), [SEARCH]),
    ("assistant", "tools", tool(parameters={"required": ["a", "b"]}), tool(parameters={"required": ["b"]})),
    ("assistant", "tools", [{"type": COMPUTER, COMPUTER: SCREEN}], [{"type": COMPUTER, COMPUTER: {}}]),
    ("assistant", "tools", interface(spec={"paths": {"/x": None}}), interface()),
    ("assistant", "tools", tool(parameters={"default": None}), tool(parameters={"default": 0})),
    ("assistant", "tools", tool(parameters={"default": None}), tool(parameters={"x": {}})),
    ("assistant", "tools", [server(headers={"k": "v"})], [server(headers={"k": "w"})]),
    ("assistant", "tools", [server(headers={"k": "v"})], [server()]),
    ("assistant", "tools", [server(authorization="v")], [server(authorization="w")]),
    ("assistant", "tools", [server(allowed_tools=[])], [server(allowed_tools=["a"])]),
    ("assistant", "tools", linked(LONG), linked("paper")),
    ("assistant", "tool_resources", indexed(LONG), indexed("seeds")),
    ("assistant", "tool_resources", rows(ONE_ROW), rows({**ONE_ROW, "require_approval": "always"})),
    ("assistant", "tool_resources", rows(TWO_ROW), rows({**TWO_ROW, "headers": {"k": "w"}})),
    (
        "assistant",
        "definition",
        {"rai_config": {"rai_policy_name": "a"}},
        {"rai_config": {"rai_policy_name": "b"}},
    ),
    ("assistant", "definition", {"tool_choice": "required"}, ABSENT),
    ("assistant", "metadata", {"migrated_name": "n", "migrated_files_12": "f"}, {}),
    ("assistant", "metadata", {"migrated_from": "crm:7"}, {}),
    ("thread", "metadata", {**MARK, "migrated_files": "see the share"}, {}),
    ("assistant", "metadata", {"migrated_name_by": "n"}, {}),
    ("thread", "metadata", {"migrated_files_note": "n"}, {}),
    ("thread", "metadata", {"migrated_vector_stores2": "n"}, {}),
    ("assistant", "temperature", 0.0, ABSENT),
    ("assistant", "temperature", 0, 1),
    ("assistant", "top_p", 0.0, None),
    ("assistant", "response_format", {"type": "text"}, "auto"),
    ("assistant", "instructions", " ", ABSENT),
    ("assistant", "name", "a", "A"),
    ("thread", "tool_resources", {"code_interpreter": {"file_ids": ["a"]}}, EMPTY_CODE),
    ("vector_store_file", "chunking_strategy", OTHER_SIZE, STATIC),
    ("vector_store_file", "chunking_strategy", {"type": "other"}, ABSENT),
    ("vector_store_file", "attributes", {"a": False}, {}),
    ("vector_store_file", "attributes", {"a": 1}, {"a": "1"}),
    ("vector_store_file", "attributes", {"a": None}, {}),
    ("run", "parallel_tool_calls", False, ABSENT),
    ("file", "filename", "a b.txt", "a_b.txt"),
    ("file", "bytes", 0, ABSENT),
]


@pytest.mark.parametrize(("kind", "field", "left", "right"), SAME)
def test_spellings_of_one_thing_compare_equal(kind: str, field: str, left: Any, right: Any) -> None:
    assert compared(kind, field, left) == compared(kind, field, right)


@pytest.mark.parametrize(("kind", "field", "left", "right"), DIFFERENT)
def test_different_things_compare_unequal(kind: str, field: str, left: Any, right: Any) -> None:
    assert compared(kind, field, left) != compared(kind, field, right)
    assert json_digest(compared(kind, field, left)) != json_digest(compared(kind, field, right))


def test_facts_are_not_compared_and_unknown_keys_are() -> None:
    plain = Entity("thread", "x", fields={}, facts={"created_at": 1})
    assert normalize_entity(plain) == {}
    assert normalize_entity(Entity("thread", "x", extras={"colour": "red", "none": None})) == {
        "colour": "red"
    }


def test_a_secret_is_never_in_the_compared_form() -> None:
    tools = [server(headers={"Authorization": "Bearer 5f2b"}, authorization="Bearer 5f2b")]
    held = rows({"server_label": "one", "headers": {"Authorization": "Bearer 5f2b"}})
    shown = repr(normalize_entity(Entity("assistant", "x", fields={"tools": tools, "tool_resources": held})))
    assert "5f2b" not in shown
    assert shown.count("(secret ") == 3
    assert "Authorization" in shown


@pytest.mark.parametrize("key", sorted({*SECRET_KEY_NAMES, "API_Key", "Token"}))
def test_a_secret_is_recognized_by_its_key_anywhere_in_a_tool(key: str) -> None:
    tools = [server(**{key: "Bearer 5f2b"}), server(inner=[{"deeper": {key: ["Bearer 5f2b"]}}])]
    shown = repr(
        normalize_entity(Entity("assistant", "x", fields={"tools": tools}, extras={key: "Bearer 5f2b"}))
    )
    assert "5f2b" not in shown
    assert shown.count("(secret ") == 3


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert json_digest({"a": 1, "b": [1, 2]}) == json_digest({"b": [1, 2], "a": 1})
    assert json_digest({"a": [1, 2]}) != json_digest({"a": [2, 1]})
    assert len(json_digest(None)) == 32


@steady
@given(entity=anything)
def test_the_compared_form_is_its_own_compared_form(entity: Entity) -> None:
    once = normalize_entity(entity)
    assume("(secret " not in repr(once))  # a fingerprint would get a fingerprint
    assert normalize_entity(Entity(entity.kind, entity.id, entity.parent, once)) == once


@steady
@given(entity=anything)
def test_comparing_leaves_the_object_alone(entity: Entity) -> None:
    before = repr((entity.fields, entity.extras))
    normalize_entity(entity)
    assert repr((entity.fields, entity.extras)) == before
