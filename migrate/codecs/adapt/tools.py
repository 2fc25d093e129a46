"""Tools and `tool_resources` made to fit: what of them the target can store, and which ids it can resolve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.normalize import resource_has_content
from migrate.model.references import TOOL_RESOURCE_LISTS, is_template, tool_resource_ids

# What means the same as leaving it out.
FUNCTION_DEFAULTS: dict[str, JSON] = {
    "description": "",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}


def complete_function(function: Mapping[str, JSON], target: Target, losses: LossCollector) -> dict[str, JSON]:
    """The function with what the target requires; only an invented emptiness is told."""
    said = {k: v for k, v in function.items() if v is not None}
    added = {
        name: FUNCTION_DEFAULTS[name]
        for name in target.capabilities.required_function_fields
        if name not in said
    }
    empty = [name for name in added if name != "strict"]
    if empty:
        what = " and ".join(empty)
        losses.add_adapted("tools", f"function {said['name']} gets an empty {what}: the target requires it")
    return {**said, **added}


_SEARCH = ("connection_id", "market", "set_lang", "count", "freshness")
_SCREEN = ("display_width", "display_height", "environment")

# Type -> paths in the tool; what lies below a path comes along whole.
PORTABLE_TOOL_PATHS: Mapping[str, tuple[str, ...]] = {
    "code_interpreter": (),
    "file_search": (
        "file_search.max_num_results",
        "file_search.ranking_options.ranker",
        "file_search.ranking_options.score_threshold",
    ),
    "function": tuple(f"function.{key}" for key in ("name", "description", "parameters", "strict")),
    "bing_grounding": tuple(f"bing_grounding.search_configurations[].{key}" for key in _SEARCH),
    "bing_custom_search": tuple(
        f"bing_custom_search.search_configurations[].{key}" for key in (*_SEARCH, "instance_name")
    ),
    "azure_ai_search": (),
    "openapi": (
        *(f"openapi.{key}" for key in ("name", "description", "spec", "default_params", "auth.type")),
        *(f"openapi.auth.security_scheme.{key}" for key in ("connection_id", "audience")),
    ),
    "azure_function": tuple(
        f"azure_function.{key}" for key in ("function", "input_binding", "output_binding")
    ),
    "mcp": ("server_label", "server_url", "allowed_tools"),
    "fabric_dataagent": ("fabric_dataagent.connections[].connection_id",),
    "sharepoint_grounding": ("sharepoint_grounding.connections[].connection_id",),
    "browser_automation": ("browser_automation.connection.id",),
    "computer_use_preview": (*_SCREEN, *(f"computer_use_preview.{key}" for key in _SCREEN)),
    "connected_agent": tuple(f"connected_agent.{key}" for key in ("id", "name", "description")),
    "deep_research": ("deep_research",),
}


def portable_tool(tool: Mapping[str, JSON], target: Target, losses: LossCollector) -> dict[str, Any]:
    """The tool with the keys that another type of service can know; each one left out is told."""
    type_ = str(tool.get("type"))
    if type_ == "openapi" and isinstance(tool.get("openapi"), Mapping):  # what it read out of `spec`
        tool = {**tool, "openapi": {k: v for k, v in tool["openapi"].items() if k != "functions"}}
    if target.source_type == target.capabilities.service or type_ not in PORTABLE_TOOL_PATHS:
        return dict(tool)
    left: list[str] = []
    kept: dict[str, Any] = _select_paths(dict(tool), ("type", *PORTABLE_TOOL_PATHS[type_]), "", left)
    if left:
        reason = f"{type_}: {target.capabilities.service} has no place for {', '.join(left)}"
        losses.add_lost("tools", reason, "kept in the archive")
    return kept


def _select_paths(node: JSON, paths: Iterable[str], at: str, left: list[str]) -> Any:
    """What lies on the paths; adds the paths of what does not to `left`."""
    below: dict[str, list[str]] = {}
    for path in paths:
        name, _, rest = path.partition(".")
        below.setdefault(name.removesuffix("[]"), []).append(rest)
    kept: dict[str, Any] = {}
    for name, value in node.items():
        rests = below.get(name)
        if rests is None:
            if value not in (None, {}, []):
                left.append(f"{at}{name}")
        elif "" in rests:
            kept[name] = value
        elif isinstance(value, list):
            rows = [
                _select_paths(row, rests, f"{at}{name}[].", left) for row in value if isinstance(row, dict)
            ]
            kept[name] = rows
        elif isinstance(value, dict):
            inner = _select_paths(value, rests, f"{at}{name}.", left)
            kept |= {name: inner} if inner or not value else {}
    return kept


def fit_resources(entity: Entity, target: Target, losses: LossCollector) -> dict[str, Any]:
    """tool_resources with only what the target knows and can reach."""
    given = entity.fields.get("tool_resources") or {}
    most = {
        "code_interpreter": target.capabilities.code_files_max,
        "file_search": target.capabilities.stores_per_owner_max,
    }
    out: dict[str, Any] = {}
    for branch, value in given.items() if isinstance(given, Mapping) else ():
        if not resource_has_content(branch, value):
            continue
        if branch in target.capabilities.resources:
            out[branch] = value
            continue
        if branch not in TOOL_RESOURCE_LISTS or not isinstance(value, Mapping):
            losses.add_lost(f"tool_resources.{branch}", f"{target.capabilities.service} has no such resource")
            continue
        key, kind = TOOL_RESOURCE_LISTS[branch]
        path = f"tool_resources.{branch}.{key}"
        ids = movable_ids(tool_resource_ids(given, branch), kind, path, target, losses)
        if target.capabilities.limits_not_enforced and target.source_type == target.capabilities.service:
            most[branch] = max(most[branch], len(ids))
        for left in ids[most[branch] :]:
            losses.add_lost(
                path, f"{left} is beyond the limit of {most[branch]}", "attach it elsewhere by hand"
            )
        for other in sorted(set(value) - {key}):
            if value[other]:
                losses.add_lost(
                    f"tool_resources.{branch}.{other}", f"{target.capabilities.service} does not take it"
                )
        if ids:
            out[branch] = {key: ids[: most[branch]]}
    return out


def movable_ids(ids: list[JSON], kind: str, path: str, target: Target, losses: LossCollector) -> list[JSON]:
    """The ids that will have a counterpart, each once; any other is told."""
    kept: list[JSON] = []
    for one in ids:
        if one in kept:
            continue
        templates = target.capabilities.templates and target.source_type == target.capabilities.service
        if target.has(kind, one) or (templates and is_template(str(one))):
            kept.append(one)
        else:
            losses.add_lost(
                path, f"{kind} {one} cannot be moved or no longer exists", "see its own line, if any"
            )
    return kept
