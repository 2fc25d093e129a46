"""Tools, one row each: the older generation's form (canonical) <-> the one a prompt agent holds.

What the older generation keeps in `tool_resources` lies inside the tool here, `connection_id` becomes
`project_connection_id`, functions are flat, and some types carry `_preview`. A tool without a row has no
older form: it is canonical as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.model import JSON
from migrate.model.references import tool_resource_ids

ToolBody = dict[str, Any]
ToolResources = dict[str, Any]


@dataclass(frozen=True)
class ToolRow:
    """`write(tool, resources)` gives the new form; `read(tool, resources)` the old one, and puts what
    belongs there into `resources`. `how` says in words what changes, for the support matrix."""

    old: str
    new: str
    write: Callable[[ToolBody, Mapping[str, JSON]], ToolBody]
    read: Callable[[ToolBody, ToolResources], ToolBody]
    how: str


def drop_nulls(value: Mapping[str, JSON]) -> ToolBody:
    """What is said: a null says nothing."""
    return {k: v for k, v in value.items() if v is not None}


def flatten_tool(tool: ToolBody, name: str) -> ToolBody:
    """A tool whose settings lie under its own name, as the older generation and Microsoft's migration script
    write them, with the settings beside its type. Where both spellings stand in one tool nothing is moved: no
    key that is there is ever replaced."""
    inner = tool.get(name)
    if name in tool and inner is None:
        return {k: v for k, v in tool.items() if k != name}  # a null says nothing
    if not isinstance(inner, Mapping) or inner.keys() & tool.keys():
        return tool
    return {**{k: v for k, v in tool.items() if k != name}, **inner}


FUNCTION_KEYS = ("name", "description", "parameters", "strict")


def write_function(tool: ToolBody, _: Mapping[str, JSON]) -> ToolBody:
    rest = {k: v for k, v in tool.items() if k != "function"}
    return {**rest, **drop_nulls(tool.get("function") or {})}


def read_function(tool: ToolBody, _: ToolResources) -> ToolBody:
    """Flat, as the service documents it, or nested, as it is found too. One that is spelled both ways stays
    as it stands."""
    tool = flatten_tool(tool, "function")
    if "function" in tool:
        return dict(tool)
    inner = {name: tool[name] for name in FUNCTION_KEYS if name in tool}
    return {**{k: v for k, v in tool.items() if k not in FUNCTION_KEYS}, "function": inner}


# ------------------------------------------------------------------------------------- files and stores

FILE_SEARCH_OPTIONS = ("max_num_results", "ranking_options")
# Ranker of the older generation -> the newer one's, which it does not know by the old name.
FOUNDRY_RANKERS = {"default_2024_08_21": "default-2024-11-15"}


def write_search(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    options = drop_nulls(tool.get("file_search") or {})
    ranking = options.get("ranking_options")
    if isinstance(ranking, Mapping):
        ranker = ranking.get("ranker")
        options["ranking_options"] = drop_nulls(
            {**ranking, "ranker": FOUNDRY_RANKERS.get(str(ranker), ranker)}
        )
    rest = {k: v for k, v in tool.items() if k not in ("file_search", "type")}
    stores = tool_resource_ids(resources, "file_search")
    return {"type": "file_search", "vector_store_ids": stores, **options, **rest}


def read_search(tool: ToolBody, resources: ToolResources) -> ToolBody:
    tool = flatten_tool(tool, "file_search")
    options = (
        () if "file_search" in tool else FILE_SEARCH_OPTIONS
    )  # spelled both ways: they stay where they are
    stores = tool.get("vector_store_ids")
    inside = {name: tool[name] for name in options if name in tool}
    rest = {k: v for k, v in tool.items() if k not in options}
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
        rest = {k: v for k, v in tool.items() if k != "file_ids"}
        tool = {**rest, "container": {"type": "auto", "file_ids": tool["file_ids"]}}
    container = tool.get("container")
    if not isinstance(container, Mapping) or container.get("type", "auto") != "auto":
        return dict(tool)
    held = container.get("file_ids")
    if held is not None and not isinstance(held, list):
        return dict(tool)
    kept = {k: v for k, v in container.items() if k != "type"}
    if "code_interpreter" in resources:
        kept["file_ids"] = held or []  # a further tool never uses the files of the first
    else:
        kept.pop("file_ids", None)
        resources["code_interpreter"] = {"file_ids": held or []}
    rest = {k: v for k, v in tool.items() if k != "container"}
    return {**rest, **({"container": kept} if kept else {})}


APPROVAL_KEY = "require_approval"


def write_mcp(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    """Approval is said beside the tool by the older generation. Headers never come along."""
    if APPROVAL_KEY in tool:
        return dict(tool)
    rows = resources.get("mcp")
    for row in rows if isinstance(rows, list) else []:
        copy_tool = isinstance(row, Mapping) and row.get("server_label") == tool.get("server_label")
        if copy_tool and row.get(APPROVAL_KEY) is not None:
            return {**tool, APPROVAL_KEY: row[APPROVAL_KEY]}
    return dict(tool)


def read_mcp(tool: ToolBody, resources: ToolResources) -> ToolBody:
    tool = flatten_tool(tool, "mcp")
    drop_nulls = {k: tool[k] for k in (APPROVAL_KEY, "headers") if tool.get(k) is not None}
    if drop_nulls:
        row = {"server_label": tool.get("server_label"), **drop_nulls}
        resources.setdefault("mcp", []).append(row)
    return {k: v for k, v in tool.items() if k not in drop_nulls}


def write_computer(tool: ToolBody, _: Mapping[str, JSON]) -> ToolBody:
    return flatten_tool(tool, "computer_use_preview")


def read_computer(tool: ToolBody, _: ToolResources) -> ToolBody:
    if isinstance(tool.get("computer_use_preview"), Mapping):
        return dict(tool)  # nested already
    return {"type": tool["type"], "computer_use_preview": {k: v for k, v in tool.items() if k != "type"}}


def copy_tool(tool: ToolBody, _: Any) -> ToolBody:
    return dict(tool)


OLD_CONNECTION, NEW_CONNECTION = "connection_id", "project_connection_id"


def _renamed(row: JSON, old: str, new: str) -> JSON:
    """One row under another key; the other keys in their places. One that has both keys stays as it is."""
    if isinstance(row, Mapping) and old in row and new in row:
        return row
    return {new if k == old else k: v for k, v in row.items()} if isinstance(row, Mapping) else row


def connection_list_row(
    old: str, new: str, list_old: str, list_new: str, how: str, key: str = OLD_CONNECTION
) -> ToolRow:
    """A tool that is configured by a list of rows, each naming a connection."""

    def turned(
        tool: ToolBody, inner: tuple[str, str], lists: tuple[str, str], keys: tuple[str, str]
    ) -> ToolBody:
        held = tool.get(inner[0])
        if _spelled_twice(tool, inner) or (isinstance(held, Mapping) and _spelled_twice(held, lists)):
            return dict(tool)
        if not isinstance(held, Mapping):
            return {**tool, "type": inner[1]}
        if lists[0] not in held:
            return {**{k: v for k, v in tool.items() if k != inner[0]}, "type": inner[1], inner[1]: held}
        rows = held.get(lists[0])
        moved = [_renamed(row, *keys) for row in rows] if isinstance(rows, list) else rows
        rest = {k: v for k, v in held.items() if k != lists[0]}
        kept = {k: v for k, v in tool.items() if k != inner[0]}
        return {**kept, "type": inner[1], inner[1]: {**rest, lists[1]: moved}}

    return ToolRow(
        old,
        new,
        lambda tool, _: (
            dict(tool)  # read from the newer generation under the older name
            if _is_new(tool.get(old), list_new)
            else turned(tool, (old, new), (list_old, list_new), (key, NEW_CONNECTION))
        ),
        lambda tool, _: turned(tool, (new, old), (list_new, list_old), (NEW_CONNECTION, key)),
        how,
    )


def _spelled_twice(node: Mapping[str, JSON], names: tuple[str, str]) -> bool:
    """Whether both generations' words for one key stand beside each other: then neither is replaced."""
    return names[0] != names[1] and names[0] in node and names[1] in node


