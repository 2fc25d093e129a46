"""The tools of an agent: which can be written, and what each must have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.adapt.assistant import tool_label
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

# Resources that are spoken for, so that a tool keeps its own stores and files.
CLAIMED_RESOURCES: dict[str, Any] = {"file_search": {}, "code_interpreter": {}}

# Types whose settings lie beside the type in one generation, and under its name in the other.
NESTED_TOOL_READERS: Mapping[str, Callable[[ToolBody, ToolResources], ToolBody]] = {
    "function": read_function,
    "file_search": read_search,
    "code_interpreter": read_code,
    "computer_use_preview": read_computer,
    "mcp": lambda tool, _: tool,
}


def merge_spellings(tool: ToolBody, losses: LossCollector) -> ToolBody:
    """The tool in canonical form, with what the nested spelling alone says; what the flat one says otherwise
    is told."""
    type_ = str(tool.get("type"))
    inner = tool.get(type_)
    if type_ not in NESTED_TOOL_READERS or type_ not in tool or not _is_spelled_twice(type_, tool, inner):
        return tool
    rest = {k: v for k, v in tool.items() if k != type_}
    nested: Mapping[str, JSON] = inner if isinstance(inner, Mapping) else {}
    left = [name for name, value in nested.items() if name in rest and rest[name] != value]
    if left or not isinstance(inner, Mapping):
        reason = f"{type_} is spelled twice: {', '.join(left) or 'what stands'} under {type_!r} is left out"
        losses.add_lost("tools", reason, "the archive has both")
    read = NESTED_TOOL_READERS[type_]
    return dict(read({**nested, **rest}, dict(CLAIMED_RESOURCES)))


def _is_spelled_twice(type_: str, tool: ToolBody, inner: JSON) -> bool:
    """Whether a key stands in both places, or the nested place holds nothing that could be read."""
    if type_ == "function" and isinstance(inner, Mapping):
        return bool({"name", "description", "parameters", "strict"} & tool.keys())
    return not isinstance(inner, Mapping) or bool((inner.keys() & tool.keys()) - {"type"})


ToolRule = Callable[[ToolBody, Mapping[str, JSON], Target, LossCollector], ToolBody | None]

# Branch of tool_resources -> the type of tool that it lies in on this service.
TOOL_OF_RESOURCE = {
    "code_interpreter": "code_interpreter",
    "file_search": "file_search",
    "azure_ai_search": "azure_ai_search",
    "mcp": "mcp",
}

# Type -> the key under which a second tool of it keeps what it may use.
OWN_RESOURCE_KEYS = {
    "code_interpreter": "container",
    "file_search": "vector_store_ids",
    "azure_ai_search": "azure_ai_search",
}


def fit_tools(
    tools: list[JSON], resources: Mapping[str, JSON], target: Target, losses: LossCollector
) -> list[JSON]:
    """The tools that can be written, each as it will read back."""
    kept: list[JSON] = []
    for tool in tools:
        type_ = str(tool.get("type")) if isinstance(tool, Mapping) else "None"
        if type_ in TOOLS_WITHOUT_COUNTERPART:
            losses.add_lost(
                "tools", f"there is no counterpart to {tool_label(tool)}", TOOLS_WITHOUT_COUNTERPART[type_]
            )
            continue
        native = target.source_type == target.capabilities.service
        if not isinstance(tool, Mapping) or (type_ not in ROW_BY_OLD_TYPE and not native):
            losses.add_lost("tools", f"tool {type_!r} is not known to this program", "kept in the archive")
            continue
        plain = merge_spellings(portable_tool(remove_nulls(tool), target, losses), losses)
        if (
            any(type_ == other.get("type") for other in kept)
            and type_ in OWN_RESOURCE_KEYS
            and OWN_RESOURCE_KEYS[type_] not in plain
        ):
            losses.add_lost("tools", f"a second {type_} adds nothing to the first")
            continue
        check = AGENT_TOOL_RULES.get(type_)
        fitted = check(plain, resources, target, losses) if check else plain
        if fitted is None:
            continue
        wire = foundry.foundry_tool_form(
            to_foundry_tool(dict(fitted), _resources_of_tool(fitted, kept, resources)), ""
        )
        if check_form(wire, "tools", tool_label(fitted), target, losses):
            kept.append(fitted)
    for tool in kept[target.capabilities.tools_max :]:
        losses.add_lost(
            "tools", f"{tool.get('type')} is beyond the limit of {target.capabilities.tools_max} tools"
        )
    return kept[: target.capabilities.tools_max]


def _resources_of_tool(tool: ToolBody, kept: list[JSON], resources: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The resources that go into a tool: what is said about a server belongs to the first tool of it."""
    label = tool.get("server_label")
    first = not label or all(other.get("server_label") != label for other in kept)
    return resources if first else {}


