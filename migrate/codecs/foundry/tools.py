"""Tools in canonical form (of the older generation) and in the form of new agents: one row for each type.

In the new form the content of `tool_resources` is inside the tool, `connection_id` is
`project_connection_id`, functions are flat, and some types end in `_preview`. A tool without a row has only
one form.

Some tools are recorded in both spellings, nested and flat. A tool that contains both spellings of one key
stays unchanged here, so that no value is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.codecs.assistants import drop_nulls
from migrate.model import JSON
from migrate.model.references import tool_resource_ids

ToolBody = dict[str, Any]
ToolResources = dict[str, Any]


@dataclass(frozen=True)
class ToolRow:
    """The two forms of one type of tool.

    `write(tool, resources)` returns the new form. `read(tool, resources)` returns the old form and adds to
    `resources` what `tool_resources` stores in it. `how`: what changes, for the support matrix.
    """

    old: str
    new: str
    write: Callable[[ToolBody, Mapping[str, JSON]], ToolBody]
    read: Callable[[ToolBody, ToolResources], ToolBody]
    how: str


def flatten_tool(tool: ToolBody, name: str) -> ToolBody:
    """The tool with the settings under its own name moved up beside its type.

    The older generation and Microsoft's migration script write them nested. A tool with both spellings of a
    key stays unchanged.
    """
    inner = tool.get(name)
    if name in tool and inner is None:
        return _without(tool, name)
    if not isinstance(inner, Mapping) or inner.keys() & tool.keys():
        return tool
    return {**_without(tool, name), **inner}


def _without(tool: Mapping[str, JSON], *keys: str) -> ToolBody:
    return {k: v for k, v in tool.items() if k not in keys}


FUNCTION_KEYS = ("name", "description", "parameters", "strict")


def write_function(tool: ToolBody, _: Mapping[str, JSON]) -> ToolBody:
    return {**_without(tool, "function"), **drop_nulls(tool.get("function") or {})}


def read_function(tool: ToolBody, _: ToolResources) -> ToolBody:
    tool = flatten_tool(tool, "function")
    if "function" in tool:
        return dict(tool)
    inner = {name: tool[name] for name in FUNCTION_KEYS if name in tool}
    return {**_without(tool, *FUNCTION_KEYS), "function": inner}


def with_first_of_server(tools: Iterable[JSON]) -> Iterator[tuple[JSON, bool]]:
    """Each tool, and whether it may have settings in `tool_resources`: among the tools of one MCP server only
    the first."""
    seen: set[str] = set()
    for tool in tools:
        server = isinstance(tool, Mapping) and tool.get("type") == "mcp"
        label = str(tool.get("server_label")) if server else ""
        yield tool, not label or label not in seen
        seen.add(label)


# ------------------------------------------------------------------------------------- files and stores

FILE_SEARCH_OPTIONS = ("max_num_results", "ranking_options")
# Ranker of the older generation -> its name in the newer generation.
FOUNDRY_RANKERS = {"default_2024_08_21": "default-2024-11-15"}


def write_search(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    options = drop_nulls(tool.get("file_search") or {})
    ranking = options.get("ranking_options")
    if isinstance(ranking, Mapping):
        ranker = ranking.get("ranker")
        ranker = FOUNDRY_RANKERS.get(str(ranker), ranker)
        options["ranking_options"] = drop_nulls({**ranking, "ranker": ranker})
    rest = _without(tool, "file_search", "type")
    stores = tool_resource_ids(resources, "file_search")
    return {"type": "file_search", "vector_store_ids": stores, **options, **rest}


def read_search(tool: ToolBody, resources: ToolResources) -> ToolBody:
    tool = flatten_tool(tool, "file_search")
    options = () if "file_search" in tool else FILE_SEARCH_OPTIONS
    stores = tool.get("vector_store_ids")
    inside = {name: tool[name] for name in options if name in tool}
    rest = _without(tool, *options)
    if "file_search" not in resources and isinstance(stores, list):
        resources["file_search"] = {"vector_store_ids": stores}
        del rest["vector_store_ids"]
    return {**rest, **({"file_search": inside} if inside else {})}


def write_code(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    container = tool.get("container")
    if container is not None and not isinstance(container, Mapping):
        return dict(tool)
    file_ids = tool_resource_ids(resources, "code_interpreter")
    files = {"file_ids": file_ids} if file_ids else {}
    return {**tool, "container": {"type": "auto", **files, **(container or {})}}


def read_code(tool: ToolBody, resources: ToolResources) -> ToolBody:
    tool = flatten_tool(tool, "code_interpreter")
    if "file_ids" in tool and "container" not in tool:
        files = {"type": "auto", "file_ids": tool["file_ids"]}
        tool = {**_without(tool, "file_ids"), "container": files}
    container = tool.get("container")
    if not isinstance(container, Mapping) or container.get("type", "auto") != "auto":
        return dict(tool)
    file_ids = container.get("file_ids")
    if file_ids is not None and not isinstance(file_ids, list):
        return dict(tool)
    kept = _without(container, "type")
    if "code_interpreter" in resources:
        kept["file_ids"] = file_ids or []  # a second tool does not use the files of the first
    else:
        kept.pop("file_ids", None)
        resources["code_interpreter"] = {"file_ids": file_ids or []}
    return {**_without(tool, "container"), **({"container": kept} if kept else {})}


APPROVAL_KEY = "require_approval"


def write_mcp(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    """The older generation stores the approval in `tool_resources.mcp`. Headers are never written."""
    if APPROVAL_KEY in tool:
        return dict(tool)
    rows = resources.get("mcp")
    for row in rows if isinstance(rows, list) else []:
        same_server = isinstance(row, Mapping) and row.get("server_label") == tool.get("server_label")
        if same_server and row.get(APPROVAL_KEY) is not None:
            return {**tool, APPROVAL_KEY: row[APPROVAL_KEY]}
    return dict(tool)


def read_mcp(tool: ToolBody, resources: ToolResources) -> ToolBody:
    tool = flatten_tool(tool, "mcp")
    settings = {k: tool[k] for k in (APPROVAL_KEY, "headers") if tool.get(k) is not None}
    if settings:
        row = {"server_label": tool.get("server_label"), **settings}
        resources.setdefault("mcp", []).append(row)
    return _without(tool, *settings)


def write_computer(tool: ToolBody, _: Mapping[str, JSON]) -> ToolBody:
    return flatten_tool(tool, "computer_use_preview")


def read_computer(tool: ToolBody, _: ToolResources) -> ToolBody:
    if isinstance(tool.get("computer_use_preview"), Mapping):
        return dict(tool)
    return {"type": tool["type"], "computer_use_preview": _without(tool, "type")}


def copy_tool(tool: ToolBody, _: Any) -> ToolBody:
    return dict(tool)


OLD_CONNECTION, NEW_CONNECTION = "connection_id", "project_connection_id"


def _renamed(row: JSON, old: str, new: str) -> JSON:
    """The row with one key renamed, in its place. A row with both keys stays unchanged."""
    if isinstance(row, Mapping) and old in row and new in row:
        return row
    return {new if k == old else k: v for k, v in row.items()} if isinstance(row, Mapping) else row


def connection_list_row(old: str, new: str, list_old: str, list_new: str, how: str) -> ToolRow:
    """The row of a tool that is configured by a list, each member of which refers to a connection."""

    def convert(
        tool: ToolBody, inner: tuple[str, str], lists: tuple[str, str], keys: tuple[str, str]
    ) -> ToolBody:
        """`inner`, `lists`, `keys`: keys of settings, list and connections, before and after."""
        settings = tool.get(inner[0])
        if _has_both(tool, inner) or (isinstance(settings, Mapping) and _has_both(settings, lists)):
            return dict(tool)
        if not isinstance(settings, Mapping):
            return {**tool, "type": inner[1]}
        if lists[0] in settings:
            rows = settings[lists[0]]
            renamed = [_renamed(row, *keys) for row in rows] if isinstance(rows, list) else rows
            settings = {**_without(settings, lists[0]), lists[1]: renamed}
        return {**_without(tool, inner[0]), "type": inner[1], inner[1]: settings}

    return ToolRow(
        old,
        new,
        lambda tool, _: (
            dict(tool)  # the newer generation returns this form under the older type as well
            if _is_new(tool.get(old), list_new)
            else convert(tool, (old, new), (list_old, list_new), (OLD_CONNECTION, NEW_CONNECTION))
        ),
        lambda tool, _: convert(tool, (new, old), (list_new, list_old), (NEW_CONNECTION, OLD_CONNECTION)),
        how,
    )


def _has_both(node: Mapping[str, JSON], names: tuple[str, str]) -> bool:
    """Whether the node has both generations' names of one key."""
    return names[0] != names[1] and names[0] in node and names[1] in node


