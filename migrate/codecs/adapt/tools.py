"""Tools and `tool_resources` made to fit: what of them the target can store, and which ids it can resolve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.normalize import resource_has_content
from migrate.model.references import TOOL_RESOURCE_LISTS, is_template, tool_resource_ids

# Fields of a function, with the value that means the same as leaving the field out.
FUNCTION_DEFAULTS: dict[str, JSON] = {
    "description": "",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}


def complete_function(function: Mapping[str, JSON], target: Target, losses: LossCollector) -> dict[str, JSON]:
    """The function with every field that the target requires; a field added empty is reported."""
    given = {k: v for k, v in function.items() if v is not None}
    required = target.capabilities.required_function_fields
    added = {name: FUNCTION_DEFAULTS[name] for name in required if name not in given}
    empty = " and ".join(name for name in added if name != "strict")
    if empty:
        reason = f"function {given['name']} gets an empty {empty}: the target requires it"
        losses.add_adapted("tools", reason)
    return {**given, **added}


_SEARCH_KEYS = "connection_id market set_lang count freshness".split()
_SCREEN_KEYS = "display_width display_height environment".split()


def _paths(prefix: str, keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}.{key}" for key in keys)


# Type of tool -> the paths in it that every service of the older generation knows. A path includes all below
# it. Keys elsewhere are known to one service only: they are kept on the same type of service, where they were
# accepted before, and lost on another.
PORTABLE_TOOL_PATHS: Mapping[str, tuple[str, ...]] = {
    "code_interpreter": (),
    "file_search": (
        "file_search.max_num_results",
        "file_search.ranking_options.ranker",
        "file_search.ranking_options.score_threshold",
    ),
    "function": _paths("function", ("name", "description", "parameters", "strict")),
    "bing_grounding": _paths("bing_grounding.search_configurations[]", _SEARCH_KEYS),
    "bing_custom_search": _paths(
        "bing_custom_search.search_configurations[]", (*_SEARCH_KEYS, "instance_name")
    ),
    "azure_ai_search": (),
    "openapi": (
        *_paths("openapi", ("name", "description", "spec", "default_params", "auth.type")),
        *_paths("openapi.auth.security_scheme", ("connection_id", "audience")),
    ),
    "azure_function": _paths("azure_function", ("function", "input_binding", "output_binding")),
    "mcp": ("server_label", "server_url", "allowed_tools"),
    "fabric_dataagent": ("fabric_dataagent.connections[].connection_id",),
    "sharepoint_grounding": ("sharepoint_grounding.connections[].connection_id",),
    "browser_automation": ("browser_automation.connection.id",),
    "computer_use_preview": (*_SCREEN_KEYS, *_paths("computer_use_preview", _SCREEN_KEYS)),
    "connected_agent": _paths("connected_agent", ("id", "name", "description")),
    "deep_research": ("deep_research",),
}


def portable_tool(tool: Mapping[str, JSON], target: Target, losses: LossCollector) -> dict[str, Any]:
    """The tool with the keys that the target's type of service can know; keys left out are reported."""
    type_ = str(tool.get("type"))
    openapi = tool.get("openapi") if type_ == "openapi" else None
    if isinstance(openapi, Mapping):  # the service derives `functions` from `spec`
        tool = {**tool, "openapi": {k: v for k, v in openapi.items() if k != "functions"}}
    if target.source_type == target.capabilities.service or type_ not in PORTABLE_TOOL_PATHS:
        return dict(tool)
    lost: list[str] = []
    kept: dict[str, Any] = _select_paths(tool, ("type", *PORTABLE_TOOL_PATHS[type_]), "", lost)
    if lost:
        reason = f"{type_}: {target.capabilities.service} cannot store {', '.join(lost)}"
        losses.add_lost("tools", reason, "kept in the archive")
    return kept


def _select_paths(
    node: Mapping[str, JSON], paths: Iterable[str], prefix: str, lost: list[str]
) -> dict[str, Any]:
    """The values at the paths. Appends the path of each other value that is not empty to `lost`."""
    below: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        below.setdefault(name.removesuffix("[]"), []).append(rest)
    kept: dict[str, Any] = {}
    for name, value in node.items():
        rests = below.get(name)
        if rests is None:
            if value not in (None, {}, []):
                lost.append(f"{prefix}{name}")
        elif "" in rests:
            kept[name] = value
        elif isinstance(value, list):
            rows = (row for row in value if isinstance(row, dict))
            kept[name] = [_select_paths(row, rests, f"{prefix}{name}[].", lost) for row in rows]
        elif isinstance(value, dict):
            inner = _select_paths(value, rests, f"{prefix}{name}.", lost)
            if inner or not value:
                kept[name] = inner
    return kept


def fit_resources(entity: Entity, target: Target, losses: LossCollector) -> dict[str, Any]:
    """`tool_resources` with the branches that the target knows and the ids that will have a counterpart."""
    capabilities = target.capabilities
    given = entity.fields.get("tool_resources")
    limits = {
        "code_interpreter": capabilities.code_files_max,
        "file_search": capabilities.stores_per_owner_max,
    }
    resources: dict[str, Any] = {}
    for branch, value in given.items() if isinstance(given, Mapping) else ():
        if not resource_has_content(branch, value):
            continue
        if branch in capabilities.resources:
            resources[branch] = value
            continue
        if branch not in TOOL_RESOURCE_LISTS or not isinstance(value, Mapping):
            losses.add_lost(f"tool_resources.{branch}", f"{capabilities.service} has no such resource")
            continue
        key, kind = TOOL_RESOURCE_LISTS[branch]
        path, limit = f"tool_resources.{branch}.{key}", limits[branch]
        ids = movable_ids(tool_resource_ids(given, branch), kind, path, target, losses)
        if capabilities.limits_not_enforced and target.source_type == capabilities.service:
            limit = max(limit, len(ids))
        for id_ in ids[limit:]:
            losses.add_lost(path, f"{id_} is beyond the limit of {limit}", "attach it elsewhere by hand")
        for name in sorted(set(value) - {key}):
            if value[name]:
                losses.add_lost(f"tool_resources.{branch}.{name}", f"{capabilities.service} does not take it")
        if ids:
            resources[branch] = {key: ids[:limit]}
    return resources


def movable_ids(
    ids: Iterable[JSON], kind: str, path: str, target: Target, losses: LossCollector
) -> list[JSON]:
    """The ids that will have a counterpart, each once; every other id is reported as lost at `path`."""
    templates = target.capabilities.templates and target.source_type == target.capabilities.service
    kept: list[JSON] = []
    for id_ in ids:
        if id_ in kept:
            continue
        if target.has(kind, id_) or (templates and is_template(str(id_))):
            kept.append(id_)
        else:
            losses.add_lost(
                path, f"{kind} {id_} cannot be moved or no longer exists", "see its own line, if any"
            )
    return kept
