"""The JSON of a Foundry project, decoded to model objects. Files and stores are as in the Assistants API.

Services add keys to agents and items from time to time (recorded 2025-11 to 2026-07). Known ones are facts:
kept, never compared. Any other key may be the owner's: it is compared, and reported where it cannot be
written. The
`definition` of an agent is returned as it was sent, so every key in it is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from migrate.codecs.adapt.metadata import PORTAL_KEYS
from migrate.codecs.assistants import DecodeContext, decode_assistants_object
from migrate.codecs.field_types import split_well_formed
from migrate.codecs.foundry.items import read_item
from migrate.codecs.foundry.tools import to_canonical_tool, with_first_of_server
from migrate.codecs.foundry.valid_names import agent_name
from migrate.model import JSON, KINDS, Entity
from migrate.model.served_version import newest_form, served_older_versions
from migrate.model.stamp import read_stamp, stamped_name, stamped_resources


def decode_foundry_object(
    kind: str, body: Mapping[str, JSON], parent: str = "", context: DecodeContext | None = None
) -> list[Entity]:
    """The object in canonical form."""
    decode = FOUNDRY_DECODERS.get(kind)
    if decode is None:
        return decode_assistants_object(kind, body, parent, context)
    return [decode(dict(body), parent)]


# ---------------------------------------------------------------------------------------------- agents

# Keys of a definition that are fields of an assistant with the same name.
SHARED_DEFINITION_KEYS = ("model", "instructions", "temperature", "top_p")


# Keys of an agent and of its versions about how the service runs it (recorded 2025-11 to 2026-07, or in its
# SDK). A plan reports what an owner set in them (`model.served_version`).
AGENT_SERVICE_KEYS = frozenset(
    "status agent_guid state configuration_state state_source agent_endpoint agent_card instance_identity "
    "blueprint blueprint_reference".split()
)


# Keys that are read to fields or facts.
AGENT_FIELD_KEYS = frozenset(
    "object id name version versions created_at metadata description definition".split()
)


def _agent(body: dict[str, Any], _: str) -> Entity:
    """An agent as it is listed, or one version of an agent."""
    version = newest_form(body)
    address = str(body.get("name") or body.get("id") or "")
    definition = version.get("definition")
    fields, rest = _split_definition(dict(definition)) if isinstance(definition, Mapping) else ({}, {})
    metadata, portal = _split_portal_keys(version.get("metadata"))
    fields["name"] = _original_name(address, metadata)
    fields["metadata"] = metadata
    if version.get("description") is not None:
        fields["description"] = version["description"]
    if rest:
        fields["definition"] = rest
    rest_of_body = {k: v for k, v in {**body, **version}.items() if k not in AGENT_FIELD_KEYS}
    facts = {
        "id": address,
        "created_at": version.get("created_at"),
        "version": version.get("version"),
        "portal": portal,
        "served": _served_versions(body),
        "service": {k: v for k, v in rest_of_body.items() if k in AGENT_SERVICE_KEYS},
    }
    sound, odd = split_well_formed(fields)
    unknown = _unknown_keys("assistant", rest_of_body)
    return Entity("assistant", address, "", sound, facts, {**unknown, **odd})


# Keys of an agent, with the value that means the same as leaving the key out.
DEFAULT_AGENT_VALUES: Mapping[str, JSON] = {"draft": False}


def _unknown_keys(kind: str, rest: Mapping[str, JSON]) -> dict[str, JSON]:
    """The keys that no rule knows. A key with the name of a field gets the kind as a prefix."""
    return {
        f"{kind}.{name}" if name in KINDS[kind].fields else name: value
        for name, value in rest.items()
        if name not in AGENT_SERVICE_KEYS
        and (name not in DEFAULT_AGENT_VALUES or value != DEFAULT_AGENT_VALUES[name])
    }


def _served_versions(body: Mapping[str, JSON]) -> dict[str, JSON]:
    """The older versions that users still get, as far as the body has them."""
    versions = body.get("versions")
    known = versions if isinstance(versions, Mapping) else {}
    return {number: known[number] for number in served_older_versions(body) if number in known}


def _split_definition(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that every generation has, and the keys that only this one has.

    The definition of any other than a prompt agent stays whole.
    """
    if given.get("kind") != "prompt":
        return {}, given
    fields = {name: given.pop(name) for name in SHARED_DEFINITION_KEYS if name in given}
    del given["kind"]
    tools = given.get("tools")
    if isinstance(tools, list):
        resources: dict[str, Any] = {}
        fields["tools"] = [
            to_canonical_tool(tool, resources) if is_first else tool
            for tool, is_first in with_first_of_server(given.pop("tools"))
        ]
        fields["tool_resources"] = resources
    text = given.get("text")
    if isinstance(text, Mapping) and isinstance(text.get("format"), Mapping):
        fields["response_format"] = nest_response_format(text["format"])
        given["text"] = {k: v for k, v in text.items() if k != "format"}
    reasoning = given.get("reasoning")
    if isinstance(reasoning, Mapping) and "effort" in reasoning:
        fields["reasoning_effort"] = reasoning["effort"]
        given["reasoning"] = {k: v for k, v in reasoning.items() if k != "effort"}
    rest = {name: _without_nulls(value, name) for name, value in given.items()}
    return fields, {k: v for k, v in rest.items() if v not in (None, {}, [])}


