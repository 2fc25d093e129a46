"""Each tool in the form of the older generation and in the form that recorded projects accept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

FULL = (
    "/subscriptions/S/resourceGroups/R/providers/Microsoft.CognitiveServices/accounts/A"
    "/projects/P/connections/NAME"
)
FILE = "assistant-9BiBnp7oGLPTD3cqKQbuVY"
NOTHING: JSON = {"type": "object", "properties": {}}
SCHEMA: JSON = {
    "type": "object",
    "properties": {"connection_id": {"type": "string"}, "file_id": {"type": "string"}},
    "required": ["connection_id"],
}
SPEC: JSON = {"openapi": "3.1.0", "info": {"title": "T", "version": "v"}, "paths": {}}
ORDER: JSON = {"name": "order", "description": "Orders.", "parameters": SCHEMA, "strict": True}
QUEUES: JSON = {
    name: {
        "type": "storage_queue",
        "storage_queue": {"queue_service_endpoint": "https://E", "queue_name": queue},
    }
    for name, queue in (("input_binding", "q-in"), ("output_binding", "q-out"))
}
AZURE_FUNCTION: JSON = {
    "type": "azure_function",
    "azure_function": {"function": {"name": "N", "description": "D", "parameters": NOTHING}, **QUEUES},
}
SCREEN: JSON = {"display_width": 1024, "display_height": 768, "environment": "browser"}


@dataclass(frozen=True)
class ToolPair:
    """One tool in both forms. `resources`: its part of `tool_resources` in the older generation."""

    old: JSON
    new: JSON
    resources: JSON = field(default_factory=dict)


def openapi(auth: JSON, **more: Any) -> JSON:
    inner = {"name": "get_weather", "description": "D", "spec": SPEC, "auth": auth, **more}
    return {"type": "openapi", "openapi": inner}


def search(key: str, **more: Any) -> JSON:
    return {"search_configurations": [{key: FULL, **more}]}


TABLE: dict[str, ToolPair] = {
    "function": ToolPair({"type": "function", "function": ORDER}, {"type": "function", **ORDER}),
    "code_interpreter": ToolPair(
        {"type": "code_interpreter"},
        {"type": "code_interpreter", "container": {"file_ids": [FILE], "type": "auto"}},
        {"code_interpreter": {"file_ids": [FILE]}},
    ),
    "code_interpreter without files": ToolPair(
        {"type": "code_interpreter"}, {"type": "code_interpreter", "container": {"type": "auto"}}
    ),
    "file_search": ToolPair(
        {
            "type": "file_search",
            "file_search": {
                "max_num_results": 8,
                "ranking_options": {"ranker": "auto", "score_threshold": 0.25},
            },
        },
        {
            "type": "file_search",
            "vector_store_ids": ["vs_1"],
            "max_num_results": 8,
            "ranking_options": {"ranker": "auto", "score_threshold": 0.25},
        },
        {"file_search": {"vector_store_ids": ["vs_1"]}},
    ),
    "bing_grounding": ToolPair(
        {"type": "bing_grounding", "bing_grounding": search("connection_id")},
        {"type": "bing_grounding", "bing_grounding": search("project_connection_id")},
    ),
    "bing_grounding with all its settings": ToolPair(
        {"type": "bing_grounding", "bing_grounding": search("connection_id", market="de", count=5)},
        {"type": "bing_grounding", "bing_grounding": search("project_connection_id", market="de", count=5)},
    ),
    "bing_custom_search": ToolPair(
        {
            "type": "bing_custom_search",
            "bing_custom_search": {"search_configurations": [{"connection_id": "C", "instance_name": "I"}]},
        },
        {
            "type": "bing_custom_search_preview",
            "bing_custom_search_preview": {
                "search_configurations": [{"project_connection_id": "C", "instance_name": "I"}]
            },
        },
    ),
    "azure_ai_search": ToolPair(
        {"type": "azure_ai_search"},
        {
            "type": "azure_ai_search",
            "azure_ai_search": {
                "indexes": [{"project_connection_id": "C", "index_name": "I", "query_type": "simple"}]
            },
        },
        {
            "azure_ai_search": {
                "indexes": [{"index_connection_id": "C", "index_name": "I", "query_type": "simple"}]
            }
        },
    ),
    "openapi": ToolPair(openapi({"type": "anonymous"}), openapi({"type": "anonymous"})),
    "openapi with a connection": ToolPair(
        openapi({"type": "connection", "security_scheme": {"connection_id": "C"}}),
        openapi({"type": "project_connection", "security_scheme": {"project_connection_id": "C"}}),
    ),
    "openapi with an identity": ToolPair(
        openapi({"type": "managed_identity", "security_scheme": {"audience": "https://a"}}),
        openapi({"type": "managed_identity", "security_scheme": {"audience": "https://a"}}),
    ),
    "openapi with what was read out of it": ToolPair(
        openapi({"type": "anonymous", "security_scheme": {}}, functions=[{"name": "x"}]),
        openapi({"type": "anonymous"}),
    ),
    "azure_function": ToolPair(AZURE_FUNCTION, AZURE_FUNCTION),
    "mcp": ToolPair(
        {
            "type": "mcp",
            "server_label": "api-specs",
            "server_url": "https://api.githubcopilot.com/mcp",
            "allowed_tools": ["look"],
        },
        {
            "type": "mcp",
            "server_label": "api-specs",
            "server_url": "https://api.githubcopilot.com/mcp",
            "allowed_tools": ["look"],
            "require_approval": "always",
        },
        {"mcp": [{"server_label": "api-specs", "require_approval": "always"}]},
    ),
    "fabric_dataagent": ToolPair(
        {"type": "fabric_dataagent", "fabric_dataagent": {"connections": [{"connection_id": "C"}]}},
        {
            "type": "fabric_dataagent_preview",
            "fabric_dataagent_preview": {"project_connections": [{"project_connection_id": "C"}]},
        },
    ),
    "sharepoint_grounding": ToolPair(
        {"type": "sharepoint_grounding", "sharepoint_grounding": {"connections": [{"connection_id": "C"}]}},
        {
            "type": "sharepoint_grounding_preview",
            "sharepoint_grounding_preview": {"project_connections": [{"project_connection_id": "C"}]},
        },
    ),
    "browser_automation": ToolPair(
        {"type": "browser_automation", "browser_automation": {"connection": {"id": "C"}}},
        {
            "type": "browser_automation_preview",
            "browser_automation_preview": {"connection": {"project_connection_id": "C"}},
        },
    ),
    "computer_use_preview": ToolPair(
        {"type": "computer_use_preview", "computer_use_preview": SCREEN},
        {"type": "computer_use_preview", **SCREEN},
    ),
}

# Forms of only the newer generation; all but the third and fourth were recorded.
NEW_ONLY: tuple[JSON, ...] = (
    {"type": "a2a_preview", "project_connection_id": "C"},
    {
        "type": "mcp",
        "server_label": "api-specs",
        "server_url": "https://api.githubcopilot.com/mcp",
        "require_approval": "always",
        "project_connection_id": "C",
    },
    {"type": "web_search", "search_context_size": "low"},
    {"type": "browser_automation", "browser_automation": {"connection": {"project_connection_id": "C"}}},
    {
        "type": "file_search",
        "vector_store_ids": ["test"],
        "name": "file-search",
        "description": "Test file search",
    },
    {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [FILE], "memory_limit": "4g"}},
    {
        "type": "azure_ai_search",
        "azure_ai_search": {
            "indexes": [
                {
                    "project_connection_id": "C",
                    "index_name": "sample_index",
                    "query_type": "simple",
                    "top_k": 5,
                    "filter": "category eq 'sleeping bag'",
                }
            ]
        },
    },
)
