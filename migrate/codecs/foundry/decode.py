"""A Foundry project's JSON in, canonical entities out; files and vector stores have the family's shape.

Server-made keys of agents and items keep growing (recorded 2025-11 to 2026-07): those that are known are
facts, kept and never compared. Any other key may be its owner's: it is compared, and told where it cannot be
written. What an agent is made of, `definition`, comes back as it was sent, so every key in it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from migrate.codecs.adapt.metadata import PORTAL_KEYS
from migrate.codecs.assistants import DecodeContext, decode_assistants_object
from migrate.codecs.field_types import is_well_formed
from migrate.codecs.foundry.agent_names import agent_name
from migrate.codecs.foundry.items import read_item
from migrate.codecs.foundry.tools import to_canonical_tool
from migrate.model import JSON, KINDS, Entity
from migrate.model.served_version import served_older_versions
from migrate.model.stamp import read_stamp, stamped_file_ids, stamped_name, stamped_vector_store_ids


def decode_foundry_object(
    kind: str, body: Mapping[str, JSON], parent: str = "", context: DecodeContext | None = None
) -> list[Entity]:
    """The object in canonical form."""
    rule = FOUNDRY_DECODERS.get(kind)
    return [rule(dict(body), parent)] if rule else decode_assistants_object(kind, body, parent, context)


# ---------------------------------------------------------------------------------------------- agents

# Keys of a definition that are fields of an assistant under the same name.
SHARED_DEFINITION_KEYS = ("model", "instructions", "temperature", "top_p")


# Keys of an agent and of its versions that say how the service runs it (recorded 2025-11 to 2026-07, or
# described by its SDK). What an owner set in them is told when a move is planned: see `model.serving`.
AGENT_SERVICE_KEYS = frozenset(
    "status agent_guid state configuration_state state_source agent_endpoint agent_card instance_identity "
    "blueprint blueprint_reference".split()
)


def _agent(body: dict[str, Any], _: str) -> Entity:
    """An agent as it is listed, or one version of one."""
    versions = body.get("versions")
    latest = versions.get("latest") if isinstance(versions, Mapping) else None
    version: Mapping[str, JSON] = latest if isinstance(latest, Mapping) else body
    called = str(body.get("name") or body.get("id") or "")
    given = version.get("definition")
    fields, rest = _split_definition(dict(given)) if isinstance(given, Mapping) else ({}, {})
    metadata, portal = _split_portal_keys(version.get("metadata"))
    fields["name"] = _original_name(called, metadata)
    fields["metadata"] = metadata
    if version.get("description") is not None:
        fields["description"] = version["description"]
    if rest:
        fields["definition"] = rest
    sound = {name: value for name, value in fields.items() if is_well_formed(name, value)}
    known = {"object", "id", "name", "version", "versions", "created_at", "metadata", "description"}
    seen = {k: v for k, v in {**body, **version}.items() if k not in known | {"definition"}}
    facts = {
        "id": called,
        "created_at": version.get("created_at"),
        "version": version.get("version"),
        "portal": portal,
        "served": _served_versions(body),
        "service": {k: v for k, v in seen.items() if k in AGENT_SERVICE_KEYS},
    }
    odd = {name: value for name, value in fields.items() if name not in sound}
    return Entity("assistant", called, "", sound, facts, {**_unknown_keys("assistant", seen), **odd})


# Keys of an agent with the value that says no more than their absence.
DEFAULT_AGENT_VALUES: Mapping[str, JSON] = {"draft": False}


def _unknown_keys(kind: str, rest: Mapping[str, JSON]) -> dict[str, JSON]:
    """The keys that no rule knows. One that is called as a field which is read from elsewhere keeps apart."""
    return {
        f"{kind}.{name}" if name in KINDS[kind].fields else name: value
        for name, value in rest.items()
        if name not in AGENT_SERVICE_KEYS
        and (name not in DEFAULT_AGENT_VALUES or value != DEFAULT_AGENT_VALUES[name])
    }


def _served_versions(body: Mapping[str, JSON]) -> dict[str, JSON]:
    """The versions that users get beside the newest, as far as the archive has them."""
    versions = body.get("versions")
    held = versions if isinstance(versions, Mapping) else {}
    return {number: held[number] for number in served_older_versions(body) if number in held}


def _split_definition(given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that every generation has, and what only this one can say. Of an agent that is no
    prompt agent the whole definition stays as it is."""
    if given.get("kind") != "prompt":
        return {}, given
    fields = {name: given.pop(name) for name in SHARED_DEFINITION_KEYS if name in given}
    del given["kind"]
    tools = given.get("tools")
    if isinstance(tools, list):
        resources: dict[str, Any] = {}
        fields["tools"] = list(_tools(given.pop("tools"), resources))
        fields["tool_resources"] = resources
    text = given.get("text")
    if isinstance(text, Mapping) and isinstance(text.get("format"), Mapping):
        fields["response_format"] = nest_response_format(text["format"])
        given["text"] = {k: v for k, v in text.items() if k != "format"}
    reasoning = given.get("reasoning")
    if isinstance(reasoning, Mapping) and "effort" in reasoning:
        fields["reasoning_effort"] = reasoning["effort"]
        given["reasoning"] = {k: v for k, v in reasoning.items() if k != "effort"}
    said = {name: _without_nulls(value, name) for name, value in given.items()}
    return fields, {k: v for k, v in said.items() if v not in (None, {}, [])}


