"""Conversations and items: recorded answers, order, pages, bodies that are accepted and refused."""

from __future__ import annotations

import re

import pytest

from tests.emulator.project import V1

HOME = f"{V1}/conversations"
USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello, world"}]}
ASSISTANT = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "hi there, user", "annotations": []}],
}
CALL = {"type": "function_call", "call_id": "call_abcd1234", "name": "some_function", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_abcd1234", "output": "some_function_output"}
MIXED = [USER, ASSISTANT, CALL, OUTPUT]


def message(role, *parts):
    return {"type": "message", "role": role, "content": list(parts)}


def cited(*citations):
    """An answer with citations."""
    return message("assistant", {"type": "output_text", "text": "x", "annotations": list(citations)})


def without_ids(rows):
    return [{key: value for key, value in row.items() if key not in ("id", "status")} for row in rows]


def test_the_recorded_conversation(project):
    created = project.ok("POST", HOME, {"items": MIXED})
    assert re.fullmatch(r"conv_[0-9a-f]{18}[A-Za-z0-9]{32}", created["id"])
    assert {key: created[key] for key in created if key not in ("id", "created_at")} == {
        "object": "conversation",
        "metadata": {},
    }
    assert project.ok("GET", f"{HOME}/{created['id']}") == created
    assert project.ok("POST", HOME, {}).keys() == created.keys()


def test_the_recorded_items(project):
    conversation = project.ok("POST", HOME, {"items": MIXED})["id"]
    listed = project.ok("GET", f"{HOME}/{conversation}/items", order="asc")
    assert without_ids(listed["data"]) == MIXED
    prefixes = [row["id"].removesuffix(row["id"].split("_")[1]) for row in listed["data"]]
    assert prefixes == ["msg_", "msg_", "fc_", "fco_"]
    assert {row["id"].split("_")[1][:18] for row in listed["data"]} == {conversation[5:23]}
    assert {row["status"] for row in listed["data"]} == {"completed"}
    ids = [row["id"] for row in listed["data"]]
    assert {key: listed[key] for key in listed if key != "data"} == {
        "first_id": ids[0],
        "last_id": ids[-1],
        "has_more": False,
        "object": "list",
    }
    newest_first = project.ok("GET", f"{HOME}/{conversation}/items")
    assert newest_first["data"] == listed["data"][::-1]
    only = project.ok("GET", f"{HOME}/{conversation}/items", item_type="message", order="asc")
    assert without_ids(only["data"]) == [USER, ASSISTANT]


def test_items_are_answered_in_the_order_they_came(project):
    conversation = project.conversation()
    created = project.ok("POST", f"{HOME}/{conversation}/items", {"items": MIXED})
    assert (created["object"], created["has_more"]) == ("list", False)
    assert without_ids(created["data"]) == MIXED
    assert (created["first_id"], created["last_id"]) == (created["data"][0]["id"], created["data"][-1]["id"])
    item = created["data"][0]
    assert project.ok("GET", f"{HOME}/{conversation}/items/{item['id']}") == item


@pytest.mark.parametrize(
    ("role", "part"),
    [
        ("user", {"type": "input_text", "text": "x"}),
        ("system", {"type": "input_text", "text": "x"}),
        ("developer", {"type": "input_text", "text": "x"}),
        ("assistant", {"type": "output_text", "text": "x", "annotations": []}),
    ],
)
def test_plain_text_comes_back_as_a_part(project, role, part):
    body = {"items": [{"type": "message", "role": role, "content": "x"}]}
    (created,) = project.ok("POST", f"{HOME}/{project.conversation()}/items", body)["data"]
    assert created["content"] == [part]


def test_order_is_kept_over_many_batches(project):
    conversation = project.conversation()
    texts = [f"Message {number}" for number in range(45)]
    for start in range(0, 45, 20):
        items = [{**USER, "content": text} for text in texts[start : start + 20]]
        project.ok("POST", f"{HOME}/{conversation}/items", {"items": items})
    read, query = [], {"limit": 7, "order": "asc"}
    while True:
        page = project.ok("GET", f"{HOME}/{conversation}/items", **query)
        read += [row["content"][0]["text"] for row in page["data"]]
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert read == texts
    assert len(project.ok("GET", f"{HOME}/{conversation}/items")["data"]) == 20
    after = {"after": page["last_id"], "order": "asc"}
    assert project.ok("GET", f"{HOME}/{conversation}/items", **after) == {
        "data": [],
        "has_more": False,
        "object": "list",
    }


def test_more_than_twenty_items_get_the_recorded_error(project):
    conversation = project.conversation()
    for path in (HOME, f"{HOME}/{conversation}/items"):
        error = project.refused("POST", path, {"items": [USER] * 21})
        assert (error["message"], error["param"]) == (
            "maxItems: Value should have at most 20 items",
            "/items",
        )
        project.ok("POST", path, {"items": [USER] * 20})
    assert project.emulator.estate.counts()["item"] == 40


# --------------------------------------------------------------------------------- what may be written


@pytest.mark.parametrize(
    "item",
    [
        {key: value for key, value in USER.items() if key != "type"},
        {key: value for key, value in USER.items() if key != "role"},
        {key: value for key, value in USER.items() if key != "content"},
        {**USER, "type": "thread.message"},
        {**USER, "role": "tool"},
        {**USER, "id": "msg_mine"},
        {**USER, "status": "completed"},
        {**USER, "metadata": {}},
        {**USER, "created_at": 1},
        {**USER, "content": ""},
        {**USER, "content": []},
        {**USER, "content": None},
        {**USER, "content": ["x"]},
        message("user", {"type": "input_text", "text": ""}),
        message("user", {"type": "input_text"}),
        message("user", {"type": "input_text", "text": "x", "annotations": []}),
        message("user", {"type": "text", "text": "x"}),
        message("user", {"type": "output_text", "text": "x", "annotations": []}),
        message("user", {"type": "input_image"}),
        message("user", {"type": "input_image", "image_url": "https://a.example/b.png", "file_id": "f"}),
        message("user", {"type": "input_image", "image_url": {"url": "https://a.example/b.png"}}),
        message("user", {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "huge"}),
        message("user", {"type": "input_image", "file_id": "assistant-none"}),
        message("user", {"type": "input_file", "file_id": "assistant-none"}),
        message("user", {"type": "input_file"}),
        message("system", {"type": "input_image", "image_url": "https://a.example/b.png"}),
        message("assistant", {"type": "input_text", "text": "x"}),
        message("assistant", {"type": "output_text", "text": "x"}),
        message("assistant", {"type": "output_text", "text": "", "annotations": []}),
        message(
            "assistant", {"type": "output_text", "text": "x", "annotations": [{"type": "file_citation"}]}
        ),
        cited({"type": "file_citation", "file_id": "assistant-none", "filename": "a.txt", "index": 0}),
        cited({"type": "file_path", "file_id": "assistant-none", "index": 0}),
        cited({"type": "url_citation", "url": "https://a.example", "start_index": 0, "end_index": 1}),
        message("assistant", {"type": "refusal", "refusal": "no"}),
        message("assistant", {"type": "input_image", "image_url": "https://a.example/b.png"}),
        {**CALL, "status": "completed"},
        {"type": "function_call", "call_id": "c", "name": "n"},
        {**OUTPUT, "output": None},
        {"type": "code_interpreter_call", "code": "1", "container_id": "c", "status": "completed"},
        {"type": "reasoning", "summary": []},
        "text",
    ],
    ids=lambda item: str(item)[:70],
)
def test_items_that_are_refused(project, item):
    conversation = project.conversation("kept")
    for path in (HOME, f"{HOME}/{conversation}/items"):
        error = project.refused("POST", path, {"items": [USER, item]})
        assert error["param"].startswith("/items/1")
    assert project.emulator.estate.counts()["item"] == project.emulator.estate.counts()["conversation"] == 1


@pytest.mark.parametrize(
    "body", [{"items": []}, {}, {"items": None}, {"items": {}}, {"items": [USER], "metadata": {}}]
)
def test_bodies_of_items_that_are_refused(project, body):
    project.refused("POST", f"{HOME}/{project.conversation()}/items", body)


def test_pictures_and_files(project):
    file_id = project.file("a.png", purpose="vision")
    parts = [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "low"},
        {"type": "input_image", "file_id": file_id, "detail": "auto"},
        {"type": "input_file", "file_id": file_id},
    ]
    conversation = project.ok("POST", HOME, {"items": [message("user", *parts)]})["id"]
    (item,) = project.ok("GET", f"{HOME}/{conversation}/items")["data"]
    assert item["content"] == parts


