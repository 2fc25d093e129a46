"""Bodies of requests: only keys that a service accepts, in the form that every API description has."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.codecs.assistants import UPDATABLE_FIELDS, WRITTEN_FIELDS, encode_create, encode_update
from migrate.model import KINDS, Entity
from migrate.model.references import references_of, remap_references
from tests.codecs.adaptation import assistant, message, text

IMAGE = {"type": "image_file", "image_file": {"file_id": "file-i"}}


def thread(**fields: Any) -> Entity:
    return Entity("thread", "thread_1", fields=fields)


def row(**fields: Any) -> Entity:
    return Entity("vector_store_file", "file-a", "vs_1", {"file_id": "file-a", **fields})


def test_a_lone_text_is_written_as_a_string() -> None:
    assert encode_create(message(text(" Hi \n")))["content"] == " Hi \n"


def test_several_parts_are_written_as_an_array() -> None:
    wire = encode_create(message(text("a"), IMAGE, text("b")))
    assert wire["content"] == [{"type": "text", "text": "a"}, IMAGE, {"type": "text", "text": "b"}]


def test_a_lone_image_is_written_as_an_array() -> None:
    assert encode_create(message(IMAGE))["content"] == [IMAGE]


def test_a_message_without_attachments_does_not_name_them() -> None:
    assert encode_create(message(text("a"), metadata={})) == {"role": "user", "content": "a"}


def test_chunking_other_is_never_written() -> None:
    assert encode_create(row(chunking_strategy={"type": "other"})) == {"file_id": "file-a"}


@pytest.mark.parametrize("chunking", [{"type": "auto"}, {"type": "static", "static": {"max": 1}}])
def test_chunking_that_can_be_asked_for_is_written(chunking: dict[str, Any]) -> None:
    assert encode_create(row(chunking_strategy=chunking))["chunking_strategy"] == chunking


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"code_interpreter": {"file_ids": []}}, None),
        ({"code_interpreter": {"file_ids": []}, "file_search": {}}, None),
        (
            {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": ["vs_1"]}},
            {"file_search": {"vector_store_ids": ["vs_1"]}},
        ),
    ],
)
def test_empty_branches_of_resources_are_not_written(given: Any, written: Any) -> None:
    assert encode_create(thread(tool_resources=given)).get("tool_resources") == written


def test_nothing_absent_or_empty_is_written() -> None:
    assert encode_create(thread(metadata={}, tool_resources=None)) == {}


@pytest.mark.parametrize(("field", "value"), [("temperature", 0.0), ("top_p", 0), ("description", "")])
def test_a_value_that_only_looks_empty_is_written(field: str, value: Any) -> None:
    assert encode_create(assistant(**{field: value}))[field] == value


@pytest.mark.parametrize("kind", WRITTEN_FIELDS)
def test_facts_and_unknown_keys_are_never_written(kind: str) -> None:
    facts = dict.fromkeys(KINDS[kind].facts, "x")
    entity = Entity(kind, "x", "p", {"content": [text("a")]} if kind == "message" else {}, facts, {"new": 1})
    assert encode_create(entity).keys() <= {"content"}


@pytest.mark.parametrize("kind", WRITTEN_FIELDS)
def test_only_fields_of_the_kind_are_written(kind: str) -> None:
    assert set(UPDATABLE_FIELDS[kind]) <= set(WRITTEN_FIELDS[kind]) <= set(KINDS[kind].fields)


def test_every_kind_that_is_made_by_json_has_a_write_form() -> None:
    assert set(WRITTEN_FIELDS) == {name for name, kind in KINDS.items() if kind.replayed and name != "file"}


@pytest.mark.parametrize(
    ("field", "empty"),
    [
        ("name", ""),
        ("description", ""),
        ("instructions", ""),
        ("tools", []),
        ("metadata", {}),
        ("temperature", 1.0),
        ("top_p", 1.0),
        ("response_format", "auto"),
        ("tool_resources", {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}),
    ],
)
def test_an_update_writes_an_empty_field_explicitly(field: str, empty: Any) -> None:
    bare = Entity("assistant", "asst_1")
    assert encode_update(bare, frozenset({field})) == {field: empty}


def test_an_update_empties_the_branch_that_is_gone() -> None:
    held = {"file_search": {"vector_store_ids": ["vs_1"]}}
    assert encode_update(thread(tool_resources=held), frozenset({"tool_resources"})) == {
        "tool_resources": {"code_interpreter": {"file_ids": []}, **held}
    }


def test_an_update_names_nothing_but_the_fields_asked_for() -> None:
    assert encode_update(assistant(instructions="x"), frozenset({"instructions"})) == {"instructions": "x"}


def test_an_update_leaves_out_what_cannot_be_changed() -> None:
    changed = frozenset({"role", "content", "attachments", "metadata"})
    assert encode_update(message(text("a"), metadata={"k": "v"}), changed) == {"metadata": {"k": "v"}}
    assert encode_update(row(attributes={}), frozenset({"file_id", "attributes"})) == {"attributes": {}}


SCHEMA = {
    "type": "object",
    "properties": {
        "file_id": {"type": "string", "enum": ["file-a"], "default": "file-a"},
        "vector_store_ids": {"type": "array", "default": ["vs_1"]},
        "id": {"const": "asst_1"},
    },
    "file_ids": ["file-a"],
    "tool_resources": {"code_interpreter": {"file_ids": ["file-a"]}},
    "connected_agent": {"id": "asst_1"},
}


def test_a_schema_that_speaks_of_ids_is_never_touched() -> None:
    function = {
        "type": "function",
        "function": {"name": "f", "description": "see file-a", "parameters": SCHEMA},
    }
    given = assistant(
        instructions="Use file-a of vs_1.",
        metadata={"file_id": "file-a"},
        tools=[function, {"type": "connected_agent", "connected_agent": {"id": "asst_1", "name": "file-a"}}],
        tool_resources={
            "code_interpreter": {"file_ids": ["file-a"]},
            "file_search": {"vector_store_ids": ["vs_1"]},
        },
    )
    moved = remap_references(given, lambda kind, old: f"new-{old}")
    assert moved.fields["tools"][0] == function
    assert moved.fields["tools"][1]["connected_agent"] == {"id": "new-asst_1", "name": "file-a"}
    assert moved.fields["tool_resources"] == {
        "code_interpreter": {"file_ids": ["new-file-a"]},
        "file_search": {"vector_store_ids": ["new-vs_1"]},
    }
    assert (moved.fields["instructions"], moved.fields["metadata"]) == (
        "Use file-a of vs_1.",
        {"file_id": "file-a"},
    )
    assert sorted(id_ for _, _, id_ in references_of(given)) == [
        "asst_1",
        "file-a",
        "vs_1",
    ]
