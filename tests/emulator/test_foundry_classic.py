"""Classic agents of a project: how they differ from assistants of the other services."""

from __future__ import annotations

import pytest

from tests.emulator.project import V1

CONNECTION = "/subscriptions/s/resourceGroups/r/providers/p/accounts/a/projects/p/connections/c"
TOOLS = [
    {"type": "bing_grounding", "bing_grounding": {"search_configurations": [{"connection_id": CONNECTION}]}},
    {"type": "bing_custom_search", "bing_custom_search": {"search_configurations": []}},
    {"type": "azure_ai_search"},
    {"type": "openapi", "openapi": {"name": "n", "spec": {}, "auth": {"type": "anonymous"}, "functions": []}},
    {"type": "azure_function", "azure_function": {"function": {"name": "f"}}},
    {"type": "connected_agent", "connected_agent": {"id": "asst_none", "name": "n", "description": "d"}},
    {"type": "deep_research", "deep_research": {"deep_research_model": "m"}},
    {"type": "fabric_dataagent", "fabric_dataagent": {"connections": [{"connection_id": CONNECTION}]}},
    {"type": "sharepoint_grounding", "sharepoint_grounding": {"connections": []}},
    {"type": "browser_automation", "browser_automation": {"connection": {"id": CONNECTION}}},
    {"type": "computer_use_preview", "display_width": 1024, "display_height": 768, "environment": "browser"},
    {"type": "code_interpreter"},
    {"type": "file_search", "file_search": {"max_num_results": 5}},
    {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
]


def test_the_recorded_assistant(classic):
    created = classic.ok("POST", "/assistants", {"model": "gpt-4o"})
    rest = {key: value for key, value in created.items() if key not in ("id", "created_at")}
    assert rest == {
        "object": "assistant",
        "name": None,
        "description": None,
        "model": "gpt-4o",
        "instructions": None,
        "tools": [],
        "top_p": 1.0,
        "temperature": 1.0,
        "tool_resources": {},
        "metadata": {},
        "response_format": "auto",
    }


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool["type"])
def test_tools_are_kept_as_they_are(classic, tool):
    created = classic.ok("POST", "/assistants", {"model": "m", "tools": [tool]})
    assert created["tools"] == [tool]
    assert classic.ok("GET", f"/assistants/{created['id']}")["tools"] == [tool]


def test_mcp_gets_a_default_and_has_its_settings_in_the_resources(classic):
    tool = {"type": "mcp", "server_label": "docs", "server_url": "https://example.com/mcp"}
    resources = {"mcp": [{"server_label": "docs", "headers": {"k": "v"}, "require_approval": "never"}]}
    created = classic.ok("POST", "/assistants", {"model": "m", "tools": [tool], "tool_resources": resources})
    assert created["tools"] == [{**tool, "allowed_tools": None}]
    assert created["tool_resources"] == resources
    named = {**tool, "allowed_tools": ["search"]}
    changed = classic.ok("POST", f"/assistants/{created['id']}", {"tools": [named]})
    assert (changed["tools"], changed["tool_resources"]) == ([named], resources)


def test_indexes_are_in_the_resources(classic):
    index = {"index_connection_id": CONNECTION, "index_name": "i", "query_type": "simple", "top_k": 5}
    resources = {"azure_ai_search": {"indexes": [{**index, "filter": ""}]}}
    created = classic.ok("POST", "/assistants", {"model": "m", "tool_resources": resources})
    assert created["tool_resources"] == resources
    assert classic.thread(tool_resources=resources)


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "bing_grounding_preview", "bing_grounding_preview": {}}]},
        {"tools": [{"type": "bing_grounding"}]},
        {"tools": [{"type": "bing_grounding", "bing_grounding": []}]},
        {"tools": [{"type": "mcp", "server_label": "a"}]},
        {"tools": [{"type": "mcp", "server_label": "a", "server_url": "u", "headers": {}}]},
        {"tools": [{"type": "function", "name": "f", "parameters": {}}]},
        {"tool_resources": {"bing_grounding": {}}},
        {"tool_resources": {"mcp": [{"headers": {}}]}},
        {"tool_resources": {"file_search": {"vector_stores": [{"file_ids": []}]}}},
        {"tool_resources": {"code_interpreter": {"data_sources": []}}},
        {"reasoning_effort": "low"},
        {"unknown": 1},
    ],
)
def test_assistants_that_are_refused(classic, body):
    classic.refused("POST", "/assistants", {"model": "m", **body})
    assert not classic.emulator.estate.assistants


def test_other_services_know_none_of_these_tools(assistants_api):
    message = assistants_api.refused("POST", "/assistants", {"model": "m", "tools": TOOLS[:1]})
    assert message.startswith("Invalid value: 'bing_grounding'")


def test_threads_are_listed_in_pages(classic):
    created = [classic.thread() for _ in range(5)]
    listed, query, more = [], {"limit": 2, "order": "asc"}, True
    while more:
        page = classic.ok("GET", "/threads", **query)
        listed += [row["id"] for row in page["data"]]
        query["after"], more = page["last_id"], page["has_more"]
    assert listed == created
    assert classic.ok("GET", "/threads")["first_id"] == created[-1]


