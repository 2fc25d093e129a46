"""Examples: tools of both generations, each with what lies beside it."""

from __future__ import annotations

from migrate.model import JSON
from tools.docs.examples.example import NEWER, Example

QUEUE = {"storage_queue": {"queue_service_endpoint": "https://q.example", "queue_name": "in"}}
BINDING = {"type": "storage_queue", **QUEUE}
FUNCTION = {"name": "weigh", "description": "", "parameters": {"type": "object", "properties": {}}}
SPEC = {"name": "shop", "description": "Orders", "spec": {"openapi": "3.0.0"}}
SERVER = {
    "type": "mcp",
    "server_label": "register",
    "server_url": "https://mcp.example",
    "allowed_tools": ["find"],
}
SEARCHES = "search_configurations"
ROW = {"index_connection_id": "search", "index_name": "plants"}


def _tool(title: str, tool: JSON, resources: JSON | None = None, source: str = "foundry-classic") -> Example:
    beside = {"tool_resources": resources} if resources else {}
    return Example("assistant", "tools", title, {"tools": [tool], **beside}, source=source)


def _linked(type_: str, key: str, **more: JSON) -> JSON:
    return {"type": type_, type_: {key: [{"connection_id": "search", **more}]}}


def _openapi(auth: JSON) -> JSON:
    return {"type": "openapi", "openapi": {**SPEC, "auth": auth}}


OLDER_TOOLS = (
    _tool("", {"type": "function", "function": {**FUNCTION, "strict": True}}),
    _tool("no description, parameters or `strict`", {"type": "function", "function": {"name": "weigh"}}),
    _tool("no name", {"type": "function", "function": {"description": "x"}}),
    _tool("", {"type": "code_interpreter"}, {"code_interpreter": {"file_ids": ["report"]}}),
    _tool(
        "a number of results, a ranker",
        {"type": "file_search", "file_search": {
            "max_num_results": 5, "ranking_options": {"ranker": "auto", "score_threshold": 0.5}
        }},
        {"file_search": {"vector_store_ids": ["store"]}},
    ),
    _tool("no store", {"type": "file_search"}),
    _tool("a connection that the target lacks", _linked("bing_grounding", SEARCHES, connection_id="no")),
    _tool("", _linked("bing_grounding", SEARCHES, market="en-US", count=5, freshness="Day")),
    _tool("", _linked("bing_custom_search", SEARCHES, instance_name="pages")),
    _tool("", {"type": "azure_ai_search"}, {"azure_ai_search": {"indexes": [ROW]}}),
    _tool("no index", {"type": "azure_ai_search"}),
    _tool("signs in anonymously", _openapi({"type": "anonymous"})),
    _tool("signs in by a connection", _openapi(
        {"type": "connection", "security_scheme": {"connection_id": "search"}}
    )),
    _tool("signs in as the project", _openapi(
        {"type": "managed_identity", "security_scheme": {"audience": "https://api.example"}}
    )),
    _tool("", {"type": "azure_function", "azure_function": {
        "function": FUNCTION, "input_binding": BINDING, "output_binding": BINDING
    }}),
    _tool("", SERVER, {"mcp": [{"server_label": "register", "require_approval": "never"}]}),
    _tool("headers", SERVER, {"mcp": [{"server_label": "register", "headers": {"key": "secret"}}]}),
    _tool("`{{name}}` in label or address", {**SERVER, "server_url": "https://{{name}}.example"}),
    _tool("", _linked("fabric_dataagent", "connections")),
    _tool("", _linked("sharepoint_grounding", "connections")),
    _tool("", {"type": "browser_automation", "browser_automation": {"connection": {"id": "search"}}}),
    _tool("", {"type": "computer_use_preview", "computer_use_preview": {
        "display_width": 800, "display_height": 600, "environment": "browser"
    }}),
    _tool("", {"type": "connected_agent", "connected_agent": {
        "id": "asst_2", "name": "desk", "description": "Knows"
    }}),
    _tool("one that cannot be named", {"type": "connected_agent", "connected_agent": {
        "id": "gone-agent", "name": "desk", "description": "Knows"
    }}),
    _tool("", {"type": "deep_research", "deep_research": {
        "model": "o4-mini", "bing_grounding_connections": [{"connection_id": "search"}]
    }}),
    _tool("", {"type": "event_binding"}),
    _tool("", {"type": "output_binding"}),
    _tool("an unknown type", {"type": "novelty"}),
)  # fmt: skip


def _newer(title: str, tool: JSON, resources: JSON | None = None) -> Example:
    return _tool(title, tool, resources, NEWER)


NEWER_TOOLS = (
    _newer("`filters`, `name`, `description`", {
        "type": "file_search", "filters": {"type": "eq", "key": "year", "value": 2025}, "name": "books"
    }, {"file_search": {"vector_store_ids": ["store"]}}),
    _newer("`memory_limit`", {"type": "code_interpreter", "container": {"memory_limit": "4g"}}),
    _newer("by a connection", {**SERVER, "project_connection_id": "search"}),
    _newer("the type without `_preview`", {
        "type": "browser_automation",
        "browser_automation": {"connection": {"project_connection_id": "search"}},
    }),
    _newer("", {"type": "web_search"}),
    _newer("pages of one's own", {"type": "web_search", "custom_search_configuration": {
        "project_connection_id": "search", "instance_name": "pages"
    }}),
    _newer("", {"type": "computer"}),
    _newer("", {"type": "a2a_preview", "project_connection_id": "search"}),
    _newer("", {"type": "a2a", "base_url": "https://agent.example"}),
    _newer("", {"type": "capture_structured_outputs", "outputs": {"name": "answer"}}),
    _newer("", {"type": "image_generation"}),
    _newer("", {"type": "memory_search_preview", "memory_store_name": "m"}),
    _newer("", {"type": "shell"}),
    _newer("", {"type": "custom", "name": "grammar"}),
    _newer("", {"type": "web_iq_preview"}),
    _newer("", {"type": "work_iq_preview"}),
    _newer("", {"type": "fabric_iq_preview"}),
)  # fmt: skip