@pytest.mark.parametrize(
    "item",
    [
        {
            **message("assistant", {"type": "output_text", "text": "x", "annotations": []}),
            "phase": "commentary",
        },
        {**CALL, "namespace": "tools"},
        {**OUTPUT, "output": [{"type": "input_text", "text": "x"}]},
        {
            **OUTPUT,
            "output": [{"type": "input_image", "image_url": "https://a.example/b.png", "detail": "auto"}],
        },
        message("user", {"type": "input_image", "image_url": "data:image/png;base64,AA==", "file_id": None}),
        message(
            "user", {"type": "input_file", "file_data": "data:text/plain;base64,eA==", "filename": "x.txt"}
        ),
        message("system", {"type": "input_text", "text": "x"}),
        message("developer", {"type": "input_text", "text": "x"}),
    ],
    ids=lambda item: str(item)[:90],
)
def test_items_that_the_platform_was_seen_to_accept(project, item):
    created = project.ok("POST", HOME, {"items": [item]})["id"]
    (item_read,) = project.ok("GET", f"{HOME}/{created}/items")["data"]
    assert item.items() <= item_read.items()


@pytest.mark.parametrize("change", [{"index": -1}, {"index": "0"}, {"index": None}, {"quote": "x"}])
def test_citations_are_stored_in_one_form_only(project, change):
    citation = {"type": "file_citation", "file_id": project.file("a.txt"), "filename": "a.txt", "index": 0}
    created = project.ok("POST", HOME, {"items": [cited(citation)]})["id"]
    (item,) = project.ok("GET", f"{HOME}/{created}/items")["data"]
    assert item["content"][0]["annotations"] == [citation]
    error = project.refused("POST", HOME, {"items": [cited({**citation, **change})]})
    assert error["param"].startswith("/items/0/content/0/annotations/0")


