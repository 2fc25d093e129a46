"""One row of the table of tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
