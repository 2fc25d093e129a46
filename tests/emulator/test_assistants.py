"""Assistants: recorded answers, defaults, partial updates and every limit of their bodies."""

from __future__ import annotations

import pytest

FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def test_the_recorded_answer_of_azure(azure):
    answer = azure.ok("POST", "/assistants", {"model": "gpt-4o-mini"})
    assert answer["id"].startswith("asst_")
    del answer["id"], answer["created_at"]
    assert answer == {
        "object": "assistant",
        "name": None,
        "description": None,
        "model": "gpt-4o-mini",
        "instructions": None,
        "tools": [],
        "top_p": 1.0,
        "temperature": 1.0,
        "tool_resources": {},
        "metadata": {},
        "response_format": "auto",
    }


def test_openai_knows_reasoning_effort_and_azure_does_not(azure, platform):
    body = {"model": "m", "reasoning_effort": "low"}
    assert platform.ok("POST", "/assistants", body)["reasoning_effort"] == "low"
    assert platform.ok("POST", "/assistants", {"model": "m"})["reasoning_effort"] is None
    assert azure.refused("POST", "/assistants", body) == (
        "Additional properties are not allowed ('reasoning_effort' was unexpected)"
    )


def test_unknown_keys_with_the_error_of_each_service(azure, platform):
    body = {"model": "m", "file_ids": []}
    assert "('file_ids' was unexpected)" in azure.refused("POST", "/assistants", body)
    assert platform.refused("POST", "/assistants", body) == "Unknown parameter: 'file_ids'."


def test_the_code_interpreter_always_lists_its_files(api):
    answer = api.ok("POST", "/assistants", {"model": "m", "tools": [{"type": "code_interpreter"}]})
    assert answer["tool_resources"] == {"code_interpreter": {"file_ids": []}}


def test_a_function_comes_back_as_sent(api):
    assert api.ok("POST", "/assistants", {"model": "m", "tools": [FUNCTION]})["tools"] == [FUNCTION]


def test_zero_stays_zero_and_null_becomes_the_default(api):
    answer = api.ok("POST", "/assistants", {"model": "m", "temperature": 0, "top_p": None, "metadata": None})
    assert (answer["temperature"], answer["top_p"], answer["metadata"]) == (0, 1.0, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", 1),
        ("model", ""),
        ("name", "n" * 257),
        ("description", "d" * 513),
        ("instructions", "i" * 256_001),
        ("temperature", 2.1),
        ("temperature", True),
        ("top_p", -0.1),
        ("response_format", "json"),
        ("response_format", {"type": "xml"}),
        ("tools", [FUNCTION] * 129),
        ("tools", [{"type": "bing"}]),
        ("tools", [{"function": {"name": "f"}}]),
        ("tools", [{"type": "code_interpreter", "extra": 1}]),
        ("tools", [{"type": "function", "function": {"name": "two words"}}]),
        ("tools", [{"type": "function", "function": {"name": "f" * 65}}]),
        ("tools", [{"type": "function", "function": {"description": "nameless"}}]),
        ("metadata", {str(number): "" for number in range(17)}),
        ("metadata", {"k" * 65: ""}),
        ("metadata", {"k": "v" * 513}),
        ("metadata", {"k": 1}),
        ("tool_resources", {"code_interpreter": {"file_ids": ["file"] * 21}}),
        ("tool_resources", {"file_search": {"vector_store_ids": ["a", "b"]}}),
        ("tool_resources", {"file_search": {"vector_stores": [{}, {}]}}),
        ("tool_resources", {"browser": {}}),
    ],
)
def test_limits(api, field, value):
    api.refused("POST", "/assistants", {"model": "m", field: value})
    assert not api.emulator.estate.assistants


def test_the_limits_themselves_are_allowed(api):
    body = {
        "model": "m",
        "name": "n" * 256,
        "description": "d" * 512,
        "instructions": "i" * 256_000,
        "tools": [{**FUNCTION, "function": {"name": "f" * 64}}] * 128,
        "metadata": {f"{number:064}": "v" * 512 for number in range(16)},
    }
    assert api.ok("POST", "/assistants", body)["metadata"] == body["metadata"]


def test_a_model_is_required(api):
    assert api.refused("POST", "/assistants", {}) == "Missing required parameter: 'model'."


def test_retrieval_is_no_tool_of_this_version(api):
    message = api.refused("POST", "/assistants", {"model": "m", "tools": [{"type": "retrieval"}]})
    assert message.startswith("Invalid value: 'retrieval'. Supported values are: 'code_interpreter',")


@pytest.mark.parametrize(
    "resources",
    [
        {"code_interpreter": {"file_ids": ["file-none"]}},
        {"file_search": {"vector_store_ids": ["vs_none"]}},
    ],
)
def test_references_must_exist(api, resources):
    status, body = api("POST", "/assistants", {"model": "m", "tool_resources": resources})
    assert (status, body["error"]["type"]) == (404, "invalid_request_error")
    assert not api.emulator.estate.vector_stores


def test_the_store_helper_creates_one_store(assistants_api):
    api = assistants_api
    unknown = {"file_search": {"vector_stores": [{"file_ids": ["file-none"]}]}}
    assert api("POST", "/assistants", {"model": "m", "tool_resources": unknown})[0] == 404
    assert not api.emulator.estate.vector_stores
    file_id = api.file()
    search = {"vector_stores": [{"file_ids": [file_id], "metadata": {"a": "b"}}]}
    answer = api.ok("POST", "/assistants", {"model": "m", "tool_resources": {"file_search": search}})
    (store_id,) = answer["tool_resources"]["file_search"]["vector_store_ids"]
    store = api.ok("GET", f"/vector_stores/{store_id}")
    assert (store["metadata"], store["file_counts"]["total"], store["expires_at"]) == ({"a": "b"}, 1, None)
    both = {"vector_store_ids": [store_id], **search}
    api.refused("POST", "/assistants", {"model": "m", "tool_resources": {"file_search": both}})


def test_an_update_changes_only_the_fields_in_its_body(api):
    created = api.ok("POST", "/assistants", {"model": "m", "name": "before", "instructions": "keep"})
    path = f"/assistants/{created['id']}"
    changed = api.ok("POST", path, {"name": "after", "metadata": {"a": "b"}})
    assert changed == {**created, "name": "after", "metadata": {"a": "b"}}
    assert api.ok("GET", path) == changed
    assert api.ok("POST", path, {"name": None})["name"] is None


def test_an_update_has_no_store_helper(api):
    path = f"/assistants/{api.ok('POST', '/assistants', {'model': 'm'})['id']}"
    message = api.refused("POST", path, {"tool_resources": {"file_search": {"vector_stores": [{}]}}})
    assert "vector_stores" in message


def test_azure_accepts_shorter_instructions_in_an_update(azure, platform):
    body = {"instructions": "i" * 32_769}
    path = f"/assistants/{azure.ok('POST', '/assistants', {'model': 'm', **body})['id']}"
    assert "32768" in azure.refused("POST", path, body)
    path = f"/assistants/{platform.ok('POST', '/assistants', {'model': 'm'})['id']}"
    assert platform.ok("POST", path, body)["instructions"] == body["instructions"]


def test_delete(api):
    created = api.ok("POST", "/assistants", {"model": "m"})["id"]
    gone = {"id": created, "object": "assistant.deleted", "deleted": True}
    assert api.ok("DELETE", f"/assistants/{created}") == gone
    for method in ("GET", "POST", "DELETE"):
        status, body = api(method, f"/assistants/{created}", {})
        message = f"No assistant found with id '{created}'."
        assert status == 404
        assert body["error"] == {
            "message": message,
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
