"""Converts an assistant of the older generation to the agent that it has to become.

Written from the documented tools of both services, not from the program, whose results are compared with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
ID = "project_connection_id"
RANKERS = {"default_2024_08_21": "default-2024-11-15"}
NO_PARAMETERS = {"type": "object", "properties": {}}


def definition(row: Json) -> Json:
    """The definition of the agent, without its tools."""
    said: Json = {"model": row["model"], "instructions": row.get("instructions") or ""}
    said |= {name: row.get(name) for name in ("temperature", "top_p")}
    format_ = row.get("response_format")
    if isinstance(format_, dict):
        inner = {k: v for k, v in (format_.get("json_schema") or {}).items() if v is not None}
        # Without `strict` a schema is not strict on the older service, and strict on the newer one.
        strict = {"strict": bool(inner.get("strict"))} if inner else {}
        said["text"] = {"format": {"type": format_["type"], **inner, **strict}}
    if row.get("reasoning_effort"):
        said["reasoning"] = {"effort": row["reasoning_effort"]}
    return said


def tools(row: Json) -> list[Json]:
    """The tools of the agent, each with the resources that it may use."""
    resources = row.get("tool_resources") or {}
    return [FORMS.get(tool["type"], _as_it_is)(tool, resources) for tool in row.get("tools") or []]


def _as_it_is(tool: Json, _: Json) -> Json:
    return tool


def _function(tool: Json, _: Json) -> Json:
    inner = tool["function"]
    told = {k: inner[k] for k in ("name", "description") if inner.get(k) is not None}
    return {
        "type": "function",
        **told,
        "parameters": NO_PARAMETERS if inner.get("parameters") is None else inner["parameters"],
        "strict": bool(inner.get("strict")),
    }


def _code(tool: Json, resources: Json) -> Json:
    files = (resources.get("code_interpreter") or {}).get("file_ids") or []
    return {"type": "code_interpreter", "container": {"type": "auto", "file_ids": files}}


def _file_search(tool: Json, resources: Json) -> Json:
    options = {k: v for k, v in (tool.get("file_search") or {}).items() if v is not None}
    ranking = options.get("ranking_options")
    if ranking:
        options["ranking_options"] = {
            **ranking,
            "ranker": RANKERS.get(ranking.get("ranker"), ranking.get("ranker")),
        }
    stores = (resources.get("file_search") or {}).get("vector_store_ids") or []
    return {"type": "file_search", "vector_store_ids": stores, **options}


def _configured(type_: str, list_: str) -> Callable[[Json, Json], Json]:
    """A tool with a list of connections under its own name."""

    def form(tool: Json, _: Json) -> Json:
        (rows,) = (value for value in tool[tool["type"]].values() if isinstance(value, list))
        moved = [{ID: row["connection_id"], **_without(row, "connection_id")} for row in rows]
        return {"type": type_, type_: {list_: moved}}

    return form


def _ai_search(tool: Json, resources: Json) -> Json:
    rows = (resources.get("azure_ai_search") or {}).get("indexes") or []
    moved = [{ID: row["index_connection_id"], **_without(row, "index_connection_id")} for row in rows]
    return {"type": "azure_ai_search", "azure_ai_search": {"indexes": moved}}


def _openapi(tool: Json, _: Json) -> Json:
    inner = _without(tool["openapi"], "functions")
    auth = inner["auth"]
    if auth["type"] == "anonymous":
        auth = {"type": "anonymous"}
    elif auth["type"] == "connection":
        scheme = {ID: auth["security_scheme"]["connection_id"]}
        auth = {"type": "project_connection", "security_scheme": scheme}
    return {"type": "openapi", "openapi": {**inner, "auth": auth}}


def _mcp(tool: Json, resources: Json) -> Json:
    rows = {row["server_label"]: row for row in resources.get("mcp") or []}
    approval = rows.get(tool["server_label"], {}).get("require_approval")
    return {**tool, **({"require_approval": approval} if approval else {})}


def _browser(tool: Json, _: Json) -> Json:
    type_ = "browser_automation_preview"
    return {"type": type_, type_: {"connection": {ID: tool["browser_automation"]["connection"]["id"]}}}


def _computer(tool: Json, _: Json) -> Json:
    return {"type": "computer_use_preview", **tool["computer_use_preview"]}


def _without(row: Json, *names: str) -> Json:
    return {k: v for k, v in row.items() if k not in names and v is not None}


FORMS: dict[str, Callable[[Json, Json], Json]] = {
    "function": _function,
    "code_interpreter": _code,
    "file_search": _file_search,
    "bing_grounding": _configured("bing_grounding", "search_configurations"),
    "bing_custom_search": _configured("bing_custom_search_preview", "search_configurations"),
    "azure_ai_search": _ai_search,
    "openapi": _openapi,
    "mcp": _mcp,
    "fabric_dataagent": _configured("fabric_dataagent_preview", "project_connections"),
    "sharepoint_grounding": _configured("sharepoint_grounding_preview", "project_connections"),
    "browser_automation": _browser,
    "computer_use_preview": _computer,
}