def _is_new(settings: JSON, list_new: str) -> bool:
    """Whether all rows name connections as the newer generation does."""
    rows = settings.get(list_new) if isinstance(settings, Mapping) else None
    if not isinstance(rows, list) or not rows:
        return False
    return all(isinstance(row, Mapping) and NEW_CONNECTION in row for row in rows)


def write_ai_search(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    resource = resources.get("azure_ai_search") or {}
    rows = resource.get("indexes") if isinstance(resource, Mapping) else None
    settings = tool.get("azure_ai_search")
    if settings is not None and (not isinstance(settings, Mapping) or "indexes" in settings):
        return dict(tool)
    indexes = [
        drop_nulls(_renamed(row, "index_connection_id", NEW_CONNECTION))
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping)
    ]
    return {**tool, "azure_ai_search": {**(settings or {}), "indexes": indexes}}


def read_ai_search(tool: ToolBody, resources: ToolResources) -> ToolBody:
    settings = tool.get("azure_ai_search")
    rows = settings.get("indexes") if isinstance(settings, Mapping) else None
    if not isinstance(settings, Mapping) or not isinstance(rows, list) or "azure_ai_search" in resources:
        return dict(tool)  # a second tool keeps its own indexes
    indexes = [_renamed(row, NEW_CONNECTION, "index_connection_id") for row in rows]
    resources["azure_ai_search"] = {"indexes": indexes}
    rest, kept = _without(settings, "indexes"), _without(tool, "azure_ai_search")
    return {**kept, "azure_ai_search": rest} if rest else kept