def used_resources(resources: dict[str, Any], tools: list[JSON], losses: LossCollector) -> dict[str, Any]:
    """What tools may use lies inside the tools here: without a tool it has no place."""
    types = {tool.get("type") for tool in tools}
    out = {branch: value for branch, value in resources.items() if TOOL_OF_RESOURCE.get(branch) in types}
    for branch in sorted(resources.keys() - out.keys()):
        losses.add_lost(
            f"tool_resources.{branch}",
            f"no tool {TOOL_OF_RESOURCE.get(branch, branch)} of this agent could hold it",
            "pass it with each response",
        )
    if isinstance(out.get("mcp"), list):
        out["mcp"] = _approvals(out["mcp"], tools, losses)
    return out


def _approvals(rows: list[JSON], tools: list[JSON], losses: LossCollector) -> list[JSON]:
    """Rows about MCP servers of which the agent has the tool, as far as they say something."""
    labels = {str(tool.get("server_label")) for tool in tools if tool.get("type") == "mcp"}
    kept: list[JSON] = []
    for row in map(remove_nulls, filter(lambda one: isinstance(one, Mapping), rows)):
        if set(row) <= {"server_label"}:
            continue
        label = str(row.get("server_label"))
        if label in labels and set(row) == {"server_label", APPROVAL_KEY}:
            kept.append(row)
        else:
            losses.add_lost(
                "tool_resources.mcp", f"what is said about {label!r} has no place in the agent's tools"
            )
    return kept


def _function(
    tool: ToolBody, _: Mapping[str, JSON], target: Target, losses: LossCollector
) -> ToolBody | None:
    function = tool.get("function")
    if not isinstance(function, Mapping) or not function.get("name"):
        losses.add_lost("tools", "a function without a name", "name it and add it by hand")
        return None
    return {**tool, "function": complete_function(function, target, losses)}


def _code(tool: ToolBody, _: Mapping[str, JSON], target: Target, losses: LossCollector) -> ToolBody:
    """A further tool of the type keeps its own files."""
    container = tool.get("container")
    if not isinstance(container, Mapping) or not isinstance(container.get("file_ids"), list):
        return tool
    ids = movable_ids(container["file_ids"], "file", "tools", target, losses)
    return {**tool, "container": {**container, "file_ids": ids}}


def _shell(tool: ToolBody, _: Mapping[str, JSON], target: Target, losses: LossCollector) -> ToolBody:
    """A machine that begins with files."""
    environment = tool.get("environment")
    if not isinstance(environment, Mapping) or not isinstance(environment.get("file_ids"), list):
        return tool
    ids = movable_ids(environment["file_ids"], "file", "tools", target, losses)
    return {**tool, "environment": {**environment, "file_ids": ids}}


def _image(tool: ToolBody, _: Mapping[str, JSON], target: Target, losses: LossCollector) -> ToolBody:
    """A maker of images, which may be given a file as its mask."""
    mask = tool.get("input_image_mask")
    named = mask.get("file_id") if isinstance(mask, Mapping) else None
    if not named or movable_ids([named], "file", "tools", target, losses):
        return tool
    return {k: v for k, v in tool.items() if k != "input_image_mask"}


def _file_search(
    tool: ToolBody, resources: Mapping[str, JSON], target: Target, losses: LossCollector
) -> ToolBody | None:
    if isinstance(tool.get("vector_store_ids"), list):
        ids = movable_ids(tool["vector_store_ids"], "vector_store", "tools", target, losses)
        tool = {**tool, "vector_store_ids": ids}
    own = tool.get("vector_store_ids")
    held = tool_resource_ids(resources, "file_search") if own is None else own
    ranker = ((tool.get("file_search") or {}).get("ranking_options") or {}).get("ranker")
    if held and ranker in FOUNDRY_RANKERS:
        losses.add_adapted(
            "tools", f"ranker {ranker} is called {FOUNDRY_RANKERS[ranker]} here, the default of its time"
        )
    if held:
        return tool
    losses.add_lost(
        "tools",
        "file_search without a vector store cannot be written: the tool must name one",
        "pass the store of the conversation with each response, or add the tool by hand",
    )
    return None


def _ai_search(
    tool: ToolBody, resources: Mapping[str, JSON], _: Target, losses: LossCollector
) -> ToolBody | None:
    held = resources.get("azure_ai_search")
    if (isinstance(held, Mapping) and held.get("indexes")) or tool.get("azure_ai_search"):
        return tool
    losses.add_lost("tools", "azure_ai_search without an index cannot be written", "add the tool by hand")
    return None


def _mcp(tool: ToolBody, _: Mapping[str, JSON], __: Target, losses: LossCollector) -> ToolBody | None:
    for name in ("server_label", "server_url"):
        if "{{" in str(tool.get(name) or ""):
            losses.add_lost(
                "tools", f"mcp with a template in {name} is refused (recorded)", "write the value out"
            )
            return None
    return tool


AGENT_TOOL_RULES: Mapping[str, ToolRule] = {
    "function": _function,
    "code_interpreter": _code,
    "file_search": _file_search,
    "azure_ai_search": _ai_search,
    "mcp": _mcp,
    "shell": _shell,
    "image_generation": _image,
}
