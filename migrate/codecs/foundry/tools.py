"""Tools, one row each: the older generation's form (canonical) <-> the one a prompt agent holds.

What the older generation keeps in `tool_resources` lies inside the tool here, `connection_id` becomes
`project_connection_id`, functions are flat, and some types carry `_preview`. A tool without a row has no
older form: it is canonical as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.codecs.foundry import tools as linked
from migrate.codecs.foundry import tools as plain
from migrate.model import JSON

Tool = dict[str, Any]
Resources = dict[str, Any]


@dataclass(frozen=True)
class ToolRow:
    """`write(tool, resources)` gives the new form; `read(tool, resources)` the old one, and puts what
    belongs there into `resources`. `how` says in words what changes, for the support matrix."""

    old: str
    new: str
    write: Callable[[Tool, Mapping[str, JSON]], Tool]
    read: Callable[[Tool, Resources], Tool]
    how: str


def said(value: Mapping[str, JSON]) -> Tool:
    """What is said: a null says nothing."""
    return {k: v for k, v in value.items() if v is not None}


def unnested(tool: Tool, name: str) -> Tool:
    """A tool whose settings lie under its own name, as the older generation and Microsoft's migration script
    write them, with the settings beside its type. Where both spellings stand in one tool nothing is moved: no
    key that is there is ever replaced."""
    inner = tool.get(name)
    if name in tool and inner is None:
        return {k: v for k, v in tool.items() if k != name}  # a null says nothing
    if not isinstance(inner, Mapping) or inner.keys() & tool.keys():
        return tool
    return {**{k: v for k, v in tool.items() if k != name}, **inner}


FUNCTION = ("name", "description", "parameters", "strict")


def write_function(tool: Tool, _: Mapping[str, JSON]) -> Tool:
    rest = {k: v for k, v in tool.items() if k != "function"}
    return {**rest, **said(tool.get("function") or {})}


def read_function(tool: Tool, _: Resources) -> Tool:
    """Flat, as the service documents it, or nested, as it is found too. One that is spelled both ways stays
    as it stands."""
    tool = unnested(tool, "function")
    if "function" in tool:
        return dict(tool)
    inner = {name: tool[name] for name in FUNCTION if name in tool}
    return {**{k: v for k, v in tool.items() if k not in FUNCTION}, "function": inner}


# ------------------------------------------------------------------------------------- files and stores

OPTIONS = ("max_num_results", "ranking_options")
RANKERS = {"default_2024_08_21": "default-2024-11-15"}
"""Ranker of the older generation -> the newer one's, which it does not know by the old name."""


def write_search(tool: Tool, resources: Mapping[str, JSON]) -> Tool:
    options = said(tool.get("file_search") or {})
    ranking = options.get("ranking_options")
    if isinstance(ranking, Mapping):
        ranker = ranking.get("ranker")
        options["ranking_options"] = said({**ranking, "ranker": RANKERS.get(str(ranker), ranker)})
    rest = {k: v for k, v in tool.items() if k not in ("file_search", "type")}
    held = (resources.get("file_search") or {}).get("vector_store_ids") or []
    return {"type": "file_search", "vector_store_ids": list(held), **options, **rest}


def read_search(tool: Tool, resources: Resources) -> Tool:
    tool = unnested(tool, "file_search")
    options = () if "file_search" in tool else OPTIONS  # spelled both ways: they stay where they are
    stores = tool.get("vector_store_ids")
    inside = {name: tool[name] for name in options if name in tool}
    rest = {k: v for k, v in tool.items() if k not in options}
    if "file_search" not in resources and isinstance(stores, list):
        resources["file_search"] = {"vector_store_ids": stores}
        del rest["vector_store_ids"]
    return {**rest, **({"file_search": inside} if inside else {})}


def write_code(tool: Tool, resources: Mapping[str, JSON]) -> Tool:
    container = tool.get("container")
    if container is not None and not isinstance(container, Mapping):
        return dict(tool)
    held = (resources.get("code_interpreter") or {}).get("file_ids") or []
    files = {"file_ids": list(held)} if held else {}
    return {**tool, "container": {"type": "auto", **files, **(container or {})}}


def read_code(tool: Tool, resources: Resources) -> Tool:
    tool = unnested(tool, "code_interpreter")
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


APPROVAL = "require_approval"


def write_mcp(tool: Tool, resources: Mapping[str, JSON]) -> Tool:
    """Approval is said beside the tool by the older generation. Headers never come along."""
    if APPROVAL in tool:
        return dict(tool)
    rows = resources.get("mcp")
    for row in rows if isinstance(rows, list) else []:
        same = isinstance(row, Mapping) and row.get("server_label") == tool.get("server_label")
        if same and row.get(APPROVAL) is not None:
            return {**tool, APPROVAL: row[APPROVAL]}
    return dict(tool)


def read_mcp(tool: Tool, resources: Resources) -> Tool:
    tool = unnested(tool, "mcp")
    said = {k: tool[k] for k in (APPROVAL, "headers") if tool.get(k) is not None}
    if said:
        row = {"server_label": tool.get("server_label"), **said}
        resources.setdefault("mcp", []).append(row)
    return {k: v for k, v in tool.items() if k not in said}