OPENAPI_KEYS = ("name", "description", "spec", "auth", "default_params")


def _nested(tool: ToolBody) -> ToolBody:
    """An openapi tool with nested settings. Recorded 2025-11: flat, and `openapi: null`."""
    if tool.get("openapi") is not None or "spec" not in tool:
        return tool
    rest = _without(tool, *OPENAPI_KEYS, "openapi")
    return {**rest, "openapi": {k: tool[k] for k in OPENAPI_KEYS if k in tool}}


def openapi_converter(
    auth_old: str, auth_new: str, keys: tuple[str, str]
) -> Callable[[ToolBody, Any], ToolBody]:
    """A converter of the authentication type and of the connection's key."""

    def convert(tool: ToolBody, _: Any) -> ToolBody:
        tool = _nested(tool)
        inner = tool.get("openapi")
        if not isinstance(inner, Mapping):
            return dict(tool)
        kept = _without(inner, "functions")
        auth = kept.get("auth")
        if isinstance(auth, Mapping) and auth.get("type") == auth_old:
            scheme = _renamed(auth.get("security_scheme"), *keys)
            auth = {**auth, "type": auth_new, **({"security_scheme": scheme} if scheme else {})}
        if isinstance(auth, Mapping):  # anonymous authentication is returned with an empty scheme (recorded)
            kept["auth"] = {k: v for k, v in auth.items() if v != {}}
        return {**tool, "openapi": kept}

    return convert


def write_browser(tool: ToolBody, _: Mapping[str, JSON]) -> ToolBody:
    inner = tool.get("browser_automation")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("connection"), Mapping):
        return dict(tool)
    connection = inner["connection"]
    if NEW_CONNECTION in connection:  # the newer generation returns this form under the older type as well
        return dict(tool)
    renamed = _renamed(_renamed(connection, "id", NEW_CONNECTION), OLD_CONNECTION, NEW_CONNECTION)
    new = "browser_automation_preview"
    return {**_without(tool, "browser_automation"), "type": new, new: {**inner, "connection": renamed}}


