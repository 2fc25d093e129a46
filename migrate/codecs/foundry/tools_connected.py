"""Tools that reach something through a connection of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.foundry.toolrow import Resources, Tool, ToolRow, said
from migrate.model import JSON

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
