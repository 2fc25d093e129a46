"""The JSON of the Assistants API: decoded to the model (v1 and v2), and encoded as request bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.codecs.field_types import is_well_formed
from migrate.model import JSON, KINDS, Entity
from migrate.model.references import tool_resource_ids, with_tool_resource_ids

FILE_TOOLS = ("code_interpreter", "file_search")


@dataclass(frozen=True)
class DecodeContext:
    """What an object's reading depends on beside its own body.

    `file_tools`: the file tools in use where a v1 message lies, since v1 `file_ids` do not name one.
    """

    file_tools: tuple[str, ...] = ("code_interpreter",)


def decode_assistants_object(
    kind: str, body: Mapping[str, JSON], parent: str = "", context: DecodeContext | None = None
) -> list[Entity]:
    """The object in canonical form, followed by objects that its upgrade calls for (a v1 file list
    searched by `retrieval` becomes a vector store with its files)."""
    form = KINDS[kind]
    given = dict(body)
    file_ids = given.pop("file_ids", None) if "file_ids" in form.aliases and _has_file_ids(given) else None
    sound = {name: given[name] for name in form.fields if name in given and is_well_formed(name, given[name])}
    entity = Entity(
        kind,
        str(given.get("id", "")),
        parent,
        sound,
        {name: given[name] for name in form.facts if name in given},
        {k: v for k, v in given.items() if k not in sound and k not in form.facts},
    )
    shape = UPGRADES.get(kind)
    return shape(entity, file_ids, context or DecodeContext()) if shape else [entity]


def _assistant(entity: Entity, file_ids: JSON, _: DecodeContext) -> list[Entity]:
    tools = [dict(tool) if isinstance(tool, Mapping) else tool for tool in entity.fields.get("tools") or []]
    types = {tool.get("type") for tool in tools if isinstance(tool, Mapping)}
    if "retrieval" in types:
        tools = [{**tool, "type": "file_search"} if _has_type(tool, "retrieval") else tool for tool in tools]
    entity = entity.with_fields(tools=tools)
    if not file_ids:
        return [entity]
    resources: dict[str, Any] = dict(entity.fields.get("tool_resources") or {})
    derived: list[Entity] = []
    if "code_interpreter" in types:
        ids = [*tool_resource_ids(resources, "code_interpreter"), *file_ids]
        resources = with_tool_resource_ids(resources, "code_interpreter", list(dict.fromkeys(ids)))
    if "retrieval" in types:
        derived = _vector_store_of_files(entity, file_ids)
        ids = [*tool_resource_ids(resources, "file_search"), derived[0].id]
        resources = with_tool_resource_ids(resources, "file_search", ids)
    if not types & {"code_interpreter", "retrieval"}:
        extras = {**entity.extras, "file_ids": file_ids}  # no tool uses them: kept, and told as a loss
        return [Entity(entity.kind, entity.id, entity.parent, entity.fields, entity.facts, extras)]
    return [entity.with_fields(tool_resources=resources), *derived]


def _vector_store_of_files(owner: Entity, file_ids: list[str]) -> list[Entity]:
    """The vector store that v2 puts in the place of v1 `retrieval` over a list of files."""
    store = Entity(
        "vector_store",
        f"{owner.id}.files",
        fields={"name": f"{owner.name or owner.id} files", "metadata": {}},
        facts={"created_at": owner.facts.get("created_at")},
        derived_from=owner.id,
    )
    rows = [
        Entity("vector_store_file", one, store.id, {"file_id": one}, derived_from=owner.id)
        for one in file_ids
    ]
    return [store, *rows]


def _message(entity: Entity, file_ids: JSON, context: DecodeContext) -> list[Entity]:
    content = entity.fields.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    parts = [_text_part(part) for part in content or []]
    attachments = entity.fields.get("attachments") or []
    if file_ids:
        tools = [{"type": tool} for tool in context.file_tools]
        attachments = [*attachments, *({"file_id": one, "tools": tools} for one in file_ids)]
    return [entity.with_fields(content=parts, attachments=attachments)]


def _text_part(part: JSON) -> JSON:
    """A text part in read form; some servers give the write form back."""
    if _has_type(part, "text") and isinstance(part.get("text"), str):
        return {**part, "text": {"value": part["text"], "annotations": []}}
    return part


def _vector_store_file(entity: Entity, _file_ids: JSON, _: DecodeContext) -> list[Entity]:
    return [entity.with_fields(file_id=entity.fields.get("file_id") or entity.id)]


def _has_file_ids(body: Mapping[str, JSON]) -> bool:
    """Whether the older spelling is a list of ids, or says nothing; anything else is kept as unknown."""
    value = body.get("file_ids")
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _has_type(value: JSON, kind: str) -> bool:
    return isinstance(value, dict) and value.get("type") == kind


UPGRADES: dict[str, Callable[[Entity, JSON, DecodeContext], list[Entity]]] = {
    "assistant": _assistant,
    "message": _message,
    "vector_store_file": _vector_store_file,
}


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

# Fields that a later POST to the object's own address may change.
UPDATABLE_FIELDS: dict[str, tuple[str, ...]] = {
    "assistant": WRITTEN_FIELDS["assistant"],
    "thread": ("tool_resources", "metadata"),
    "message": ("metadata",),
    "vector_store": ("name", "expires_after", "metadata"),
    "vector_store_file": ("attributes",),
}


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


# Said in full when updating: a branch that is left out stays as it was.
EMPTY_RESOURCES: dict[str, JSON] = {
    "code_interpreter": {"file_ids": []},
    "file_search": {"vector_store_ids": []},
}

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