# Keys of structured inputs whose values are the owner's own, nulls in them too.
EXACT_INPUT_KEYS = ("default_value", "schema")


def _without_nulls(value: JSON, name: str = "") -> JSON:
    """A value of a definition without nulls, which say nothing and are refused on writing."""
    if isinstance(value, Mapping) and name not in EXACT_INPUT_KEYS:
        return {k: _without_nulls(v, k) for k, v in value.items() if v is not None}
    return (
        [_without_nulls(one) for one in value]
        if isinstance(value, list) and name not in EXACT_INPUT_KEYS
        else value
    )


def _tools(tools: list[JSON], resources: dict[str, Any]) -> Iterator[JSON]:
    """Tools in canonical form. What is said about a server goes with the first tool of it; a further one
    keeps what is said of it."""
    seen: set[str] = set()
    for tool in tools:
        server = isinstance(tool, Mapping) and tool.get("type") == "mcp"
        label = str(tool.get("server_label")) if server else ""
        yield tool if label and label in seen else to_canonical_tool(tool, resources)
        seen.add(label)


def nest_response_format(format_: Mapping[str, JSON]) -> JSON:
    """The schema of a structured answer, nested again; one that is nested already is read as well. One that
    does not say so is strict (recorded)."""
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
    """The owner's metadata, and the portal's."""
    if not isinstance(metadata, Mapping):
        return metadata, {}
    portal = {k: v for k, v in metadata.items() if k in PORTAL_KEYS}
    return {k: v for k, v in metadata.items() if k not in PORTAL_KEYS}, portal


def _original_name(called: str, metadata: JSON) -> str | None:
    """The name before it was made an address: kept in metadata, or known to have been none."""
    if not isinstance(metadata, Mapping):
        return called
    carried = stamped_name(metadata)
    if carried is not None:
        return carried
    source = read_stamp(metadata).partition(":")[2]
    return None if source and called == agent_name("", source) else called


# --------------------------------------------------------------------------------------- conversations


def _conversation(body: dict[str, Any], _: str) -> Entity:
    """A conversation has no resources of its own; ours are named in its metadata."""
    metadata = body.get("metadata")
    fields: dict[str, JSON] = {"metadata": metadata}
    if isinstance(metadata, Mapping):
        files, stores = stamped_file_ids(metadata), stamped_vector_store_ids(metadata)
        fields["tool_resources"] = {
            **({"code_interpreter": {"file_ids": files}} if files else {}),
            **({"file_search": {"vector_store_ids": stores}} if stores else {}),
        }
    known = {"id", "object", "created_at", "metadata"}
    facts = {"id": body.get("id"), "created_at": body.get("created_at")}
    sound = {name: value for name, value in fields.items() if is_well_formed(name, value)}
    odd = {name: value for name, value in fields.items() if name not in sound}
    unknown = _unknown_keys("thread", {k: v for k, v in body.items() if k not in known})
    return Entity("thread", str(body.get("id") or ""), "", sound, facts, {**unknown, **odd})


FOUNDRY_DECODERS: dict[str, Callable[[dict[str, Any], str], Entity]] = {
    "assistant": _agent,
    "thread": _conversation,
    "message": read_item,
}
