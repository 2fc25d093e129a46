"""The form in which two tools are compared: one rule per type that has several spellings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.model.entity import JSON
from migrate.model.secrets import without_secrets

DEFAULT_RANKERS = ("auto", "default_2024_08_21", "default-2024-11-15")
"""The older generation's name for the default ranker, and the newer one's."""

Tool = dict[str, Any]


def normal_tool(tool: JSON) -> JSON:
    """A tool without what says nothing, its secrets as fingerprints."""
    if not isinstance(tool, Mapping):
        return tool
    type_ = str(tool.get("type"))
    shape = RULES.get(type_)
    plain = without_secrets(tool)
    if isinstance(plain.get(type_), Mapping):
        plain[type_] = {k: v for k, v in plain[type_].items() if v is not None}
    return {k: v for k, v in (shape(plain) if shape else plain).items() if v is not None}


def _function(tool: Tool) -> Tool:
    function = tool.get("function")
    if isinstance(function, Mapping):
        kept = {k: v for k, v in function.items() if v is not None and not (k == "strict" and v is False)}
        if kept.get("parameters") in ({}, {"type": "object", "properties": {}}):
            kept.pop("parameters")
        if kept.get("description") == "":
            kept.pop("description")
        tool["function"] = kept
    return tool


def _file_search(tool: Tool) -> Tool:
    options = {k: v for k, v in (tool.get("file_search") or {}).items() if v is not None}
    ranking = {k: v for k, v in (options.get("ranking_options") or {}).items() if v is not None}
    if ranking.get("ranker", "auto") in DEFAULT_RANKERS:
        ranking.pop("ranker", None)
    if not ranking.get("score_threshold"):
        ranking.pop("score_threshold", None)
    options["ranking_options"] = ranking or None
    tool["file_search"] = {k: v for k, v in options.items() if v is not None} or None
    return tool


def _computer(tool: Tool) -> Tool:
    """The options of a computer, nested by one generation and flat in the other."""
    inner = tool.pop("computer_use_preview", None)
    return {**tool, **inner} if isinstance(inner, Mapping) else tool


def _openapi(tool: Tool) -> Tool:
    """`functions` is what the service read out of the specification."""
    if isinstance(tool.get("openapi"), Mapping):
        tool["openapi"] = {k: v for k, v in tool["openapi"].items() if k != "functions"}
    return tool


RULES: dict[str, Callable[[Tool], Tool]] = {
    "function": _function,
    "file_search": _file_search,
    "computer_use_preview": _computer,
    "openapi": _openapi,
}
