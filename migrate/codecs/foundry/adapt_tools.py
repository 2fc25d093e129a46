"""Tools adapted to a new Foundry agent: which can be written, and what each type requires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.adapt.assistant import first_tools, has_function_name, tool_label
from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.tools import complete_function, movable_ids, portable_tool
from migrate.codecs.adapt.write_form import check_form
from migrate.codecs.foundry.tools import (
    APPROVAL_KEY,
    FOUNDRY_RANKERS,
    ROW_BY_OLD_TYPE,
    TOOLS_WITHOUT_COUNTERPART,
    ToolBody,
    ToolResources,
    read_code,
    read_computer,
    read_function,
    read_search,
    to_foundry_tool,
)
from migrate.codecs.write_forms import foundry
from migrate.model import JSON
from migrate.model.normalize import remove_nulls
from migrate.model.references import tool_resource_ids

# Passed in the place of `tool_resources`, so that a tool keeps its own files and stores.
CLAIMED_RESOURCES: dict[str, Any] = {"file_search": {}, "code_interpreter": {}}

# Types whose settings are beside the type in one generation and under its name in the other.
NESTED_TOOL_READERS: Mapping[str, Callable[[ToolBody, ToolResources], ToolBody]] = {
    "function": read_function,
    "file_search": read_search,
    "code_interpreter": read_code,
    "computer_use_preview": read_computer,
    "mcp": lambda tool, _: tool,
}

# Branch of `tool_resources` -> the type of tool that contains it on this service.
TOOL_OF_RESOURCE = {name: name for name in ("code_interpreter", "file_search", "azure_ai_search", "mcp")}

# Type -> the key under which a second tool of the type has its own files, stores or indexes.
OWN_RESOURCE_KEYS = {
    "code_interpreter": "container",
    "file_search": "vector_store_ids",
    "azure_ai_search": "azure_ai_search",
}

ToolRule = Callable[[ToolBody, Mapping[str, JSON], Target, LossCollector], ToolBody | None]


def merge_spellings(tool: ToolBody, losses: LossCollector) -> ToolBody:
    """The tool in canonical form, with keys that only the nested spelling has.

    Where both spellings have a key with different values, the flat one is kept, and the other is reported.
    """
    type_ = str(tool.get("type"))
    inner = tool.get(type_)
    if type_ not in NESTED_TOOL_READERS or type_ not in tool or not _has_both_spellings(type_, tool, inner):
        return tool
    flat = {k: v for k, v in tool.items() if k != type_}
    nested: Mapping[str, JSON] = inner if isinstance(inner, Mapping) else {}
    lost = [name for name, value in nested.items() if name in flat and flat[name] != value]
    if lost or not isinstance(inner, Mapping):
        names = ", ".join(lost) or "the value"
        reason = f"{type_} is spelled twice: {names} under {type_!r} is left out"
        losses.add_lost("tools", reason, "the archive has both")
    return dict(NESTED_TOOL_READERS[type_]({**nested, **flat}, dict(CLAIMED_RESOURCES)))


def _has_both_spellings(type_: str, tool: ToolBody, inner: JSON) -> bool:
    """Whether a key is in both places, or the nested value is no object."""
    if type_ == "function" and isinstance(inner, Mapping):
        return bool({"name", "description", "parameters", "strict"} & tool.keys())
    return not isinstance(inner, Mapping) or bool((inner.keys() & tool.keys()) - {"type"})


def fit_tools(
    tools: list[JSON], resources: Mapping[str, JSON], target: Target, losses: LossCollector
) -> list[JSON]:
    """The tools that can be written, each as it will be read back."""
    kept: list[JSON] = []
    for tool in tools:
        if fitted := _fit_tool(tool, kept, resources, target, losses):
            kept.append(fitted)
    return first_tools(kept, target, losses)


def _fit_tool(
    tool: JSON, kept: list[JSON], resources: Mapping[str, JSON], target: Target, losses: LossCollector
) -> ToolBody | None:
    """One tool, or None where it cannot be written. `kept`: the tools before it."""
    type_ = str(tool.get("type")) if isinstance(tool, Mapping) else "None"
    if type_ in TOOLS_WITHOUT_COUNTERPART:
        reason = f"there is no counterpart to {tool_label(tool)}"
        losses.add_lost("tools", reason, TOOLS_WITHOUT_COUNTERPART[type_])
        return None
    native = target.source_type == target.capabilities.service
    if not isinstance(tool, Mapping) or (type_ not in ROW_BY_OLD_TYPE and not native):
        losses.add_lost("tools", f"tool {type_!r} is not known to this program", "kept in the archive")
        return None
    merged = merge_spellings(portable_tool(remove_nulls(tool), target, losses), losses)
    own_key = OWN_RESOURCE_KEYS.get(type_)
    if own_key and own_key not in merged and any(type_ == earlier.get("type") for earlier in kept):
        losses.add_lost("tools", f"a second {type_} adds nothing to the first")
        return None
    rule = AGENT_TOOL_RULES.get(type_)
    fitted = rule(merged, resources, target, losses) if rule else merged
    if fitted is None:
        return None
    # The settings of an MCP server in `resources` belong to the first tool of that server.
    label = fitted.get("server_label")
    is_first = not label or all(earlier.get("server_label") != label for earlier in kept)
    wire = to_foundry_tool(dict(fitted), resources if is_first else {})
    fits = check_form(foundry.foundry_tool_form(wire, ""), "tools", tool_label(fitted), target, losses)
    return fitted if fits else None


def used_resources(resources: dict[str, Any], tools: list[JSON], losses: LossCollector) -> dict[str, Any]:
    """The resources that a tool of the agent can contain. Here each resource is inside a tool."""
    types = {tool.get("type") for tool in tools}
    used = {branch: value for branch, value in resources.items() if TOOL_OF_RESOURCE.get(branch) in types}
    for branch in sorted(resources.keys() - used.keys()):
        losses.add_lost(
            f"tool_resources.{branch}",
            f"no tool {TOOL_OF_RESOURCE.get(branch, branch)} of this agent could hold it",
            "pass it with each response",
        )
    if isinstance(used.get("mcp"), list):
        used["mcp"] = _approvals(used["mcp"], tools, losses)
    return used


def _approvals(rows: list[JSON], tools: list[JSON], losses: LossCollector) -> list[JSON]:
    """The approvals of MCP servers of which the agent has a tool."""
    labels = {str(tool.get("server_label")) for tool in tools if tool.get("type") == "mcp"}
    kept: list[JSON] = []
    for row in (remove_nulls(row) for row in rows if isinstance(row, Mapping)):
        if set(row) <= {"server_label"}:
            continue
        label = str(row.get("server_label"))
        if label in labels and set(row) == {"server_label", APPROVAL_KEY}:
            kept.append(row)
        else:
            reason = f"the settings of {label!r} have no place in the agent's tools"
            losses.add_lost("tool_resources.mcp", reason)
    return kept


def _fit_function(
    tool: ToolBody, _: Mapping[str, JSON], target: Target, losses: LossCollector
) -> ToolBody | None:
    if not has_function_name(tool, losses):
        return None
    return {**tool, "function": complete_function(tool["function"], target, losses)}


def _file_ids_rule(key: str) -> ToolRule:
    """The rule for a tool that has files of its own in the object under `key`."""

    def rule(tool: ToolBody, _: Mapping[str, JSON], target: Target, losses: LossCollector) -> ToolBody:
        value = tool.get(key)
        if not isinstance(value, Mapping) or not isinstance(value.get("file_ids"), list):
            return tool
        ids = movable_ids(value["file_ids"], "file", "tools", target, losses)
        return {**tool, key: {**value, "file_ids": ids}}

    return rule


def _fit_image_mask(tool: ToolBody, _: Mapping[str, JSON], target: Target, losses: LossCollector) -> ToolBody:
    """Image generation, which may use a file as its mask."""
    mask = tool.get("input_image_mask")
    file_id = mask.get("file_id") if isinstance(mask, Mapping) else None
    if not file_id or movable_ids([file_id], "file", "tools", target, losses):
        return tool
    return {k: v for k, v in tool.items() if k != "input_image_mask"}


def _fit_file_search(
    tool: ToolBody, resources: Mapping[str, JSON], target: Target, losses: LossCollector
) -> ToolBody | None:
    if isinstance(tool.get("vector_store_ids"), list):
        ids = movable_ids(tool["vector_store_ids"], "vector_store", "tools", target, losses)
        tool = {**tool, "vector_store_ids": ids}
    own = tool.get("vector_store_ids")
    stores = tool_resource_ids(resources, "file_search") if own is None else own
    if not stores:
        losses.add_lost(
            "tools",
            "file_search without a vector store cannot be written: the tool must name one",
            "pass the store of the conversation with each response, or add the tool by hand",
        )
        return None
    ranker = ((tool.get("file_search") or {}).get("ranking_options") or {}).get("ranker")
    if ranker in FOUNDRY_RANKERS:
        new = FOUNDRY_RANKERS[ranker]
        losses.add_adapted("tools", f"ranker {ranker} is called {new} here, the default of its time")
    return tool


def _fit_ai_search(
    tool: ToolBody, resources: Mapping[str, JSON], _: Target, losses: LossCollector
) -> ToolBody | None:
    resource = resources.get("azure_ai_search")
    if (isinstance(resource, Mapping) and resource.get("indexes")) or tool.get("azure_ai_search"):
        return tool
    losses.add_lost("tools", "azure_ai_search without an index cannot be written", "add the tool by hand")
    return None


def _fit_mcp(tool: ToolBody, _: Mapping[str, JSON], __: Target, losses: LossCollector) -> ToolBody | None:
    for name in ("server_label", "server_url"):
        if "{{" in str(tool.get(name) or ""):
            reason = f"mcp with a template in {name} is refused (recorded)"
            losses.add_lost("tools", reason, "write the value out")
            return None
    return tool


AGENT_TOOL_RULES: Mapping[str, ToolRule] = {
    "function": _fit_function,
    "code_interpreter": _file_ids_rule("container"),
    "file_search": _fit_file_search,
    "azure_ai_search": _fit_ai_search,
    "mcp": _fit_mcp,
    "shell": _file_ids_rule("environment"),
    "image_generation": _fit_image_mask,
}