def read_browser(tool: ToolBody, _: ToolResources) -> ToolBody:
    inner = tool.get("browser_automation_preview")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("connection"), Mapping):
        return dict(tool)
    if "browser_automation" in tool or "id" in inner["connection"]:
        return dict(tool)
    renamed = {**inner, "connection": _renamed(inner["connection"], NEW_CONNECTION, "id")}
    kept = _without(tool, "browser_automation_preview")
    return {**kept, "type": "browser_automation", "browser_automation": renamed}


TOOL_ROWS: tuple[ToolRow, ...] = (
    ToolRow(
        "function", "function", write_function, read_function,
        "flattened; missing parameters are written as empty, missing `strict` as false",
    ),
    ToolRow(
        "code_interpreter", "code_interpreter", write_code, read_code,
        "`tool_resources.code_interpreter.file_ids` move into `container`",
    ),
    ToolRow(
        "file_search", "file_search", write_search, read_search,
        "options un-nested; `tool_resources.file_search.vector_store_ids` move into the tool (it needs one)",
    ),
    connection_list_row(
        "bing_grounding", "bing_grounding", "search_configurations", "search_configurations",
        "`connection_id` becomes `project_connection_id`",
    ),
    connection_list_row(
        "bing_custom_search", "bing_custom_search_preview", "search_configurations", "search_configurations",
        "type and key renamed; `connection_id` becomes `project_connection_id`",
    ),
    ToolRow(
        "azure_ai_search", "azure_ai_search", write_ai_search, read_ai_search,
        "`tool_resources.azure_ai_search.indexes` move into the tool; `index_connection_id` becomes "
        "`project_connection_id`",
    ),
    ToolRow(
        "openapi", "openapi",
        openapi_converter("connection", "project_connection", (OLD_CONNECTION, NEW_CONNECTION)),
        openapi_converter("project_connection", "connection", (NEW_CONNECTION, OLD_CONNECTION)),
        "authentication `connection` becomes `project_connection`; the read-only `functions` are left out",
    ),
    ToolRow("azure_function", "azure_function", copy_tool, copy_tool, "unchanged"),
    ToolRow(
        "mcp", "mcp", write_mcp, read_mcp,
        "`require_approval` of `tool_resources.mcp` moves into the tool; headers are never written",
    ),
    connection_list_row(
        "fabric_dataagent", "fabric_dataagent_preview", "connections", "project_connections",
        "type and keys renamed",
    ),
    connection_list_row(
        "sharepoint_grounding", "sharepoint_grounding_preview", "connections", "project_connections",
        "type and keys renamed",
    ),
    ToolRow(
        "browser_automation", "browser_automation_preview", write_browser, read_browser,
        "type renamed; `connection.id` becomes `connection.project_connection_id`",
    ),
    ToolRow(
        "computer_use_preview", "computer_use_preview", write_computer, read_computer,
        "un-nested",
    ),
)  # fmt: skip

ROW_BY_OLD_TYPE: Mapping[str, ToolRow] = {row.old: row for row in TOOL_ROWS}
ROW_BY_NEW_TYPE: Mapping[str, ToolRow] = {row.new: row for row in TOOL_ROWS}

# Tools of the older generation without a counterpart in the newer one -> what a user can do.
TOOLS_WITHOUT_COUNTERPART: Mapping[str, str] = {
    "connected_agent": "build a workflow, or an a2a tool, by hand",
    "deep_research": "use a deep research model with web_search or an mcp tool",
    "event_binding": "rebuild by hand what it triggers",
    "output_binding": "look at capture_structured_outputs and set it up by hand",
}


def to_foundry_tool(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    """A canonical tool in the form of a new agent."""
    row = ROW_BY_OLD_TYPE.get(str(tool.get("type")))
    return row.write(tool, resources) if row else dict(tool)


def to_canonical_tool(tool: JSON, resources: ToolResources) -> JSON:
    """A new agent's tool in canonical form; what belongs to `tool_resources` is added to `resources`."""
    row = ROW_BY_NEW_TYPE.get(str(tool.get("type"))) if isinstance(tool, Mapping) else None
    return row.read(dict(tool), resources) if row else tool
