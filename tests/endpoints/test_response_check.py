"""Answers are checked: rows have the requested kind and parent, an object has the requested id."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.endpoints.http.response_check import OBJECT_NAMES, check_object, check_rows
from migrate.errors import RequestFailed
from tests.endpoints.connected_service import TYPES, connected
from tests.endpoints.scripted_server import RecordedRequest, Reply

Body = dict[str, Any]

OWN: dict[str, Body] = {
    "message": {"object": "thread.message", "thread_id": "parent"},
    "run": {"object": "thread.run", "thread_id": "parent"},
    "run_step": {"object": "thread.run.step", "thread_id": "parent", "run_id": "run"},
    "vector_store_file": {"object": "vector_store.file", "vector_store_id": "parent"},
}


@pytest.mark.parametrize("kind", OBJECT_NAMES)
@pytest.mark.parametrize("other", OBJECT_NAMES)
def test_a_row_of_another_kind_is_a_failed_request(kind: str, other: str) -> None:
    for name in OBJECT_NAMES[other]:
        rows = [{"id": "a"}, {"id": "b", "object": name}]
        if kind == other:
            check_rows("/things", kind, rows)
            continue
        with pytest.raises(RequestFailed, match="another kind"):
            check_rows("/things", kind, rows)
        with pytest.raises(RequestFailed, match="another kind"):
            check_object("/things/b", kind, rows[1], "b")


@pytest.mark.parametrize("kind", OWN)
def test_a_row_of_another_parent_is_a_failed_request(kind: str) -> None:
    own = {"id": "a", **OWN[kind]}
    check_rows("/things", kind, [own], "parent", "run")
    for key in set(own) - {"id", "object"}:
        with pytest.raises(RequestFailed, match=f"{key} is 'another'"):
            check_rows("/things", kind, [{**own, key: "another"}], "parent", "run")


@pytest.mark.parametrize("said", [None, "", 7, {}, [], True])
@pytest.mark.parametrize("key", ["object", "thread_id", "conversation_id", "id"])
def test_a_missing_key_proves_nothing(key: str, said: Any) -> None:
    check_rows("/things", "message", [{"id": "a", key: said}], "parent")
    check_object("/things/a", "message", {"id": "a", key: said}, "a")


@pytest.mark.parametrize("name", ["conversation.item", "response", "agent.version", "new"])
def test_an_unknown_object_name_proves_nothing(name: str) -> None:
    check_rows("/things", "message", [{"id": "a", "object": name}], "parent")


@pytest.mark.parametrize("type_", TYPES)
def test_an_object_of_another_id_is_a_failed_request(type_: str) -> None:
    def answer(asked: RecordedRequest) -> Reply:
        return Reply(body={"id": asked.path.rpartition("/")[2].replace("a", "b")})

    with connected(type_, answer) as (reader, _):
        assert reader.get("vector_store", "vs_1") == {"id": "vs_1"}
        with pytest.raises(RequestFailed, match="whose id is 'vs_b'"):
            reader.get("vector_store", "vs_a")


@pytest.mark.parametrize("type_", TYPES)
def test_rows_of_another_thread_are_read_from_no_listing(type_: str) -> None:
    def answer(asked: RecordedRequest) -> Reply:
        return Reply(body={"data": [{"id": "m1", "thread_id": "other"}], "has_more": False})

    with connected(type_, answer) as (reader, _):
        with pytest.raises(RequestFailed, match="whose thread_id is 'other'"):
            list(reader.pages("message", "thread_1"))
        with pytest.raises(RequestFailed, match="whose thread_id is 'other'"):
            list(reader.newest("message", "thread_1"))


@pytest.mark.parametrize("rows", [10, 20, 50])
def test_the_newest_rows_are_one_request_whatever_their_number(rows: int) -> None:
    page = {"data": [{"id": f"m{n}", "created_at": 99 - n} for n in range(rows)], "has_more": False}
    with connected("openai", lambda _: Reply(body=page)) as (reader, server):
        server.asked.clear()
        assert len(list(reader.newest("message", "thread_1"))) == rows
        assert len(server.asked) == 1