# Keys of structured inputs whose values are kept exactly, with their nulls.
EXACT_INPUT_KEYS = ("default_value", "schema")


def _without_nulls(value: JSON, name: str = "") -> JSON:
    """A value of a definition without nulls, which are refused on writing."""
    if name in EXACT_INPUT_KEYS:
        return value
    if isinstance(value, Mapping):
        return {k: _without_nulls(v, k) for k, v in value.items() if v is not None}
    return [_without_nulls(member) for member in value] if isinstance(value, list) else value


def nest_response_format(format_: Mapping[str, JSON]) -> JSON:
    """A response format with a nested schema; a schema without `strict` is strict (recorded)."""
    if format_.get("type") != "json_schema":
        return dict(format_)
    nested = format_.get("json_schema")
    both = format_.keys() & {"name", "schema"}
    inner = {k: v for k, v in format_.items() if k != "type"}
    if isinstance(nested, Mapping) and not both and not nested.keys() & inner.keys():
        inner = {**{k: v for k, v in inner.items() if k != "json_schema"}, **nested}
    strict = inner.get("strict")
    return {"type": "json_schema", "json_schema": {**inner, "strict": True if strict is None else strict}}


def _split_portal_keys(metadata: JSON) -> tuple[JSON, dict[str, JSON]]:
    """The metadata of the owner, and that of the portal."""
    if not isinstance(metadata, Mapping):
        return metadata, {}
    portal = {k: v for k, v in metadata.items() if k in PORTAL_KEYS}
    return {k: v for k, v in metadata.items() if k not in PORTAL_KEYS}, portal


def _original_name(address: str, metadata: JSON) -> str | None:
    """The name that became the address: from metadata, or None where the source had no name."""
    if not isinstance(metadata, Mapping):
        return address
    name = stamped_name(metadata)
    if name is not None:
        return name
    source_id = read_stamp(metadata).partition(":")[2]
    return None if source_id and address == agent_name("", source_id) else address


# --------------------------------------------------------------------------------------- conversations


def _conversation(body: dict[str, Any], _: str) -> Entity:
    """A conversation has no resources; this program lists them in its metadata."""
    metadata = body.get("metadata")
    fields: dict[str, JSON] = {"metadata": metadata}
    if isinstance(metadata, Mapping):
        fields["tool_resources"] = stamped_resources(metadata)
    known = {"id", "object", "created_at", "metadata"}
    facts = {"id": body.get("id"), "created_at": body.get("created_at")}
    sound, odd = split_well_formed(fields)
    unknown = _unknown_keys("thread", {k: v for k, v in body.items() if k not in known})
    return Entity("thread", str(body.get("id") or ""), "", sound, facts, {**unknown, **odd})


FOUNDRY_DECODERS: dict[str, Callable[[dict[str, Any], str], Entity]] = {
    "assistant": _agent,
    "thread": _conversation,
    "message": read_item,
}
