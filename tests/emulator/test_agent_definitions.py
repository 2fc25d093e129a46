"""Definitions of agents: accepted ones come back as they were sent, unknown keys are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from migrate.emulator.schemas.agents import AGENT_TOOLS

SHARED = Path(os.environ.get("ASSISTANTS_MIGRATE_SHARED", Path(__file__).parents[3] / "shared"))
QUEUE = {
    "type": "storage_queue",
    "storage_queue": {"queue_service_endpoint": "https://q.example.com", "queue_name": "q"},
}
FUNCTION = {
    "type": "function",
    "name": "f",
    "description": "d",
    "parameters": {"type": "object"},
    "strict": True,
}
MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://example.com/mcp"}
SCHEMA = {"type": "json_schema", "name": "answer", "schema": {"type": "object"}}
VALID = [
    {"temperature": 0, "top_p": 0},
    {"instructions": ""},
    {"reasoning": {"effort": "high"}},
    {"tool_choice": "auto"},
    {"tool_choice": {"type": "file_search"}},
    {"text": {"format": {"type": "text"}}},
    {"text": {"format": {"type": "json_object"}}},
    {"text": {"format": SCHEMA}},
    {"text": {"format": {**SCHEMA, "strict": True, "description": "d"}}},
    {"structured_inputs": {"who": {"description": "d", "required": True, "schema": {"type": "string"}}}},
    {"rai_config": {"rai_policy_name": "p"}},
    {"tools": []},
    {"tools": [FUNCTION] * 128},
]
VALID_TOOLS = [
    FUNCTION,
    {"type": "function", "name": "f", "parameters": {}, "strict": False},
    {"type": "code_interpreter"},
    {"type": "code_interpreter", "container": {"type": "auto", "file_ids": []}},
    {
        "type": "code_interpreter",
        "container": {"type": "auto", "file_ids": ["{{file}}"], "memory_limit": "4g"},
    },
    {"type": "file_search", "vector_store_ids": ["test"], "name": "n", "description": "d"},
    {
        "type": "file_search",
        "vector_store_ids": ["test"],
        "max_num_results": 20,
        "ranking_options": {"ranker": "auto", "score_threshold": 0},
    },
    {
        "type": "azure_ai_search",
        "azure_ai_search": {"indexes": [{"project_connection_id": "", "index_name": ""}]},
    },
    {
        "type": "openapi",
        "openapi": {
            "name": "n",
            "description": "d",
            "spec": {},
            "auth": {"type": "project_connection", "security_scheme": {"project_connection_id": "c"}},
        },
    },
    {
        **MCP,
        "require_approval": {"never": {"tool_names": ["a"]}},
        "allowed_tools": ["a"],
        "headers": {"k": "v"},
    },
    {"type": "browser_automation", "browser_automation": {"connection": {"project_connection_id": "c"}}},
    {"type": "computer_use_preview", "environment": "browser", "display_width": 1, "display_height": 1},
    {"type": "web_search"},
    {"type": "image_generation", "quality": "low"},
]
INVALID = [
    {"kind": "hosted"},
    {"kind": None},
    {"model": ""},
    {"model": None},
    {"unknown": 1},
    {"response_format": {"type": "json_object"}},
    {"tool_resources": {}},
    {"temperature": 2.1},
    {"top_p": 1.1},
    {"temperature": "0"},
    {"reasoning": {"effort": "huge"}},
    {"tools": None},
    {"tools": [FUNCTION] * 129},
    {"text": {"format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}}},
    {"text": {"format": "auto"}},
    {"text": {"verbosity": "low"}},
    {"structured_inputs": []},
    {"structured_inputs": {"who": {"type": "string"}}},
]
INVALID_TOOLS = [
    {"type": "function", "function": {"name": "f", "parameters": {}}},
    {"type": "function", "name": "f", "parameters": {}},
    {"type": "function", "name": "f", "strict": True},
    {"type": "function", "parameters": {}, "strict": True},
    {"type": "function", "name": "f", "parameters": None, "strict": False},
    {"type": "function", "name": "no spaces", "parameters": {}, "strict": False},
    {"type": "code_interpreter", "file_ids": []},
    {"type": "code_interpreter", "container": {"file_ids": []}},
    {"type": "code_interpreter", "container": "cntr_1"},
    {"type": "file_search"},
    {"type": "file_search", "vector_store_ids": []},
    {"type": "file_search", "vector_store_ids": ["a"], "file_search": {"max_num_results": 5}},
    {"type": "file_search", "vector_store_ids": ["a"], "ranking_options": {"ranker": "default_2024_08_21"}},
    {"type": "bing_grounding", "bing_grounding": {"search_configurations": [{"connection_id": "c"}]}},
    {"type": "bing_grounding"},
    {"type": "bing_custom_search", "bing_custom_search": {"search_configurations": []}},
    {
        "type": "azure_ai_search",
        "azure_ai_search": {"indexes": [{"index_connection_id": "c", "index_name": "i"}]},
    },
    {"type": "openapi", "openapi": {"name": "n", "spec": {}, "auth": {"type": "connection"}}},
    {"type": "openapi", "openapi": {"name": "n", "spec": {}, "auth": {"type": "anonymous"}, "functions": []}},
    {"type": "azure_function"},
    {
        "type": "azure_function",
        "azure_function": {"function": {"name": "f", "parameters": {}}, "input_binding": QUEUE},
    },
    {**MCP, "server_label": "{{label}}"},
    {**MCP, "server_url": "{{url}}"},
    {**MCP, "require_approval": "sometimes"},
    {"type": "mcp", "server_url": "https://example.com"},
    {"type": "fabric_dataagent", "fabric_dataagent": {"connections": []}},
    {
        "type": "fabric_dataagent_preview",
        "fabric_dataagent_preview": {"connections": [{"connection_id": "c"}]},
    },
    {"type": "sharepoint_grounding_preview", "sharepoint_grounding_preview": {"project_connections": []}},
    {"type": "browser_automation_preview", "browser_automation_preview": {"connection": {"id": "c"}}},
    {"type": "connected_agent", "connected_agent": {"id": "a", "name": "n", "description": "d"}},
    {"type": "deep_research", "deep_research": {}},
    {"type": "retrieval"},
    {"name": "no type"},
    "code_interpreter",
]


def recorded():
    path = SHARED / "real" / "tools_accepted.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    return [pytest.param(row["tool_json"], id=row["tool"]) for row in rows]


def test_everything_is_optional_but_kind_and_model(project):
    created = project.agent()
    assert created["definition"] == {"kind": "prompt", "model": "gpt-4.1"}


@pytest.mark.parametrize("given", VALID, ids=lambda given: "-".join(given))
def test_an_accepted_definition_comes_back(project, given):
    assert project.agent(**given)["definition"] == {"kind": "prompt", "model": "gpt-4.1", **given}


@pytest.mark.parametrize("tool", [*VALID_TOOLS, *recorded()], ids=lambda tool: tool["type"])
def test_accepted_tools_come_back(project, tool):
    (answered,) = project.agent(tools=[tool])["definition"]["tools"]
    assert answered == tool
    assert next(iter(answered)) == "type"


def test_all_recorded_tools_are_known():
    if rows := recorded():
        assert {row.values[0]["type"] for row in rows} <= AGENT_TOOLS.keys()


def test_keys_come_back_in_the_recorded_order(project):
    tools = [{"vector_store_ids": ["a"], "type": "file_search"}]
    body = {
        "structured_inputs": {},
        "text": {},
        "tools": tools,
        "top_p": 1,
        "temperature": 1,
        "tool_choice": "auto",
        "instructions": "i",
        "model": "m",
        "kind": "prompt",
    }
    created = project.ok("POST", "/agents/a/versions", {"definition": body})
    assert list(created["definition"]) == [
        "kind",
        "model",
        "instructions",
        "temperature",
        "top_p",
        "tools",
        "text",
        "structured_inputs",
        "tool_choice",
    ]
    assert list(created["definition"]["tools"][0]) == ["type", "vector_store_ids"]


@pytest.mark.parametrize("given", INVALID, ids=lambda given: str(given)[:40])
def test_refused_definitions(project, given):
    body = {"definition": {"kind": "prompt", "model": "m", **given}}
    error = project.refused("POST", "/agents/a/versions", body)
    assert (error["message"], error["param"]) == ("The supplied value is invalid.", "")
    assert not project.emulator.estate.agents


@pytest.mark.parametrize("missing", ["kind", "model"])
def test_required_keys(project, missing):
    definition = {"kind": "prompt", "model": "m"}
    del definition[missing]
    project.refused("POST", "/agents/a/versions", {"definition": definition})


@pytest.mark.parametrize("tool", INVALID_TOOLS, ids=lambda tool: str(tool)[:60])
def test_tools_that_are_refused(project, tool):
    body = {"definition": {"kind": "prompt", "model": "m", "tools": [FUNCTION, tool]}}
    error = project.refused("POST", "/agents/a/versions", body)
    assert (error["message"], error["param"]) == ("The supplied value is invalid.", "")


@pytest.mark.parametrize("kind", ["workflow", "external", "voice"])
def test_kinds_in_preview(project, kind):
    status, body = project("POST", "/agents/a/versions", {"definition": {"kind": kind}})
    assert (status, body["error"]["code"]) == (403, "preview_feature_required")


def test_a_lenient_project_accepts_unknown_keys(launch_project):
    project = launch_project(strict_definitions=False)
    definition = {"kind": "hosted", "image": "i", "tools": [{"type": "tomorrow", "a": {"b": None}}]}
    assert project.ok("POST", "/agents/a/versions", {"definition": definition})["definition"] == definition
    for wrong in ({}, {"kind": 1}, {"kind": "prompt", "tools": {}}, {"kind": "prompt", "tools": ["x"]}):
        project.refused("POST", "/agents/a/versions", {"definition": wrong})
