"""The tools of classic agents, which OpenAI's assistants do not have, and where their settings lie."""

from __future__ import annotations

from migrate.emulator.schemas.assistants import TOOL
from migrate.emulator.schemas.rules import Rule, anything, array, free_object, nullable, record, string

# Settings under the tool's own name; no document says more that could be checked.
NESTED = (
    "bing_grounding",
    "bing_custom_search",
    "azure_ai_search",
    "openapi",
    "azure_function",
    "connected_agent",
    "deep_research",
    "fabric_dataagent",
    "sharepoint_grounding",
    "browser_automation",
)

TOOLS: dict[str, Rule] = {
    **TOOL,
    **{name: record(name, **{name: free_object}) for name in NESTED},
    # Its settings lie in the resources (recorded 2025-05), so nothing is nested here.
    "azure_ai_search": record(azure_ai_search=free_object),
    "mcp": record(
        "server_label server_url",
        server_label=string(minimum=1),
        server_url=string(minimum=1),
        allowed_tools=nullable(array(string())),
    ),
    "computer_use_preview": free_object,  # whether its settings are nested is not known
}

RESOURCES: dict[str, Rule] = {
    "azure_ai_search": nullable(record(indexes=array(free_object))),
    "mcp": nullable(
        array(
            record(
                "server_label", server_label=string(minimum=1), headers=free_object, require_approval=anything
            )
        )
    ),
}
