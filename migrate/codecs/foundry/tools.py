"""Tools, one row each: the older generation's form (canonical) <-> the one a prompt agent holds.

What the older generation keeps in `tool_resources` lies inside the tool here, `connection_id` becomes
`project_connection_id`, functions are flat, and some types carry `_preview`. A tool without a row has no
older form: it is canonical as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from migrate.codecs.foundry import tools_connected as linked
from migrate.codecs.foundry import tools_plain as plain
from migrate.codecs.foundry.toolrow import Resources, Tool, ToolRow
from migrate.model import JSON

ROWS: tuple[ToolRow, ...] = (
    ToolRow(
        "function", "function", plain.write_function, plain.read_function,
        "flattened; absent parameters and `strict` are said as empty and false",
    ),
    ToolRow(
        "code_interpreter", "code_interpreter", plain.write_code, plain.read_code,
        "`tool_resources.code_interpreter.file_ids` move into `container`",
    ),
    ToolRow(
        "file_search", "file_search", plain.write_search, plain.read_search,
        "options un-nested; `tool_resources.file_search.vector_store_ids` move into the tool (it needs one)",
    ),
    linked.connected(
        "bing_grounding", "bing_grounding", "search_configurations", "search_configurations",
        "`connection_id` becomes `project_connection_id`",
    ),
    linked.connected(
        "bing_custom_search", "bing_custom_search_preview", "search_configurations", "search_configurations",
        "type and key renamed; `connection_id` becomes `project_connection_id`",
    ),
    ToolRow(
        "azure_ai_search", "azure_ai_search", linked.write_ai_search, linked.read_ai_search,
        "`tool_resources.azure_ai_search.indexes` move into the tool; `index_connection_id` becomes "
        "`project_connection_id`",
    ),
    ToolRow(
        "openapi", "openapi",
        linked.openapi("connection", "project_connection", (linked.OLD, linked.NEW)),
        linked.openapi("project_connection", "connection", (linked.NEW, linked.OLD)),
        "authentication `connection` becomes `project_connection`; the read-only `functions` are left out",
    ),
    ToolRow("azure_function", "azure_function", plain.same, plain.same, "as it is"),
    ToolRow(
        "mcp", "mcp", plain.write_mcp, plain.read_mcp,
        "`require_approval` of `tool_resources.mcp` moves into the tool; headers are secrets and stay behind",
    ),
    linked.connected(
        "fabric_dataagent", "fabric_dataagent_preview", "connections", "project_connections",
        "type and keys renamed",
    ),
    linked.connected(
        "sharepoint_grounding", "sharepoint_grounding_preview", "connections", "project_connections",
        "type and keys renamed",
    ),
    ToolRow(
        "browser_automation", "browser_automation_preview", linked.write_browser, linked.read_browser,
        "type renamed; `connection.id` becomes `connection.project_connection_id`",
    ),
    ToolRow(
        "computer_use_preview", "computer_use_preview", plain.write_computer, plain.read_computer,
        "un-nested",
    ),
)  # fmt: skip

BY_OLD: Mapping[str, ToolRow] = {row.old: row for row in ROWS}
BY_NEW: Mapping[str, ToolRow] = {row.new: row for row in ROWS}

WITHOUT_HOME: Mapping[str, str] = {
    "connected_agent": "build a workflow, or an a2a tool, by hand",
    "deep_research": "use a deep research model with web_search or an mcp tool",
    "event_binding": "rebuild what it triggers by hand",
    "output_binding": "look at capture_structured_outputs and set it up by hand",
}
"""Tools of the older generation that the newer one has no counterpart for -> the way out."""


def to_new(tool: Tool, resources: Mapping[str, JSON]) -> Tool:
    """A canonical tool in the form of a prompt agent."""
    row = BY_OLD.get(str(tool.get("type")))
    return row.write(tool, resources) if row else dict(tool)


def to_old(tool: JSON, resources: Resources) -> JSON:
    """A prompt agent's tool in canonical form; what the older generation keeps apart goes to `resources`."""
    row = BY_NEW.get(str(tool.get("type"))) if isinstance(tool, Mapping) else None
    return row.read(dict(tool), resources) if row else tool