def write_computer(tool: Tool, _: Mapping[str, JSON]) -> Tool:
    return unnested(tool, "computer_use_preview")


def read_computer(tool: Tool, _: Resources) -> Tool:
    if isinstance(tool.get("computer_use_preview"), Mapping):
        return dict(tool)  # nested already
    return {"type": tool["type"], "computer_use_preview": {k: v for k, v in tool.items() if k != "type"}}


def same(tool: Tool, _: Any) -> Tool:
    return dict(tool)


OLD, NEW = "connection_id", "project_connection_id"


def _renamed(row: JSON, old: str, new: str) -> JSON:
    """One row under another key; the other keys in their places. One that has both keys stays as it is."""
    if isinstance(row, Mapping) and old in row and new in row:
        return row
    return {new if k == old else k: v for k, v in row.items()} if isinstance(row, Mapping) else row


def connected(old: str, new: str, list_old: str, list_new: str, how: str, key: str = OLD) -> ToolRow:
    """A tool that is configured by a list of rows, each naming a connection."""

    def turned(tool: Tool, inner: tuple[str, str], lists: tuple[str, str], keys: tuple[str, str]) -> Tool:
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
            else turned(tool, (old, new), (list_old, list_new), (key, NEW))
        ),
        lambda tool, _: turned(tool, (new, old), (list_new, list_old), (NEW, key)),
        how,
    )


def _spelled_twice(node: Mapping[str, JSON], names: tuple[str, str]) -> bool:
    """Whether both generations' words for one key stand beside each other: then neither is replaced."""
    return names[0] != names[1] and names[0] in node and names[1] in node


def _is_new(held: JSON, list_new: str) -> bool:
    """Whether the rows name connections as the newer generation does."""
    rows = held.get(list_new) if isinstance(held, Mapping) else None
    found = rows if isinstance(rows, list) else []
    return bool(found) and all(isinstance(row, Mapping) and NEW in row for row in found)


def write_ai_search(tool: Tool, resources: Mapping[str, JSON]) -> Tool:
    held = resources.get("azure_ai_search") or {}
    rows = held.get("indexes") if isinstance(held, Mapping) else None
    own = tool.get("azure_ai_search")
    if own is not None and (not isinstance(own, Mapping) or "indexes" in own):
        return dict(tool)
    found = rows if isinstance(rows, list) else []
    indexes = [said(_renamed(row, "index_connection_id", NEW)) for row in found if isinstance(row, Mapping)]
    return {**tool, "azure_ai_search": {**(own or {}), "indexes": indexes}}


def read_ai_search(tool: Tool, resources: Resources) -> Tool:
    held = tool.get("azure_ai_search")
    rows = held.get("indexes") if isinstance(held, Mapping) else None
    if not isinstance(held, Mapping) or not isinstance(rows, list) or "azure_ai_search" in resources:
        return dict(tool)  # a further tool keeps its own indexes
    found = resources.setdefault("azure_ai_search", {}).setdefault("indexes", [])
    found += [_renamed(row, NEW, "index_connection_id") for row in rows]
    rest = {k: v for k, v in held.items() if k != "indexes"}
    kept = {k: v for k, v in tool.items() if k != "azure_ai_search"}
    return {**kept, "azure_ai_search": rest} if rest else kept


OPENAPI = ("name", "description", "spec", "auth", "default_params")


def _nested(tool: Tool) -> Tool:
    """An openapi tool whose settings lie beside its type (recorded 2025-11, with `openapi: null`), with the
    settings under its name."""
    if tool.get("openapi") is not None or "spec" not in tool:
        return tool
    rest = {k: v for k, v in tool.items() if k not in (*OPENAPI, "openapi")}
    return {**rest, "openapi": {k: tool[k] for k in OPENAPI if k in tool}}


def openapi(auth_old: str, auth_new: str, keys: tuple[str, str]) -> Callable[[Tool, Any], Tool]:
    def turned(tool: Tool, _: Any) -> Tool:
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


def write_browser(tool: Tool, _: Mapping[str, JSON]) -> Tool:
    inner = tool.get("browser_automation")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("connection"), Mapping):
        return dict(tool)
    connection = inner["connection"]
    if NEW in connection:  # read from the newer generation under the newer name
        return dict(tool)
    moved = _renamed(_renamed(connection, "id", NEW), OLD, NEW)
    kept = {k: v for k, v in tool.items() if k != "browser_automation"}
    new = "browser_automation_preview"
    return {**kept, "type": new, new: {**inner, "connection": moved}}


def read_browser(tool: Tool, _: Resources) -> Tool:
    inner = tool.get("browser_automation_preview")
    kept = {k: v for k, v in tool.items() if k != "browser_automation_preview"}
    if not isinstance(inner, Mapping) or not isinstance(inner.get("connection"), Mapping):
        return dict(tool)
    if "browser_automation" in tool or "id" in inner["connection"]:
        return dict(tool)  # spelled both ways
    moved = {**inner, "connection": _renamed(inner.get("connection"), NEW, "id")}
    return {**kept, "type": "browser_automation", "browser_automation": moved}


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
