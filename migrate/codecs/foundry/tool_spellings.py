"""A tool that says something in both generations' words: written once, in the service's own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.adapt.context import Ledger
from migrate.codecs.foundry.toolrow import Resources, Tool
from migrate.codecs.foundry.tools_plain import read_code, read_computer, read_function, read_search
from migrate.model import JSON

TAKEN: dict[str, Any] = {"file_search": {}, "code_interpreter": {}}
"""Resources that are spoken for, so that a tool keeps its own stores and files."""

READERS: Mapping[str, Callable[[Tool, Resources], Tool]] = {
    "function": read_function,
    "file_search": read_search,
    "code_interpreter": read_code,
    "computer_use_preview": read_computer,
    "mcp": lambda tool, _: tool,
}
"""Types whose settings lie beside the type in one generation, and under its name in the other."""


def spelled_once(tool: Tool, ledger: Ledger) -> Tool:
    """The tool in canonical form, with what the nested spelling alone says; what the flat one says otherwise
    is told."""
    type_ = str(tool.get("type"))
    inner = tool.get(type_)
    if type_ not in READERS or type_ not in tool or not _is_twice(type_, tool, inner):
        return tool
    rest = {k: v for k, v in tool.items() if k != type_}
    nested: Mapping[str, JSON] = inner if isinstance(inner, Mapping) else {}
    left = [name for name, value in nested.items() if name in rest and rest[name] != value]
    if left or not isinstance(inner, Mapping):
        reason = f"{type_} is spelled twice: {', '.join(left) or 'what stands'} under {type_!r} is left out"
        ledger.lost("tools", reason, "the archive has both")
    read = READERS[type_]
    return dict(read({**nested, **rest}, dict(TAKEN)))


def _is_twice(type_: str, tool: Tool, inner: JSON) -> bool:
    """Whether a key stands in both places, or the nested place holds nothing that could be read."""
    if type_ == "function" and isinstance(inner, Mapping):
        return bool({"name", "description", "parameters", "strict"} & tool.keys())
    return not isinstance(inner, Mapping) or bool((inner.keys() & tool.keys()) - {"type"})
