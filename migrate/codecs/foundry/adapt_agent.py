"""An assistant, a thread and a message made to fit a Foundry project: every loss told, nothing dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt import RULES as FAMILY
from migrate.codecs.adapt import Rules
from migrate.codecs.adapt.assistant import fit_texts, only_prompt
from migrate.codecs.adapt.connections import fit_connections, without_secrets
from migrate.codecs.adapt.context import Ledger, Target
from migrate.codecs.adapt.existing_metadata import PORTAL, tell_what_stays, that_fits
from migrate.codecs.adapt.metadata import fit_metadata, room_for
from migrate.codecs.adapt.models import fit_model
from migrate.codecs.adapt.references import fit_resources
from migrate.codecs.adapt.write_form import fit_values, may_be_written
from migrate.codecs.foundry.adapt_message import adapt_message
from migrate.codecs.foundry.adapt_tools import fit_tools, only_used
from migrate.codecs.foundry.agent_names import name_for
from migrate.codecs.foundry.encode import spread, write_format
from migrate.codecs.write_forms import assistants, foundry
from migrate.codecs.write_forms.rules import Form, record
from migrate.model import JSON, Entity
from migrate.model.stamp import DEFAULT_STAMP_KEYS, stamp_keys_in

TEMPLATE = re.compile(r"\{\{\s*\w")


def adapt_agent(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """A prompt agent under a valid name, its own name in metadata where that is another."""
    if not only_prompt(entity, ledger):
        return entity
    entity = without_secrets(entity, ledger)
    fields: dict[str, Any] = dict(entity.fields)
    fields["model"] = fit_model(entity, target, ledger)
    fit_texts(fields, ("name", "description", "instructions"), target, ledger)
    native = target.source_type == target.profile.service
    if not native and target.profile.templates and TEMPLATE.search(str(fields.get("instructions") or "")):
        ledger.adapted(
            "instructions",
            "`{{name}}` in instructions is replaced at run time here, from structured inputs",
            "write it in another way, if it is meant as text",
        )
    resources = fit_resources(entity, target, ledger)
    fields["tools"] = fit_tools(fields.get("tools") or [], resources, target, ledger)
    fields["tool_resources"] = only_used(resources, fields["tools"], ledger)
    _fit_sampling(fields, target, ledger)
    if not isinstance(fields.get("response_format"), (Mapping, type(None))):
        if fields["response_format"] != "auto":
            ledger.lost("response_format", f"{fields['response_format']!r} is no format of an answer")
        fields["response_format"] = None
    fit_values(fields, VALUES, target, ledger)
    fields["definition"] = _fit_definition(fields.get("definition"), target, ledger)
    if "rai_config" in (fields.get("definition") or {}):
        ledger.adapted("definition.rai_config", "the content filter it names must exist in the target too")
    metadata = fit_metadata(entity, target, ledger, PORTAL)
    fields["name"] = _fit_name(entity.with_fields(**fields), metadata, target, ledger)
    fields["metadata"] = metadata
    tell_what_stays(entity, that_fits(entity, len(metadata)), target.profile.service, ledger)
    return fit_connections(entity.with_fields(**fields), target, ledger)


VALUES: Mapping[str, Form] = {
    "temperature": assistants.temperature,
    "top_p": assistants.top_p,
    "reasoning_effort": foundry.effort,
    "response_format": lambda value, at: foundry.text_format(write_format(value), at),
}
"""Fields that are one value, each with its form."""


def _fit_definition(definition: JSON, target: Target, ledger: Ledger) -> dict[str, Any] | None:
    """What only this generation says, key by key; what no description knows is tried, and told."""
    if not isinstance(definition, Mapping):
        return None
    return {
        name: value
        for name, value in definition.items()
        if may_be_written(
            record(**foundry.DEFINITION)({name: value}, ""), f"definition.{name}", name, target, ledger
        )
    }


def _fit_sampling(fields: dict[str, Any], target: Target, ledger: Ledger) -> None:
    """Reasoning models refuse sampling numbers; the default is never sent."""
    for name in ("temperature", "top_p"):
        value = fields.get(name)
        if value is not None and value != 1 and fields.get("model") in target.reasoning:
            ledger.lost(name, f"{value} is refused by {fields['model']}, which is a reasoning model")
            fields[name] = None


def _fit_name(entity: Entity, metadata: dict[str, str], target: Target, ledger: Ledger) -> str | None:
    """The name as it will read back; adds to metadata where the address says something else."""
    name, address = entity.fields.get("name"), target.names.get(entity.id)
    if address is None or address == name:
        return name
    names = stamp_keys_in(metadata)
    reads_nameless = names is not None and address == name_for("", entity.id)
    if not name:
        ledger.adapted("name", f"an agent needs a name; it becomes {address}")
        return None if reads_nameless else address
    reason = f"agents are addressed by name: {name!r} becomes {address}"
    if names is not None and room_for(metadata, target) > 0:
        metadata[names.name] = name
        ledger.adapted("name", f"{reason}; the original name is kept in metadata as {names.name}")
        return str(name)
    ledger.lost("name", f"{reason}, and metadata has no room for the original", "the archive has it")
    return None if reads_nameless else address


def adapt_conversation(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """A conversation has no files or stores of its own: they are made, and named in its metadata."""
    resources = fit_resources(entity, target, ledger)
    for branch in sorted(target.profile.resources & resources.keys()):
        ledger.lost(f"tool_resources.{branch}", "a conversation has no place for it", "kept in the archive")
        del resources[branch]
    metadata = fit_metadata(entity, target, ledger)
    files = (resources.get("code_interpreter") or {}).get("file_ids") or []
    stores = (resources.get("file_search") or {}).get("vector_store_ids") or []
    names = stamp_keys_in(metadata)
    called = names or DEFAULT_STAMP_KEYS
    needed = len(spread(called.files, files)) + len(spread(called.stores, stores))
    if needed > (room_for(metadata, target) if names else 0):
        ledger.lost(
            "tool_resources",
            "a conversation has no resources, and its metadata has no room to name them",
            "look them up: ids FILE.db",
        )
        resources = {}
    elif needed:
        ledger.adapted(
            "tool_resources",
            f"a conversation has none; its metadata names them ({called.files}, {called.stores})",
            "let the application pass them on with each response",
        )
    return entity.with_fields(tool_resources=resources, metadata=metadata)


RULES: Rules = {
    **FAMILY,
    "assistant": adapt_agent,
    "thread": adapt_conversation,
    "message": adapt_message,
}
