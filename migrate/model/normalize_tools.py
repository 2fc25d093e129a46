"""The form in which two tools are compared: one rule per type that has several spellings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.model.entity import JSON
from migrate.model.secrets import EXACT, without_secrets

DEFAULT_RANKERS = ("auto", "default_2024_08_21", "default-2024-11-15")
"""The older generation's name for the default ranker, and the newer one's."""

Tool = dict[str, Any]


def normal_tool(tool: JSON) -> JSON:
    """A tool without what says nothing, its secrets as fingerprints."""
    if not isinstance(tool, Mapping):
        return tool
    shape = RULES.get(str(tool.get("type")))
    plain = said(without_secrets(tool))
    return {k: v for k, v in (shape(plain) if shape else plain).items() if v is not None}


def said(tool: Mapping[str, JSON]) -> Tool:
    """A tool without its nulls, however deep. What is the owner's own (schemas, specifications) is exact."""
    return {k: _said(k, v) for k, v in tool.items() if v is not None}


def _said(key: str, value: JSON) -> JSON:
    if key in EXACT:
        return value
    if isinstance(value, Mapping):
        return {k: _said(k, v) for k, v in value.items() if v is not None}
    return [_said(key, one) for one in value] if isinstance(value, list) else value


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
    inner = tool.get("computer_use_preview")
    if not isinstance(inner, Mapping) or inner.keys() & tool.keys():
        return tool
    return {**{k: v for k, v in tool.items() if k != "computer_use_preview"}, **inner}


def _openapi(tool: Tool) -> Tool:
    """`functions` is what the service read out of the specification."""
    if isinstance(tool.get("openapi"), Mapping):
        kept = {k: v for k, v in tool["openapi"].items() if k != "functions"}
        if isinstance(kept.get("auth"), Mapping):
            kept["auth"] = {k: v for k, v in kept["auth"].items() if v != {}}
        tool["openapi"] = kept
    return tool


def _code(tool: Tool) -> Tool:
    """No files and an empty list of them are one thing (a GET says either)."""
    container = tool.get("container")
    if isinstance(container, Mapping):
        kept = {k: v for k, v in container.items() if (k, v) != ("file_ids", [])}
        tool["container"] = kept or None
    return tool


RULES: dict[str, Callable[[Tool], Tool]] = {
    "function": _function,
    "code_interpreter": _code,
    "file_search": _file_search,
    "computer_use_preview": _computer,
    "openapi": _openapi,
}
