"""The form in which two objects are compared: one spelling for each meaning, lists without order sorted.

Each rule is a row of `FIELD_RULES`. A rule may only join spellings that a service itself treats as the same
(seen in recordings: a GET returns `{"code_interpreter": {"file_ids": []}}` where the POST sent `{}`; omitted
chunking is returned as static 800/400). The text of messages is never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from migrate.model.entity import JSON, Entity
from migrate.model.project_resources import replace_connections, short_connection_name
from migrate.model.secrets import (
    VERBATIM_KEYS,
    is_secret_key,
    mask_nested,
    mask_texts,
    mask_tool_secrets,
    mask_value,
)
from migrate.model.stamp import remove_stamp_keys

# Names of the default ranker in the older and in the newer generation.
DEFAULT_RANKERS = ("auto", "default_2024_08_21", "default-2024-11-15")

ToolFields = dict[str, Any]


def normalize_tool(tool: JSON) -> JSON:
    """A tool without nulls and defaults, its secrets as fingerprints."""
    if not isinstance(tool, Mapping):
        return tool
    masked = remove_nulls(mask_tool_secrets(tool))
    normalizer = TOOL_NORMALIZERS.get(str(tool.get("type")))
    return {k: v for k, v in (normalizer(masked) if normalizer else masked).items() if v is not None}


def remove_nulls(tool: Mapping[str, JSON]) -> ToolFields:
    """A tool without nulls at any depth. Schemas and specifications of the owner stay exactly as they are."""
    return {k: _value_without_nulls(k, v) for k, v in tool.items() if v is not None}


def _value_without_nulls(key: str, value: JSON) -> JSON:
    if key in VERBATIM_KEYS:
        return value
    if isinstance(value, Mapping):
        return {k: _value_without_nulls(k, v) for k, v in value.items() if v is not None}
    return [_value_without_nulls(key, member) for member in value] if isinstance(value, list) else value


def _function(tool: ToolFields) -> ToolFields:
    function = tool.get("function")
    if isinstance(function, Mapping):
        kept = {k: v for k, v in function.items() if v is not None and not (k == "strict" and v is False)}
        if kept.get("parameters") in ({}, {"type": "object", "properties": {}}):
            kept.pop("parameters")
        if kept.get("description") == "":
            kept.pop("description")
        tool["function"] = kept
    return tool


def _file_search(tool: ToolFields) -> ToolFields:
    options = {k: v for k, v in (tool.get("file_search") or {}).items() if v is not None}
    ranking = {k: v for k, v in (options.get("ranking_options") or {}).items() if v is not None}
    if ranking.get("ranker", "auto") in DEFAULT_RANKERS:
        ranking.pop("ranker", None)
    if not ranking.get("score_threshold"):
        ranking.pop("score_threshold", None)
    options["ranking_options"] = ranking or None
    tool["file_search"] = {k: v for k, v in options.items() if v is not None} or None
    return tool


def _computer(tool: ToolFields) -> ToolFields:
    """The options of `computer_use_preview` are nested in one generation and flat in the other."""
    inner = tool.get("computer_use_preview")
    if not isinstance(inner, Mapping) or inner.keys() & tool.keys():
        return tool
    return {**{k: v for k, v in tool.items() if k != "computer_use_preview"}, **inner}


def _openapi(tool: ToolFields) -> ToolFields:
    """`functions` is what the service parsed out of the specification."""
    if isinstance(tool.get("openapi"), Mapping):
        kept = {k: v for k, v in tool["openapi"].items() if k != "functions"}
        if isinstance(kept.get("auth"), Mapping):
            kept["auth"] = {k: v for k, v in kept["auth"].items() if v != {}}
        tool["openapi"] = kept
    return tool


def _code(tool: ToolFields) -> ToolFields:
    """No files and an empty list of files are the same (a GET returns either)."""
    container = tool.get("container")
    if isinstance(container, Mapping):
        kept = {k: v for k, v in container.items() if (k, v) != ("file_ids", [])}
        tool["container"] = kept or None
    return tool


TOOL_NORMALIZERS: dict[str, Callable[[ToolFields], ToolFields]] = {
    "function": _function,
    "code_interpreter": _code,
    "file_search": _file_search,
    "computer_use_preview": _computer,
    "openapi": _openapi,
}


# The value of a field -> its normalized value; None means the same as an absent field.
FieldRule = Callable[[JSON], JSON]

DEFAULT_CHUNKINGS = (
    {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}},
    {"type": "auto"},
)


def normalize_entity(entity: Entity) -> dict[str, JSON]:
    """The normalized form: a dict without absent, empty or default values."""
    out: dict[str, JSON] = {}
    fields = entity.fields
    if entity.kind == "assistant":
        fields = replace_connections(fields, short_connection_name)
    for name, value in fields.items():
        normalized = normalize_field(entity.kind, name, value)
        if normalized is not None:
            out[name] = normalized
    for name, value in entity.extras.items():
        if _none_if_empty(value) is not None:
            out[name] = mask_value(value) if is_secret_key(name) else mask_nested(value, name)
    return out


def normalize_field(kind: str, name: str, value: JSON) -> JSON:
    """One field in normalized form; None where it has no content. For assistants use `normalize_entity`,
    which also replaces connections."""
    return _rule(kind, name)(value)


@lru_cache(1000)
def _rule(kind: str, name: str) -> FieldRule:
    return FIELD_RULES.get((kind, name)) or FIELD_RULES.get(("*", name)) or _none_if_empty


def normalize_written_fields(entity: Entity) -> dict[str, JSON]:
    """The normalized form of the fields that its owner set, without unknown keys that a service adds."""
    return normalize_entity(Entity(entity.kind, entity.id, entity.parent, entity.fields))


def json_digest(value: JSON) -> str:
    """A stable fingerprint of a JSON value: 32 hex digits; the order of keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _none_if_empty(value: JSON) -> JSON:
    return None if value is None or value == {} or value == [] else value


