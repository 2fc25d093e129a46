"""Tools in every spelling that was seen arrive in the form of the newer generation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.projects import assistant, latest, moved, to_agents

Json = dict[str, Any]
ROOT = "/subscriptions/0/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/a/projects/p"
HERE = f"{ROOT}/connections/web-search"
SPEC = {"openapi": "3.1.0", "paths": {}, "x-null": None, "connection_id": HERE, "functions": [1]}
SCHEMA = {
    "type": "object",
    "properties": {"file_id": {"type": "string"}, "connection_id": {"enum": [HERE, None]}},
}


def index(**fields: Any) -> Json:
    return {"azure_ai_search": {"indexes": [{"index_connection_id": HERE, "index_name": "i", **fields}]}}


def openapi(auth: Json, **fields: Any) -> Json:
    return {"type": "openapi", "openapi": {"name": "n", "spec": SPEC, "auth": auth, **fields}}


CASES: dict[str, tuple[Json, Json, Json]] = {
    "function without a description": (
        {
            "type": "function",
            "function": {"name": "f", "description": None, "parameters": SCHEMA, "strict": None},
        },
        {},
        {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False},
    ),
    "function with empty parameters": (
        {"type": "function", "function": {"name": "f", "description": "", "parameters": {}, "strict": True}},
        {},
        {"type": "function", "name": "f", "description": "", "parameters": {}, "strict": True},
    ),
    "code without files": (
        {"type": "code_interpreter"},
        {"code_interpreter": {"file_ids": []}},
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ),
    "anonymous openapi": (
        openapi({"type": "anonymous", "security_scheme": {}}, description=None, functions=[{"name": "x"}]),
        {},
        {"type": "openapi", "openapi": {"name": "n", "spec": SPEC, "auth": {"type": "anonymous"}}},
    ),
    "openapi by identity": (
        openapi({"type": "managed_identity", "security_scheme": {"audience": "https://x"}}),
        {},
        openapi({"type": "managed_identity", "security_scheme": {"audience": "https://x"}}),
    ),
    "openapi by connection": (
        openapi({"type": "connection", "security_scheme": {"connection_id": "web-search"}}),
        {},
        openapi({"type": "project_connection", "security_scheme": {"project_connection_id": "web-search"}}),
    ),
    "search with an index of nulls": (
        {"type": "azure_ai_search"},
        index(query_type=None, top_k=None, filter=None, index_asset_id=None),
        {
            "type": "azure_ai_search",
            "azure_ai_search": {"indexes": [{"project_connection_id": "web-search", "index_name": "i"}]},
        },
    ),
    "search with an empty filter": (
        {"type": "azure_ai_search"},
        index(query_type="simple", top_k=5, filter=""),
        {
            "type": "azure_ai_search",
            "azure_ai_search": {
                "indexes": [
                    {
                        "project_connection_id": "web-search",
                        "index_name": "i",
                        "query_type": "simple",
                        "top_k": 5,
                        "filter": "",
                    }
                ]
            },
        },
    ),
    "mcp with approval beside it": (
        {"type": "mcp", "server_label": "a", "server_url": "https://m", "allowed_tools": None},
        {"mcp": [{"server_label": "a", "headers": {}, "require_approval": {"never": {"tool_names": ["x"]}}}]},
        {
            "type": "mcp",
            "server_label": "a",
            "server_url": "https://m",
            "require_approval": {"never": {"tool_names": ["x"]}},
        },
    ),
    "mcp with approval of nothing": (
        {"type": "mcp", "server_label": "a", "server_url": "https://m", "allowed_tools": ["x"]},
        {"mcp": [{"server_label": "a", "headers": {}, "require_approval": None}]},
        {"type": "mcp", "server_label": "a", "server_url": "https://m", "allowed_tools": ["x"]},
    ),
    "fabric with nulls": (
        {
            "type": "fabric_dataagent",
            "fabric_dataagent": {
                "instructions": None,
                "connections": [{"connection_id": HERE, "instructions": None}],
            },
        },
        {},
        {
            "type": "fabric_dataagent_preview",
            "fabric_dataagent_preview": {"project_connections": [{"project_connection_id": "web-search"}]},
        },
    ),
    "grounding by two connections": (
        {
            "type": "bing_grounding",
            "bing_grounding": {
                "search_configurations": [
                    {"connection_id": HERE, "market": None, "count": 5},
                    {"connection_id": "seed-search", "freshness": "Week"},
                ]
            },
        },
        {},
        {
            "type": "bing_grounding",
            "bing_grounding": {
                "search_configurations": [
                    {"project_connection_id": "web-search", "count": 5},
                    {"project_connection_id": "seed-search", "freshness": "Week"},
                ]
            },
        },
    ),
    "a screen": (
        {
            "type": "computer_use_preview",
            "computer_use_preview": {"display_width": 1, "display_height": 2, "environment": "browser"},
        },
        {},
        {"type": "computer_use_preview", "display_width": 1, "display_height": 2, "environment": "browser"},
    ),
    "a browser": (
        {"type": "browser_automation", "browser_automation": {"connection": {"id": HERE}}},
        {},
        {
            "type": "browser_automation_preview",
            "browser_automation_preview": {"connection": {"project_connection_id": "web-search"}},
        },
    ),
}


def shortened(value: Any) -> Any:
    """Replace connections by their short name, but not in texts of the user."""
    if isinstance(value, list):
        return [shortened(inner) for inner in value]
    if isinstance(value, dict):
        return {k: v if k in ("spec", "parameters") else shortened(v) for k, v in value.items()}
    return value.rpartition("/")[2] if isinstance(value, str) and "/connections/" in value else value


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("case", CASES)
def test_a_tool_arrives_in_its_new_form(launch: Launch, case: str) -> None:
    old, resources, new = CASES[case]
    world = to_agents(launch, assistant(1, "desk", tools=[old], tool_resources=resources))
    moved(world)
    (tool,) = latest(world.target, "desk")["definition"]["tools"]
    assert shortened(tool) == new
    assert world("verify", world.plan).ok()["ok"] is True
    world.snapshot()
    assert world.planned()["actions"]["update"] == 0


def test_all_of_them_in_one_agent_keep_their_order(launch: Launch) -> None:
    chosen = [
        CASES[case]
        for case in ("a browser", "anonymous openapi", "function with empty parameters", "a screen")
    ]
    world = to_agents(launch, assistant(1, "desk", tools=[old for old, _, _ in chosen]))
    moved(world)
    tools = latest(world.target, "desk")["definition"]["tools"]
    assert [shortened(tool) for tool in tools] == [new for _, _, new in chosen]