def test_a_file_in_an_output_must_exist(project):
    part = {"type": "input_file", "file_id": "assistant-none"}
    error = project.refused("POST", HOME, {"items": [{**OUTPUT, "output": [part]}]})
    assert error["param"] == "/items/0/output/0/file_id"


def test_a_call_without_its_output_is_accepted(project):
    assert project.ok("POST", HOME, {"items": [OUTPUT]})


# ---------------------------------------------------------------------------- the conversation itself


def test_metadata_is_replaced(project):
    created = project.ok("POST", HOME, {"metadata": {"a": "1", "b": "2"}})
    path = f"{HOME}/{created['id']}"
    assert project.ok("POST", path, {"metadata": {"c": "3 "}}) == {**created, "metadata": {"c": "3 "}}
    assert project.ok("GET", path)["metadata"] == {"c": "3 "}


@pytest.mark.parametrize(
    "metadata",
    [{"a": 1}, {"k" * 65: "v"}, {"a": "v" * 513}, dict.fromkeys("abcdefghijklmnopq", "v"), [], "x"],
)
def test_metadata_that_is_refused(project, metadata):
    project.refused("POST", HOME, {"metadata": metadata})
    conversation = project.conversation()
    error = project.refused("POST", f"{HOME}/{conversation}", {"metadata": metadata})
    assert error["param"].startswith("/metadata")
    for body in ({}, {"metadata": {}, "items": []}):
        project.refused("POST", f"{HOME}/{conversation}", body)


@pytest.mark.parametrize("key", ["id", "created_at", "tool_resources", "messages"])
def test_keys_that_cannot_be_set(project, key):
    assert project.refused("POST", HOME, {key: None})["param"] == f"/{key}"


def test_listing_newest_first(project):
    assert project.ok("GET", HOME) == {"data": [], "has_more": False, "object": "list"}
    created = [project.conversation() for _ in range(21)]
    listed = project.ok("GET", HOME)
    assert [row["id"] for row in listed["data"]] == created[:0:-1]
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == (created[-1], created[1], True)
    assert listed["data"][0].keys() == {"id", "object", "created_at", "metadata"}
    rest = project.ok("GET", HOME, after=listed["last_id"])
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == (created[:1], False)
    assert len(project.ok("GET", HOME, limit=100, order="asc")["data"]) == 21
    for limit in (0, 101, "x"):
        project.refused("GET", HOME, limit=limit)


def error_of(answer):
    status, body = answer
    error = body["error"]
    assert list(error) == ["code", "message", "type", "details", "additionalInfo"]
    return status, error["code"], error["type"], error["message"]


def test_deleting_with_the_recorded_answers(project):
    conversation = project.conversation("a", "b")
    path = f"{HOME}/{conversation}"
    first, second = (row["id"] for row in project.ok("GET", f"{path}/items", order="asc")["data"])
    whole = project.ok("GET", path)
    assert project.ok("DELETE", f"{path}/items/{first}") == whole
    assert [row["id"] for row in project.ok("GET", f"{path}/items")["data"]] == [second]
    for method in ("GET", "DELETE"):
        assert error_of(project(method, f"{path}/items/{first}"))[:3] == (404, "not_found", "error")
    assert project.ok("DELETE", path) == {
        "object": "conversation.deleted",
        "deleted": True,
        "id": conversation,
    }
    gone = (404, "not_found", "error", f"Conversation '{conversation}' not found")
    for method, where in (("GET", ""), ("DELETE", ""), ("GET", "/items"), ("GET", f"/items/{second}")):
        assert error_of(project(method, path + where)) == gone
    assert error_of(project("POST", f"{path}/items", {"items": [USER]})) == gone
    assert error_of(project("POST", path, {"metadata": {}})) == gone
    # According to the documentation, items are not deleted with their conversation.
    assert second in project.emulator.estate.items[conversation]