def test_a_thread_shows_more_when_it_is_read(classic):
    created = classic.ok("POST", "/threads", {})
    assert created["tool_resources"] == {}
    assert classic.ok("GET", f"/threads/{created['id']}") == {
        **created,
        "tool_resources": {"code_interpreter": {"file_ids": []}},
    }


def test_messages_have_no_status_and_cannot_be_deleted(classic):
    thread = classic.thread()
    message = classic.ok("POST", f"/threads/{thread}/messages", {"role": "user", "content": "x"})
    assert list(message) == [
        "id",
        "object",
        "created_at",
        "assistant_id",
        "thread_id",
        "run_id",
        "role",
        "content",
        "attachments",
        "metadata",
    ]
    path = f"/threads/{thread}/messages/{message['id']}"
    assert classic("DELETE", path)[0] == 404
    assert classic.ok("POST", path, {"metadata": {"a": "b"}}) == {**message, "metadata": {"a": "b"}}
    assert classic.ok("DELETE", f"/threads/{thread}")["deleted"] is True


# ------------------------------------------------------------------------------------ files and stores


def test_files_are_listed_without_pages(project):
    created = [project.file(f"{number}.txt", at="") for number in range(25)]
    listed = project.ok("GET", "/files")
    assert list(listed) == ["object", "data"]
    assert [row["id"] for row in listed["data"]] == created[::-1]


@pytest.mark.parametrize("name", ["limit", "after", "order", "before"])
def test_files_have_no_pages(project, name):
    status, body = project("GET", "/files", **{name: "1"})
    assert (status, body["error"]["param"]) == (400, name)


def test_files_by_purpose(project):
    expected = project.file(purpose="vision", at="")
    project.file(at="")
    assert [row["id"] for row in project.ok("GET", "/files", purpose="vision")["data"]] == [expected]


@pytest.mark.parametrize("purpose", ["assistants", "vision", "fine-tune", "batch", "evals"])
def test_purposes(project, purpose):
    assert project.file(purpose=purpose, at="").startswith(
        "assistant-" if purpose == "assistants" else "file-"
    )


@pytest.mark.parametrize("purpose", ["assistants_output", "user_data", "x"])
def test_purposes_that_are_refused(project, purpose):
    assert project.upload(purpose=purpose, at="")[0] == 400
    assert not project.emulator.estate.files


def test_an_upload_may_set_the_file_name(project):
    assert project.upload("sent.txt", at="", filename="named.txt")[1]["filename"] == "named.txt"
    status, body = project.upload(at="", expires_after="x")
    assert (status, body["error"]["param"]) == (400, None)
    assert project.upload(filename="named.txt")[0] == 400  # not on the v1 path
    assert len(project.emulator.estate.files) == 1


@pytest.mark.parametrize(("downloads", "allowed"), [(None, False), (False, False), (True, True)])
@pytest.mark.parametrize("at", ["", V1])
def test_uploads_cannot_be_downloaded_and_outputs_can(launch_project, at, downloads, allowed):
    project = launch_project(downloads=downloads)
    upload, output = project.file(at=at), project.file(at=at)
    project.emulator.estate.files[output]["purpose"] = "assistants_output"
    assert project.download(output, at) == (200, b"hello")
    status, body = project.download(upload, at)
    assert status == (200 if allowed else 400)
    assert allowed or b"Not allowed to download files of purpose: assistants" in body


def test_store_files_have_no_attributes_and_no_parsed_content(project):
    file_id = project.file()
    store = project.ok("POST", "/vector_stores", {"name": "s"})["id"]
    path = f"/vector_stores/{store}/files"
    status, body = project("POST", path, {"file_id": file_id, "attributes": {"a": 1}})
    assert (status, body["error"]["param"]) == (400, "attributes")
    batch = {"file_ids": [file_id], "attributes": {"a": 1}}
    assert project("POST", f"/vector_stores/{store}/file_batches", batch)[0] == 400
    assert "attributes" not in project.ok("POST", path, {"file_id": file_id})
    assert project("POST", f"{path}/{file_id}", {"attributes": {}})[0] == 404
    assert project("GET", f"{path}/{file_id}/content")[0] == 404
    assert project("POST", f"/vector_stores/{store}/search", {"query": "x"})[0] == 404


def test_the_recorded_error_for_a_deleted_file(project):
    file_id = project.file(at="")
    project.ok("DELETE", f"/files/{file_id}")
    assert project("DELETE", f"/files/{file_id}") == (
        404,
        {
            "error": {
                "message": f"No such File object: {file_id}",
                "type": "invalid_request_error",
                "param": "id",
                "code": None,
            }
        },
    )


def test_lists_may_have_only_required_keys(launch_project):
    project = launch_project(minimal_lists=True)
    assert project.ok("GET", "/threads") == {"data": [], "last_id": None, "has_more": False}
    assert project.ok("GET", "/files") == {"object": "list", "data": []}
    created = project.ok("POST", "/assistants", {"model": "m"})
    assert project.ok("GET", "/assistants") == {
        "data": [created],
        "last_id": created["id"],
        "has_more": False,
    }
    assert project.ok("GET", f"{V1}/vector_stores")["object"] == "list"
    assert project.ok("GET", f"{V1}/files").keys() == {"object", "data", "first_id", "last_id", "has_more"}
