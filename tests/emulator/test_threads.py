"""Threads, messages and runs: recorded answers, write shapes, attachments, order, forbidden calls."""

from __future__ import annotations

import time

import pytest


def test_reading_shows_an_empty_code_interpreter_that_creating_did_not(api):
    created = api.ok("POST", "/threads")
    assert (created["metadata"], created["tool_resources"]) == ({}, {})
    read = api.ok("GET", f"/threads/{created['id']}")
    assert read == {**created, "tool_resources": {"code_interpreter": {"file_ids": []}}}


def test_a_message_as_recorded(api):
    thread = api.thread()
    created = api.ok("POST", f"/threads/{thread}/messages", {"role": "user", "content": "Hi"})
    assert created["id"].startswith("msg_")
    assert created == {
        "id": created["id"],
        "object": "thread.message",
        "created_at": created["created_at"],
        "assistant_id": None,
        "thread_id": thread,
        "run_id": None,
        "role": "user",
        "content": [{"type": "text", "text": {"value": "Hi", "annotations": []}}],
        "attachments": [],
        "metadata": {},
    }
    assert api.ok("GET", f"/threads/{thread}/messages/{created['id']}") == created


def test_all_parts_in_their_read_shape(api):
    file_id = api.file("chart.png")
    parts = [
        {"type": "text", "text": "Look"},
        {"type": "image_file", "image_file": {"file_id": file_id, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    created = api.ok("POST", f"/threads/{api.thread()}/messages", {"role": "assistant", "content": parts})
    assert created["content"] == [
        {"type": "text", "text": {"value": "Look", "annotations": []}},
        {"type": "image_file", "image_file": {"file_id": file_id, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "auto"}},
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"role": "system", "content": "x"},
        {"role": "tool", "content": "x"},
        {"content": "x"},
        {"role": "user"},
        {"role": "user", "content": None},
        {"role": "user", "content": ""},
        {"role": "user", "content": []},
        {"role": "user", "content": ["x"]},
        {"role": "user", "content": [{"type": "text", "text": ""}]},
        {"role": "user", "content": [{"type": "text", "text": {"value": "x", "annotations": []}}]},
        {"role": "user", "content": [{"type": "text", "text": "x", "annotations": []}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": "x", "file_ids": []},
        {"role": "user", "content": "x", "created_at": 1},
        {"role": "user", "content": "x", "attachments": [{"tools": []}]},
        {"role": "user", "content": "x", "attachments": [{"file_id": "f", "tools": [{"type": "function"}]}]},
        {"role": "user", "content": "x", "metadata": {"a": 1}},
    ],
)
def test_refused_messages(api, body):
    thread = api.thread()
    api.refused("POST", f"/threads/{thread}/messages", body)
    api.refused("POST", "/threads", {"messages": [body]})
    assert api.emulator.estate.counts()["message"] == 0


@pytest.mark.parametrize(
    ("service", "most"), [("azure-openai", 256_000), ("openai", 256_000), ("foundry", 1_500_000)]
)
def test_the_longest_text(launch, service, most):
    api = launch(service)
    path = f"/threads/{api.thread()}/messages"
    parts = [{"type": "text", "text": "x" * most}]
    for content in ("x" * most, parts):
        api.ok("POST", path, {"role": "user", "content": content})
    for content in ("x" * (most + 1), [*parts, {"type": "text", "text": "x" * (most + 1)}]):
        assert "too long" in api.refused("POST", path, {"role": "user", "content": content})


def test_the_path_to_an_unknown_key_is_shown(platform):
    body = {"messages": [{"role": "user", "content": "x", "file_ids": ["f"]}]}
    assert platform.refused("POST", "/threads", body) == "Unknown parameter: 'messages[0].file_ids'."


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x", "attachments": [{"file_id": "file-none", "tools": [{"type": "file_search"}]}]},
        {"content": [{"type": "image_file", "image_file": {"file_id": "file-none"}}]},
    ],
)
def test_files_of_a_message_must_exist(api, body):
    thread = api.thread()
    assert api("POST", f"/threads/{thread}/messages", {"role": "user", **body})[0] == 404
    fine = {"role": "user", "content": "first"}
    assert api("POST", "/threads", {"messages": [fine, {"role": "user", **body}]})[0] == 404
    assert list(api.emulator.estate.threads) == [thread]


def test_32_first_messages_and_no_more(api):
    many = [{"role": "user", "content": str(number)} for number in range(33)]
    api.refused("POST", "/threads", {"messages": many})
    thread = api.thread(messages=many[:32])
    listed = api.ok("GET", f"/threads/{thread}/messages", order="asc", limit=100)["data"]
    assert [row["content"][0]["text"]["value"] for row in listed] == [str(number) for number in range(32)]
    newest = api.ok("GET", f"/threads/{thread}/messages", limit=1)["data"]
    assert newest == listed[-1:]


def test_an_attachment_reaches_the_tools_of_the_thread(api):
    files = [api.file(), api.file()]
    tools = [{"type": "code_interpreter"}, {"type": "file_search"}]
    thread = api.thread()
    for file_id in files:
        attached = [{"file_id": file_id, "tools": tools}]
        body = {"role": "user", "content": "x", "attachments": attached}
        assert api.ok("POST", f"/threads/{thread}/messages", body)["attachments"] == attached
    resources = api.ok("GET", f"/threads/{thread}")["tool_resources"]
    assert resources["code_interpreter"]["file_ids"] == files
    (store_id,) = resources["file_search"]["vector_store_ids"]
    store = api.ok("GET", f"/vector_stores/{store_id}")
    assert store["file_counts"]["total"] == 2
    assert store["expires_after"] == {"anchor": "last_active_at", "days": 7}
    assert abs(store["expires_at"] - time.time() - 7 * 86_400) < 60


def test_the_store_helper_of_a_thread_expires(assistants_api):
    api = assistants_api
    search = {"file_search": {"vector_stores": [{"file_ids": []}]}}
    thread = api.ok("GET", f"/threads/{api.thread(tool_resources=search)}")
    (store_id,) = thread["tool_resources"]["file_search"]["vector_store_ids"]
    assert api.ok("GET", f"/vector_stores/{store_id}")["expires_after"]["days"] == 7


def test_updating_a_thread(api):
    thread = api.thread(messages=[{"role": "user", "content": "x"}], metadata={"a": "1", "b": "2"})
    path = f"/threads/{thread}"
    assert api.ok("POST", path, {"metadata": {"a": "3"}})["metadata"] == {"a": "3"}
    assert api.ok("GET", path)["metadata"] == {"a": "3"}
    api.refused("POST", path, {"messages": []})
    api.refused("POST", path, {"tool_resources": {"file_search": {"vector_stores": [{}]}}})


def test_updating_a_message_is_answered_differently(azure, platform):
    for api, extra in ((azure, "file_ids"), (platform, "attachments")):
        thread = api.thread(messages=[{"role": "user", "content": "x"}])
        (message,) = api.ok("GET", f"/threads/{thread}/messages")["data"]
        path = f"/threads/{thread}/messages/{message['id']}"
        answer = api.ok("POST", path, {"metadata": {"k": "v"}})
        assert answer[extra] == []
        assert len(answer.keys() & {"file_ids", "attachments"}) == 1
        assert api.ok("GET", path) == {**message, "metadata": {"k": "v"}}
        api.refused("POST", path, {"content": "y"})


def test_deleting_messages(assistants_api):
    api = assistants_api
    thread = api.thread(messages=[{"role": "user", "content": "x"}])
    (message,) = api.ok("GET", f"/threads/{thread}/messages")["data"]
    answer = api.ok("DELETE", f"/threads/{thread}/messages/{message['id']}")
    assert answer == {"id": message["id"], "object": "thread.message.deleted", "deleted": True}
    assert api.ok("GET", f"/threads/{thread}/messages")["data"] == []


def test_deleting_threads(api):
    thread = api.thread(messages=[{"role": "user", "content": "x"}])
    assert api.ok("DELETE", f"/threads/{thread}")["object"] == "thread.deleted"
    for path in ("", "/messages", "/messages/msg_x", "/runs", "/runs/run_x/steps"):
        status, body = api("GET", f"/threads/{thread}{path}")
        assert (status, body["error"]["message"]) == (404, f"No thread found with id '{thread}'.")


def test_other_things_not_found(api):
    thread = api.thread()
    api.emulator.estate.runs[thread]["run_1"] = {"id": "run_1", "created_at": 1, "status": "completed"}
    for path, noun in (
        ("messages/none", "message"),
        ("runs/none", "run"),
        ("runs/run_1/steps/none", "run step"),
    ):
        status, body = api("GET", f"/threads/{thread}/{path}")
        assert (status, body["error"]["message"]) == (404, f"No {noun} found with id 'none'.")


def test_listing_threads_works_on_azure_only(azure, platform):
    threads = [azure.thread() for _ in range(3)]
    listed = azure.ok("GET", "/threads", order="asc", limit=2)
    assert ([row["id"] for row in listed["data"]], listed["has_more"]) == (threads[:2], True)
    rest = azure.ok("GET", "/threads", order="asc", limit=2, after=listed["last_id"])
    assert [row["id"] for row in rest["data"]] == threads[2:]
    status, body = platform("GET", "/threads")
    assert status == 401
    assert "session key" in body["error"]["message"]


def test_listing_threads_can_fail_in_two_ways(launch):
    assert launch(list_threads="missing")("GET", "/threads")[0] == 404
    stuck = launch(list_threads="ignores-after")
    for _ in range(3):
        stuck.thread()
    first = stuck.ok("GET", "/threads", limit=2)
    assert stuck.ok("GET", "/threads", limit=2, after=first["last_id"]) == first
    assert launch("openai", list_threads="works").ok("GET", "/threads")["data"] == []


def test_runs_are_recorded_as_forbidden(api):
    thread = api.thread()
    paths = [f"/threads/{thread}/runs", "/threads/runs", f"/threads/{thread}/runs/run_1/cancel"]
    for path in paths:
        api.refused("POST", path, {"assistant_id": "asst_x"})
    assert [attempt.split("/threads")[1] for attempt in api.emulator.estate.forbidden_calls] == [
        path.removeprefix("/threads") for path in paths
    ]


def test_a_thread_with_an_active_run_accepts_no_messages(api):
    thread = api.thread()
    run = {
        "id": "run_1",
        "object": "thread.run",
        "created_at": 1,
        "status": "in_progress",
        "thread_id": thread,
    }
    api.emulator.estate.runs[thread]["run_1"] = run
    body = {"role": "user", "content": "x"}
    message = api.refused("POST", f"/threads/{thread}/messages", body)
    assert message == f"Can't add messages to {thread} while a run run_1 is active."
    run["status"] = "completed"
    api.ok("POST", f"/threads/{thread}/messages", body)