def _is_new(held: JSON, list_new: str) -> bool:
    """Whether the rows name connections as the newer generation does."""
    rows = held.get(list_new) if isinstance(held, Mapping) else None
    found = rows if isinstance(rows, list) else []
    return bool(found) and all(isinstance(row, Mapping) and NEW_CONNECTION in row for row in found)


def write_ai_search(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    held = resources.get("azure_ai_search") or {}
    rows = held.get("indexes") if isinstance(held, Mapping) else None
    own = tool.get("azure_ai_search")
    if own is not None and (not isinstance(own, Mapping) or "indexes" in own):
        return dict(tool)
    found = rows if isinstance(rows, list) else []
    indexes = [
        drop_nulls(_renamed(row, "index_connection_id", NEW_CONNECTION))
        for row in found
        if isinstance(row, Mapping)
    ]
    return {**tool, "azure_ai_search": {**(own or {}), "indexes": indexes}}


def read_ai_search(tool: ToolBody, resources: ToolResources) -> ToolBody:
    held = tool.get("azure_ai_search")
    rows = held.get("indexes") if isinstance(held, Mapping) else None
    if not isinstance(held, Mapping) or not isinstance(rows, list) or "azure_ai_search" in resources:
        return dict(tool)  # a further tool keeps its own indexes
    found = resources.setdefault("azure_ai_search", {}).setdefault("indexes", [])
    found += [_renamed(row, NEW_CONNECTION, "index_connection_id") for row in rows]
    rest = {k: v for k, v in held.items() if k != "indexes"}
    kept = {k: v for k, v in tool.items() if k != "azure_ai_search"}
    return {**kept, "azure_ai_search": rest} if rest else kept


OPENAPI_KEYS = ("name", "description", "spec", "auth", "default_params")


def _nested(tool: ToolBody) -> ToolBody:
    """An openapi tool whose settings lie beside its type (recorded 2025-11, with `openapi: null`), with the
    settings under its name."""
    if tool.get("openapi") is not None or "spec" not in tool:
        return tool
    rest = {k: v for k, v in tool.items() if k not in (*OPENAPI_KEYS, "openapi")}
    return {**rest, "openapi": {k: tool[k] for k in OPENAPI_KEYS if k in tool}}


def openapi_converter(
    auth_old: str, auth_new: str, keys: tuple[str, str]
) -> Callable[[ToolBody, Any], ToolBody]:
    def turned(tool: ToolBody, _: Any) -> ToolBody:
        tool = _nested(tool)
        inner = tool.get("openapi")
        if not isinstance(inner, Mapping):
            return dict(tool)
        kept = {k: v for k, v in inner.items() if k != "functions"}
        auth = kept.get("auth")
        if isinstance(auth, Mapping) and auth.get("type") == auth_old:
            scheme = _renamed(auth.get("security_scheme"), *keys)
            auth = {**auth, "type": auth_new, **({"security_scheme": scheme} if scheme else {})}
        if isinstance(auth, Mapping):  # anonymous sign-in is shown with an empty scheme (recorded)
            kept["auth"] = {k: v for k, v in auth.items() if v != {}}
        return {**tool, "openapi": kept}

    return turned


def write_browser(tool: ToolBody, _: Mapping[str, JSON]) -> ToolBody:
    inner = tool.get("browser_automation")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("connection"), Mapping):
        return dict(tool)
    connection = inner["connection"]
    if NEW_CONNECTION in connection:  # read from the newer generation under the newer name
        return dict(tool)
    moved = _renamed(_renamed(connection, "id", NEW_CONNECTION), OLD_CONNECTION, NEW_CONNECTION)
    kept = {k: v for k, v in tool.items() if k != "browser_automation"}
    new = "browser_automation_preview"
    return {**kept, "type": new, new: {**inner, "connection": moved}}