def _none_if_falsy(value: JSON) -> JSON:
    return value or None


def _response_format(value: JSON) -> JSON:
    """`auto` is the default; nulls and `strict: false` beside a schema are defaults too. The schema itself is
    compared exactly."""
    if isinstance(value, Mapping) and isinstance(value.get("json_schema"), Mapping):
        schema = {
            k: v for k, v in value["json_schema"].items() if v is not None and (k, v) != ("strict", False)
        }
        value = {**value, "json_schema": schema}
    return None if value is None or value == "auto" else value


def _sampling_number(value: JSON) -> JSON:
    """Temperature and top_p: absent means 1 on every service; 1 and 1.0 are the same number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None if float(value) == 1.0 else float(value)
    return value


def _metadata(value: JSON) -> JSON:
    if not isinstance(value, Mapping):
        return value
    return mask_texts(remove_stamp_keys(value)) or None


def _unordered(value: JSON) -> JSON:
    """A list without order, sorted."""
    if not isinstance(value, list):
        return value
    return sorted(value, key=sorted_json) or None


def sorted_json(value: JSON) -> str:
    """A value as JSON with sorted keys: equal values have equal texts, but 1 and 1.0 differ."""
    return json.dumps(value, sort_keys=True)


def resource_has_content(branch: str, value: JSON) -> bool:
    """Whether a branch of `tool_resources` has any content."""
    return _resources({branch: value}) is not None


def _pruned(value: JSON) -> JSON:
    """A tree of settings without empty branches; its lists have no order."""
    if isinstance(value, dict):
        return {k: p for k, v in value.items() if (p := _pruned(v)) is not None} or None
    if isinstance(value, list):
        return _unordered([p for v in value if (p := _pruned(v)) is not None])
    return value


def _tools(value: JSON) -> JSON:
    return _unordered([normalize_tool(tool) for tool in value]) if isinstance(value, list) else value


def _has_settings(row: Mapping[str, JSON]) -> bool:
    """Whether a row about a server has more than its label."""
    return any(_none_if_empty(v) is not None for k, v in row.items() if k != "server_label")


def _resources(value: JSON) -> JSON:
    """`tool_resources` without empty branches, its secrets as fingerprints."""
    if isinstance(value, Mapping) and isinstance(value.get("mcp"), list):
        rows = [mask_tool_secrets(row) if isinstance(row, Mapping) else row for row in value["mcp"]]
        value = {**value, "mcp": [row for row in rows if not isinstance(row, Mapping) or _has_settings(row)]}
    return _pruned(value)


def _definition(value: JSON) -> JSON:
    """Settings of the new generation. The environment variables of a hosted agent may be secrets."""
    if isinstance(value, Mapping) and "environment_variables" in value:
        value = {**value, "environment_variables": mask_value(value["environment_variables"])}
    if not isinstance(value, Mapping):
        return value
    return {k: mask_nested(v, k) for k, v in value.items() if _none_if_empty(v) is not None} or None


def _content(value: JSON) -> JSON:
    return ([_part(part) for part in value] or None) if isinstance(value, list) else value


def _part(part: JSON) -> JSON:
    """A part of a message without nulls and defaults. The name of a file with an id is added by the
    service."""
    if not isinstance(part, dict):
        return part
    added = "filename" if part.get("type") == "input_file" and part.get("file_id") else ""
    out = {k: v for k, v in part.items() if v is not None and k != added}
    for kind in ("image_file", "image_url"):
        image = out.get(kind)
        if isinstance(image, dict):
            out[kind] = {k: v for k, v in image.items() if v is not None and (k, v) != ("detail", "auto")}
    text = out.get("text")
    if isinstance(text, dict):
        citations = text.get("annotations")
        kept = {k: v for k, v in text.items() if k != "annotations"}
        out["text"] = {**kept, "annotations": _citations(citations)} if citations else kept
    return out


def _citations(value: JSON) -> JSON:
    """The citations of a text without nulls. The name of a file with an id follows from the file."""
    if not isinstance(value, list):
        return value
    return [
        {k: v for k, v in row.items() if v is not None and (k != "filename" or not _names_file(row))}
        if isinstance(row, dict)
        else row
        for row in value
    ]


def _names_file(citation: Mapping[str, JSON]) -> bool:
    return citation.get("type") == "file_citation" and bool(citation.get("file_id"))


# How multipart form encoding escapes characters in a header; some servers return names in this form.
FILENAME_ESCAPES = (
    ("%22", '"'),
    *((f"%{code:02X}", chr(code)) for code in range(32)),
    ("\\\\", "\\"),
)


def _filename(value: JSON) -> JSON:
    if isinstance(value, str):
        for escaped, char in FILENAME_ESCAPES:
            value = value.replace(escaped, char)
    return value


FIELD_RULES: dict[tuple[str, str], FieldRule] = {
    ("*", "metadata"): _metadata,
    ("*", "description"): _none_if_falsy,
    ("*", "name"): _none_if_falsy,
    ("*", "instructions"): _none_if_falsy,
    ("*", "temperature"): _sampling_number,
    ("*", "top_p"): _sampling_number,
    ("*", "response_format"): _response_format,
    ("*", "tool_choice"): lambda value: None if value == "auto" else value,
    ("*", "tools"): _tools,
    ("*", "tool_resources"): _resources,
    ("*", "definition"): _definition,
    ("message", "content"): _content,
    ("message", "attachments"): _pruned,
    ("vector_store_file", "chunking_strategy"): lambda value: None if value in DEFAULT_CHUNKINGS else value,
    ("file", "filename"): _filename,
}
