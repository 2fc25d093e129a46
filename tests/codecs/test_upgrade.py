"""Bodies of the first API version are upgraded to the second one, without losses."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.codecs import DecodeContext, Target, capabilities_for
from migrate.codecs.adapt import adapt
from migrate.codecs.assistants import decode_assistants_object
from migrate.model import Entity
from migrate.model.references import references_of


def assistant(*tools: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "asst_1",
        "object": "assistant",
        "created_at": 7,
        "name": "Old",
        "model": "gpt-4",
        "tools": [{"type": tool} for tool in tools],
        "file_ids": ["file-a", "file-b"],
        **more,
    }


def held(entity: Entity) -> str:
    return repr((entity.fields, entity.facts, entity.extras))


def test_files_of_the_code_tool_become_its_resources() -> None:
    (entity,) = decode_assistants_object("assistant", assistant("code_interpreter"))
    assert entity.fields["tool_resources"] == {"code_interpreter": {"file_ids": ["file-a", "file-b"]}}
    assert entity.fields["tools"] == [{"type": "code_interpreter"}]
    assert not entity.extras


def test_retrieval_becomes_file_search_over_a_store_of_its_own() -> None:
    entity, store, *rows = decode_assistants_object("assistant", assistant("retrieval"))
    assert entity.fields["tools"] == [{"type": "file_search"}]
    assert entity.fields["tool_resources"] == {"file_search": {"vector_store_ids": [store.id]}}
    assert (store.kind, store.derived_from, store.name) == ("vector_store", "asst_1", "Old files")
    assert [(row.kind, row.parent, row.fields["file_id"]) for row in rows] == [
        ("vector_store_file", store.id, "file-a"),
        ("vector_store_file", store.id, "file-b"),
    ]
    assert {row.derived_from for row in rows} == {"asst_1"}


def test_a_nameless_assistant_gives_its_store_its_id() -> None:
    _, store, *_ = decode_assistants_object("assistant", assistant("retrieval", name=None))
    assert store.name == "asst_1 files"


def test_both_tools_reach_the_files() -> None:
    entity, store, *rows = decode_assistants_object("assistant", assistant("code_interpreter", "retrieval"))
    assert entity.fields["tool_resources"] == {
        "code_interpreter": {"file_ids": ["file-a", "file-b"]},
        "file_search": {"vector_store_ids": [store.id]},
    }
    assert len(rows) == 2


def test_retrieval_without_files_derives_nothing() -> None:
    (entity,) = decode_assistants_object("assistant", assistant("retrieval", file_ids=[]))
    assert entity.fields["tools"] == [{"type": "file_search"}]
    assert not entity.extras


def test_files_that_no_tool_uses_are_kept_and_reported_as_lost() -> None:
    (entity,) = decode_assistants_object("assistant", assistant("function"))
    assert entity.extras == {"file_ids": ["file-a", "file-b"]}
    _, losses = adapt(entity, Target(capabilities_for("azure-openai")))
    assert ("file_ids", "lost") in [(loss.field, loss.grade) for loss in losses]


@pytest.mark.parametrize("resources", [{"file_search": {"vector_store_ids": ["vs_1"]}}, {}])
def test_files_that_no_tool_uses_stay_beside_other_resources(resources: dict[str, Any]) -> None:
    (entity,) = decode_assistants_object("assistant", assistant("file_search", tool_resources=resources))
    assert "file-a" in held(entity)


def test_a_file_list_never_replaces_resources_that_are_there() -> None:
    both = assistant("code_interpreter", tool_resources={"code_interpreter": {"file_ids": ["file-c"]}})
    (entity,) = decode_assistants_object("assistant", both)
    assert set(entity.fields["tool_resources"]["code_interpreter"]["file_ids"]) >= {"file-c", "file-a"}


@pytest.mark.parametrize(
    "tools", [("code_interpreter",), ("file_search",), ("code_interpreter", "file_search")]
)
def test_files_of_a_message_become_attachments_for_the_tools_around_it(tools: tuple[str, ...]) -> None:
    body = {"id": "msg_1", "role": "user", "content": [], "file_ids": ["file-a"]}
    (entity,) = decode_assistants_object("message", body, "thread_1", DecodeContext(tools))
    assert entity.fields["attachments"] == [{"file_id": "file-a", "tools": [{"type": t} for t in tools]}]
    assert not entity.extras


def test_files_of_a_message_join_attachments_that_are_there() -> None:
    there = {"file_id": "file-x", "tools": [{"type": "file_search"}]}
    body = {"id": "m", "role": "user", "content": [], "attachments": [there], "file_ids": ["file-a"]}
    (entity,) = decode_assistants_object("message", body)
    assert [one["file_id"] for one in entity.fields["attachments"]] == ["file-x", "file-a"]


def test_files_of_a_run_are_not_dropped() -> None:
    (entity,) = decode_assistants_object(
        "run", {"id": "run_1", "object": "thread.run", "file_ids": ["file-a"]}
    )
    assert "file-a" in held(entity)


@pytest.mark.parametrize("content", ["Hello", [{"type": "text", "text": "Hello"}]])
def test_the_written_form_of_text_is_read_too(content: Any) -> None:
    (entity,) = decode_assistants_object("message", {"id": "m", "role": "user", "content": content})
    assert entity.fields["content"] == [{"type": "text", "text": {"value": "Hello", "annotations": []}}]


def test_a_file_in_a_store_is_named_by_its_own_id() -> None:
    (entity,) = decode_assistants_object(
        "vector_store_file", {"id": "file-a", "vector_store_id": "vs_1"}, "vs_1"
    )
    assert list(references_of(entity)) == [("file_id", "file", "file-a")]


def test_an_unknown_key_is_kept() -> None:
    (entity,) = decode_assistants_object(
        "thread", {"id": "thread_1", "object": "thread", "colour": {"deep": [1]}}
    )
    assert entity.extras == {"colour": {"deep": [1]}}


def test_ids_are_never_judged_by_their_beginning() -> None:
    (entity,) = decode_assistants_object(
        "file", {"id": "assistant-123", "filename": "a", "purpose": "assistants"}
    )
    assert (entity.kind, entity.id) == ("file", "assistant-123")