def read_browser(tool: ToolBody, _: ToolResources) -> ToolBody:
    inner = tool.get("browser_automation_preview")
    kept = {k: v for k, v in tool.items() if k != "browser_automation_preview"}
    if not isinstance(inner, Mapping) or not isinstance(inner.get("connection"), Mapping):
        return dict(tool)
    if "browser_automation" in tool or "id" in inner["connection"]:
        return dict(tool)  # spelled both ways
    moved = {**inner, "connection": _renamed(inner.get("connection"), NEW_CONNECTION, "id")}
    return {**kept, "type": "browser_automation", "browser_automation": moved}


TOOL_ROWS: tuple[ToolRow, ...] = (
    ToolRow(
        "function", "function", write_function, read_function,
        "flattened; absent parameters and `strict` are said as empty and false",
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
    ToolRow("azure_function", "azure_function", copy_tool, copy_tool, "as it is"),
    ToolRow(
        "mcp", "mcp", write_mcp, read_mcp,
        "`require_approval` of `tool_resources.mcp` moves into the tool; headers are secrets and stay behind",
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

# Tools of the older generation that the newer one has no counterpart for -> the way out.
TOOLS_WITHOUT_COUNTERPART: Mapping[str, str] = {
    "connected_agent": "build a workflow, or an a2a tool, by hand",
    "deep_research": "use a deep research model with web_search or an mcp tool",
    "event_binding": "rebuild what it triggers by hand",
    "output_binding": "look at capture_structured_outputs and set it up by hand",
}


def to_foundry_tool(tool: ToolBody, resources: Mapping[str, JSON]) -> ToolBody:
    """A canonical tool in the form of a prompt agent."""
    row = ROW_BY_OLD_TYPE.get(str(tool.get("type")))
    return row.write(tool, resources) if row else dict(tool)


def to_canonical_tool(tool: JSON, resources: ToolResources) -> JSON:
    """A prompt agent's tool in canonical form; what the older generation keeps apart goes to `resources`."""
    row = ROW_BY_NEW_TYPE.get(str(tool.get("type"))) if isinstance(tool, Mapping) else None
    return row.read(dict(tool), resources) if row else tool
