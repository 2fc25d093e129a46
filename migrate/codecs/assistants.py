"""The JSON of the Assistants API: decoded to model objects (v1 and v2), and encoded as request bodies.

Decoding accepts more than the API descriptions say: recorded answers lack required fields (messages without
`status`, stores with `name: null`), use both spellings (`file_ids` in the answer to a v2 update) and have new
fields. No rule looks at an id's prefix, because Azure's file ids begin with `assistant-`.

Encoding sends only what `WRITTEN_FIELDS` lists, because Azure refuses unknown keys with a 400. It loses
nothing: what a service cannot store was adapted before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from migrate.codecs.field_types import is_well_formed
from migrate.model import JSON, KINDS, Entity
from migrate.model.references import tool_resource_ids, with_tool_resource_ids

# --------------------------------------------------------------------------------------------- decoding


@dataclass(frozen=True)
class DecodeContext:
    """What decoding an object needs besides its own body.

    `file_tools`: the file tools in use in the thread of a v1 message, because v1 `file_ids` name no tool.
    """

    file_tools: tuple[str, ...] = ("code_interpreter",)


def decode_assistants_object(
    kind: str, body: Mapping[str, JSON], parent: str = "", context: DecodeContext | None = None
) -> list[Entity]:
    """The object in canonical form, followed by objects that v2 needs beside it.

    A v1 list of files searched by `retrieval` becomes a vector store and its files.
    """
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
    upgrade = UPGRADES.get(kind)
    return upgrade(entity, file_ids, context or DecodeContext()) if upgrade else [entity]


def _upgrade_assistant(entity: Entity, file_ids: JSON, _: DecodeContext) -> list[Entity]:
    given = entity.fields.get("tools") or []
    types = {tool.get("type") for tool in given if isinstance(tool, Mapping)}
    tools = [{**tool, "type": "file_search"} if _has_type(tool, "retrieval") else tool for tool in given]
    entity = entity.with_fields(tools=tools)
    if not file_ids:
        return [entity]
    if not types & {"code_interpreter", "retrieval"}:
        # No tool uses the files: they are kept as unknown and reported as a loss.
        return [replace(entity, extras={**entity.extras, "file_ids": file_ids})]
    resources = entity.fields.get("tool_resources")
    derived: list[Entity] = []
    if "code_interpreter" in types:
        ids = [*tool_resource_ids(resources, "code_interpreter"), *file_ids]
        resources = with_tool_resource_ids(resources, "code_interpreter", list(dict.fromkeys(ids)))
    if "retrieval" in types:
        derived = _vector_store_of_files(entity, file_ids)
        ids = [*tool_resource_ids(resources, "file_search"), derived[0].id]
        resources = with_tool_resource_ids(resources, "file_search", ids)
    return [entity.with_fields(tool_resources=resources), *derived]


def _vector_store_of_files(owner: Entity, file_ids: list[str]) -> list[Entity]:
    """The vector store by which v2 replaces v1 `retrieval` over a list of files, and its files."""
    store = Entity(
        "vector_store",
        f"{owner.id}.files",
        fields={"name": f"{owner.name or owner.id} files", "metadata": {}},
        facts={"created_at": owner.facts.get("created_at")},
        derived_from=owner.id,
    )
    rows = [
        Entity("vector_store_file", id_, store.id, {"file_id": id_}, derived_from=owner.id)
        for id_ in file_ids
    ]
    return [store, *rows]


def _upgrade_message(entity: Entity, file_ids: JSON, context: DecodeContext) -> list[Entity]:
    content = entity.fields.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    attachments = entity.fields.get("attachments") or []
    if file_ids:
        tools = [{"type": tool} for tool in context.file_tools]
        attachments = [*attachments, *({"file_id": id_, "tools": tools} for id_ in file_ids)]
    parts = [_canonical_text_part(part) for part in content or []]
    return [entity.with_fields(content=parts, attachments=attachments)]


def _canonical_text_part(part: JSON) -> JSON:
    """A text part as it is read; some servers return the form in which it was written."""
    if _has_type(part, "text") and isinstance(part.get("text"), str):
        return {**part, "text": {"value": part["text"], "annotations": []}}
    return part


def _upgrade_vector_store_file(entity: Entity, _file_ids: JSON, _: DecodeContext) -> list[Entity]:
    return [entity.with_fields(file_id=entity.fields.get("file_id") or entity.id)]


def _has_file_ids(body: Mapping[str, JSON]) -> bool:
    """Whether the v1 key is a list of ids, or absent; any other value is kept as unknown."""
    value = body.get("file_ids")
    return value is None or (isinstance(value, list) and all(isinstance(id_, str) for id_ in value))


def _has_type(value: JSON, type_: str) -> bool:
    return isinstance(value, dict) and value.get("type") == type_


UPGRADES: dict[str, Callable[[Entity, JSON, DecodeContext], list[Entity]]] = {
    "assistant": _upgrade_assistant,
    "message": _upgrade_message,
    "vector_store_file": _upgrade_vector_store_file,
}

# --------------------------------------------------------------------------------------------- encoding

AssistantsRequestBody = dict[str, JSON]

# Kind -> the fields in the request that creates an object.
WRITTEN_FIELDS: dict[str, tuple[str, ...]] = {
    "assistant": tuple(
        "model name description instructions tools tool_resources metadata temperature top_p response_format "
        "reasoning_effort".split()
    ),
    "thread": ("tool_resources", "metadata"),
    "message": ("role", "content", "attachments", "metadata"),
    "vector_store": ("name", "description", "expires_after", "metadata"),
    "vector_store_file": ("file_id", "attributes", "chunking_strategy"),
}

# Kind -> the fields that a later POST to the object's own address can change.
UPDATABLE_FIELDS: dict[str, tuple[str, ...]] = {
    "assistant": WRITTEN_FIELDS["assistant"],
    "thread": ("tool_resources", "metadata"),
    "message": ("metadata",),
    "vector_store": ("name", "expires_after", "metadata"),
    "vector_store_file": ("attributes",),
}

# An update sends both branches, because a branch that is left out stays as it was.
EMPTY_RESOURCES: dict[str, JSON] = {
    "code_interpreter": {"file_ids": []},
    "file_search": {"vector_store_ids": []},
}

# What an update sends for a field that became absent.
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


def encode_create(entity: Entity) -> AssistantsRequestBody:
    """The body that creates the object."""
    return _encode_fields(entity, WRITTEN_FIELDS[entity.kind])


def encode_update(
    entity: Entity, fields: frozenset[str], existing: Entity | None = None
) -> AssistantsRequestBody:
    """The body that changes just these fields; a field that became absent is sent with its empty value. Of
    files and stores, a branch that neither the new state nor `existing` has is not created."""
    names = tuple(name for name in UPDATABLE_FIELDS[entity.kind] if name in fields)
    body = _encode_fields(entity, names)
    if "tool_resources" in names:
        before = EMPTY_RESOURCES if existing is None else existing.fields.get("tool_resources") or {}
        emptied = {branch: value for branch, value in EMPTY_RESOURCES.items() if branch in before}
        body["tool_resources"] = {**emptied, **body.get("tool_resources", {})}
    return {name: body.get(name, EMPTY_VALUES.get(name)) for name in names}


def _encode_fields(entity: Entity, names: tuple[str, ...]) -> AssistantsRequestBody:
    body: AssistantsRequestBody = {}
    for name in names:
        value = entity.fields.get(name)
        encode = FIELD_ENCODERS.get(name)
        if encode and value is not None:
            value = encode(value)
        if value is not None and value != {} and value != []:
            body[name] = value
    return body


def _encode_content(parts: list[JSON]) -> JSON:
    """A single text part is sent as a string, the only form that every API description has."""
    if len(parts) == 1 and parts[0].get("type") == "text":
        return parts[0]["text"]["value"]
    return [
        {"type": "text", "text": part["text"]["value"]} if part.get("type") == "text" else dict(part)
        for part in parts
    ]


def _encode_chunking(value: JSON) -> JSON:
    return value if isinstance(value, Mapping) and value.get("type") in ("auto", "static") else None


def _without_empty_branches(value: JSON) -> JSON:
    """Without nulls and empty values: a GET returns `{"code_interpreter": {"file_ids": []}}` for none."""
    if not isinstance(value, Mapping):
        return value
    kept = {k: _without_empty_branches(v) for k, v in value.items()}
    return {k: v for k, v in kept.items() if v not in (None, {}, [])}


def encode_response_format(value: JSON) -> JSON:
    """Without nulls beside a schema, which are read but refused on writing. The schema stays exact."""
    if isinstance(value, Mapping) and isinstance(value.get("json_schema"), Mapping):
        return {**value, "json_schema": drop_nulls(value["json_schema"])}
    return value


def _encode_tools(tools: list[JSON]) -> JSON:
    """The tools without nulls, on their first two levels."""
    return [
        {k: drop_nulls(v) if isinstance(v, Mapping) else v for k, v in drop_nulls(tool).items()}
        for tool in tools
    ]


def drop_nulls(value: Mapping[str, JSON]) -> dict[str, JSON]:
    """The keys whose values are not null."""
    return {k: v for k, v in value.items() if v is not None}


FIELD_ENCODERS: dict[str, Callable[[JSON], JSON]] = {
    "response_format": encode_response_format,
    "tools": _encode_tools,
    "content": _encode_content,
    "chunking_strategy": _encode_chunking,
    "tool_resources": _without_empty_branches,
}
