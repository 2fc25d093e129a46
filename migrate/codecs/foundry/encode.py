"""Adapted model objects, encoded as request bodies of a Foundry project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.adapt.metadata import fitting_portal_settings
from migrate.codecs.assistants import UPDATABLE_FIELDS, drop_nulls, encode_create, encode_update
from migrate.codecs.capabilities import MAX_METADATA_PAIRS
from migrate.codecs.foundry.decode import SHARED_DEFINITION_KEYS
from migrate.codecs.foundry.items import write_item
from migrate.codecs.foundry.tools import to_foundry_tool, with_first_of_server
from migrate.model import JSON, Entity
from migrate.model.references import tool_resource_ids
from migrate.model.secrets import with_target_secrets
from migrate.model.stamp import DEFAULT_STAMP_KEYS, StampKeys, stamp_keys_in

FoundryRequestBody = dict[str, JSON]

FOUNDRY_UPDATABLE_FIELDS: dict[str, tuple[str, ...]] = {
    "assistant": (*UPDATABLE_FIELDS["assistant"], "definition"),
    "thread": ("metadata", "tool_resources"),
    "vector_store": UPDATABLE_FIELDS["vector_store"],
    "vector_store_file": UPDATABLE_FIELDS["vector_store_file"],
}

# Ids in one value of metadata. With the longest seen (41 characters) they stay under 512 characters.
MAX_IDS_PER_KEY = 10


def encode_foundry_create(entity: Entity) -> FoundryRequestBody:
    """The body that creates the object."""
    rule = FOUNDRY_ENCODERS.get(entity.kind)
    return rule(entity) if rule else encode_create(entity)


def encode_foundry_update(
    entity: Entity, fields: frozenset[str], existing: Entity | None = None
) -> FoundryRequestBody:
    """The body that changes an object.

    A version of an agent cannot be changed, so an agent is written whole, with the portal's metadata. A
    conversation has only metadata.
    """
    if entity.kind == "assistant":
        body = _agent(with_target_secrets(entity, existing) if existing else entity)
        portal = (existing.facts.get("portal") if existing else None) or {}
        room = max(0, MAX_METADATA_PAIRS - len(body["metadata"]))
        kept = dict(list(portal.items())[:room])
        return {**body, "metadata": {**kept, **body["metadata"]}}
    if entity.kind == "thread":
        return _conversation(entity)
    return encode_update(entity, fields, existing)


def _new_agent(entity: Entity) -> FoundryRequestBody:
    """An agent with its settings from the portal of the source."""
    body = _agent(entity)
    portal = fitting_portal_settings(entity, len(body["metadata"]))
    return {**body, "metadata": {**portal, **body["metadata"]}}


def _agent(entity: Entity) -> FoundryRequestBody:
    body: FoundryRequestBody = {
        "definition": agent_definition(entity),
        "metadata": dict(entity.fields.get("metadata") or {}),
    }
    if entity.fields.get("description"):
        body["description"] = entity.fields["description"]
    return body


def agent_definition(entity: Entity) -> dict[str, Any]:
    """A prompt agent's definition. A `temperature` or `top_p` of 1 is left out."""
    fields = entity.fields
    out: dict[str, Any] = {"kind": "prompt", **dict(fields.get("definition") or {})}
    for name in SHARED_DEFINITION_KEYS:
        value = fields.get(name)
        default = name in ("temperature", "top_p") and value == 1  # reasoning models refuse both keys
        if value is not None and not default:
            out[name] = value
    resources = fields.get("tool_resources") or {}
    tools = [
        to_foundry_tool(dict(tool), resources if is_first else {})
        for tool, is_first in with_first_of_server(fields.get("tools") or [])
    ]
    if tools:
        out["tools"] = tools
    if isinstance(fields.get("response_format"), Mapping):
        out["text"] = {**out.get("text", {}), "format": flatten_response_format(fields["response_format"])}
    if fields.get("reasoning_effort") is not None:
        out["reasoning"] = {"effort": fields["reasoning_effort"], **out.get("reasoning", {})}
    return out


def flatten_response_format(format_: Mapping[str, JSON]) -> JSON:
    """A response format with a flat schema.

    `strict` is always written: without the key a schema is strict here (recorded) and not strict on older
    services.
    """
    inner = format_.get("json_schema")
    if format_.get("type") != "json_schema" or not isinstance(inner, Mapping):
        return dict(format_)
    return {"type": "json_schema", "strict": False, **drop_nulls(inner)}


def _conversation(entity: Entity) -> FoundryRequestBody:
    metadata = dict(entity.fields.get("metadata") or {})
    keys = stamp_keys_in(metadata) or DEFAULT_STAMP_KEYS
    return {"metadata": {**metadata, **resources_as_metadata(keys, entity.fields.get("tool_resources"))}}


def resources_as_metadata(keys: StampKeys, resources: JSON) -> dict[str, str]:
    """The ids in `tool_resources` of a thread as values of metadata."""
    files, stores = (tool_resource_ids(resources, branch) for branch in ("code_interpreter", "file_search"))
    return {**ids_as_metadata(keys.files, files), **ids_as_metadata(keys.stores, stores)}


def ids_as_metadata(key: str, ids: list[str]) -> dict[str, str]:
    """Ids as values of metadata: KEY, KEY_2 and so on."""
    chunks = [ids[at : at + MAX_IDS_PER_KEY] for at in range(0, len(ids), MAX_IDS_PER_KEY)]
    return {(key if n == 0 else f"{key}_{n + 1}"): ",".join(chunk) for n, chunk in enumerate(chunks)}


FOUNDRY_ENCODERS: dict[str, Callable[[Entity], FoundryRequestBody]] = {
    "assistant": _new_agent,
    "thread": _conversation,
    "message": write_item,
}
