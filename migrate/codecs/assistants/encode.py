"""Canonical entities in, Assistants write JSON out. Lossless: what cannot be held was adapted before.

Write strictly: Azure refuses unknown keys with a 400, so only what is listed in `WRITTEN_FIELDS` ever leaves,
and a value that only restates a default is left out where a service might refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrate.model import JSON, Entity

AssistantsRequestBody = dict[str, JSON]

WRITTEN_FIELDS: dict[str, tuple[str, ...]] = {
    "assistant": (
        "model",
        "name",
        "description",
        "instructions",
        "tools",
        "tool_resources",
        "metadata",
        "temperature",
        "top_p",
        "response_format",
        "reasoning_effort",
    ),
    "thread": ("tool_resources", "metadata"),
    "message": ("role", "content", "attachments", "metadata"),
    "vector_store": ("name", "description", "expires_after", "metadata"),
    "vector_store_file": ("file_id", "attributes", "chunking_strategy"),
}

UPDATABLE_FIELDS: dict[str, tuple[str, ...]] = {
    "assistant": WRITTEN_FIELDS["assistant"],
    "thread": ("tool_resources", "metadata"),
    "message": ("metadata",),
    "vector_store": ("name", "expires_after", "metadata"),
    "vector_store_file": ("attributes",),
}
"""Fields that a later POST to the object's own address may change."""


def encode_create(entity: Entity) -> AssistantsRequestBody:
    """The body that creates the object."""
    return _encode_fields(entity, WRITTEN_FIELDS[entity.kind])


def encode_update(
    entity: Entity, fields: frozenset[str], there: Entity | None = None
) -> AssistantsRequestBody:
    """The body that changes just these fields; a field that became absent is written as its empty value."""
    allowed = [f for f in UPDATABLE_FIELDS[entity.kind] if f in fields]
    wire = _encode_fields(entity, tuple(allowed))
    if "tool_resources" in allowed:
        wire["tool_resources"] = {**EMPTY_RESOURCES, **wire.get("tool_resources", {})}
    return {name: wire.get(name, EMPTY_VALUES.get(name)) for name in allowed}


EMPTY_RESOURCES: dict[str, JSON] = {
    "code_interpreter": {"file_ids": []},
    "file_search": {"vector_store_ids": []},
}
"""Said in full when updating: a branch that is left out stays as it was."""

EMPTY_VALUES: dict[str, JSON] = {
    "name": "",
    "description": "",
    "instructions": "",
    "metadata": {},
    "tools": [],
    "attributes": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}


def _encode_fields(entity: Entity, names: tuple[str, ...]) -> AssistantsRequestBody:
    wire: AssistantsRequestBody = {}
    for name in names:
        value = entity.fields.get(name)
        shape = FIELD_ENCODERS.get(name)
        if shape and value is not None:
            value = shape(value)
        if value is not None and value != {} and value != []:
            wire[name] = value
    return wire


def _content(parts: list[JSON]) -> JSON:
    """A lone text part goes as a plain string, the only form every description names."""
    if len(parts) == 1 and parts[0].get("type") == "text":
        return parts[0]["text"]["value"]
    return [_part(part) for part in parts]


def _part(part: Mapping[str, JSON]) -> JSON:
    if part.get("type") == "text":
        return {"type": "text", "text": part["text"]["value"]}
    return dict(part)


def _chunking(value: JSON) -> JSON:
    return value if isinstance(value, Mapping) and value.get("type") in ("auto", "static") else None


def _without_nulls(value: JSON) -> JSON:
    """Empty branches left out: a GET shows `{"code_interpreter": {"file_ids": []}}` for nothing at all."""
    if not isinstance(value, Mapping):
        return value
    kept = {k: _without_nulls(v) for k, v in value.items()}
    return {k: v for k, v in kept.items() if v not in (None, {}, [])}


def encode_response_format(value: JSON) -> JSON:
    """A schema's own nulls (`description: null`) are read but refused on writing; the schema is exact."""
    if isinstance(value, Mapping) and isinstance(value.get("json_schema"), Mapping):
        return {**value, "json_schema": _without_nulls_at_top(value["json_schema"])}
    return value


def _tools(tools: list[JSON]) -> JSON:
    return [
        {
            name: _without_nulls_at_top(part) if isinstance(part, Mapping) else part
            for name, part in _without_nulls_at_top(tool).items()
        }
        for tool in tools
    ]


def _without_nulls_at_top(value: Mapping[str, JSON]) -> dict[str, JSON]:
    """What is set: a null says that nothing is."""
    return {k: v for k, v in value.items() if v is not None}


FIELD_ENCODERS: dict[str, Callable[[JSON], JSON]] = {
    "response_format": encode_response_format,
    "tools": _tools,
    "content": _content,
    "chunking_strategy": _chunking,
    "tool_resources": _without_nulls,
}
