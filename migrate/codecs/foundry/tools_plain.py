"""Tools without connections: functions, code, file search, MCP, computer use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.foundry.toolrow import Resources, Tool, said, unnested
from migrate.model import JSON

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
