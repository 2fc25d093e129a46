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
