"""2024-02-15-preview: the same estate in the shapes of the API before vector stores."""

from __future__ import annotations

import pytest

OLD = "2024-02-15-preview"


@pytest.fixture
def old(launch):
    return launch(version=OLD)


def test_an_assistant_is_shown_without_resources(launch, old):
    body = {"model": "m", "tools": [{"type": "retrieval"}, {"type": "code_interpreter"}]}
    file_id = old.file()
    created = old.ok("POST", "/assistants", {**body, "file_ids": [file_id]})
    assert (created["tools"], created["file_ids"]) == (body["tools"], [file_id])
    assert created.keys().isdisjoint({"tool_resources", "temperature", "top_p", "response_format"})
    kept = old.emulator.estate.assistants[created["id"]]
    assert kept["tools"] == [{"type": "file_search"}, {"type": "code_interpreter"}]
    assert kept["tool_resources"] == {"code_interpreter": {"file_ids": [file_id]}}
    assert old.ok("GET", "/assistants")["data"] == [created]


def test_the_new_tool_is_unknown(old):
    message = old.refused("POST", "/assistants", {"model": "m", "tools": [{"type": "file_search"}]})
    assert message == (
        "Invalid value: 'file_search'. Supported values are: 'code_interpreter','function','retrieval'"
    )


def test_messages_have_file_ids(old):
    file_id = old.file()
    thread = old.thread(messages=[{"role": "user", "content": "x", "file_ids": [file_id]}])
    assert "tool_resources" not in old.ok("GET", f"/threads/{thread}")
    (message,) = old.ok("GET", f"/threads/{thread}/messages")["data"]
    assert message["file_ids"] == [file_id]
    assert "attachments" not in message
    (kept,) = old.emulator.estate.messages[thread].values()
    assert kept["attachments"] == [{"file_id": file_id, "tools": [{"type": "code_interpreter"}]}]


@pytest.mark.parametrize("body", [{"attachments": []}, {"file_ids": ["f"] * 11}])
def test_keys_that_messages_do_not_have(old, body):
    old.refused("POST", f"/threads/{old.thread()}/messages", {"role": "user", "content": "x", **body})


def test_there_are_no_vector_stores(old):
    assert old("GET", "/vector_stores")[0] == 404
