"""Assistants and threads adapted to a Foundry project, as new agents and conversations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt import ADAPT_RULES, AdaptRules
from migrate.codecs.adapt.assistant import check_is_prompt_agent, cut_texts
from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.metadata import (
    PORTAL_KEYS,
    fit_metadata,
    fitting_portal_settings,
    free_pairs,
    report_lost_portal_settings,
)
from migrate.codecs.adapt.models import fit_connections, fit_model, without_tool_secrets
from migrate.codecs.adapt.tools import fit_resources
from migrate.codecs.adapt.write_form import check_form, drop_misfit_values
from migrate.codecs.foundry.adapt_message import adapt_foundry_message
from migrate.codecs.foundry.adapt_tools import fit_tools, used_resources
from migrate.codecs.foundry.encode import flatten_response_format, resources_as_metadata
from migrate.codecs.foundry.valid_names import agent_name
from migrate.codecs.write_forms import assistants, foundry
from migrate.codecs.write_forms.rules import ValueForm, object_with
from migrate.model import JSON, Entity
from migrate.model.stamp import DEFAULT_STAMP_KEYS, stamp_keys_in

TEMPLATE_START = re.compile(r"\{\{\s*\w")


def adapt_agent(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A prompt agent with a valid name. Metadata stores the original name where it differs."""
    if not check_is_prompt_agent(entity, losses):
        return entity
    entity = without_tool_secrets(entity, losses)
    fields: dict[str, Any] = dict(entity.fields)
    fields["model"] = fit_model(entity, target, losses)
    cut_texts(fields, ("name", "description", "instructions"), target, losses)
    _report_templates(fields, target, losses)
    resources = fit_resources(entity, target, losses)
    fields["tools"] = fit_tools(fields.get("tools") or [], resources, target, losses)
    fields["tool_resources"] = used_resources(resources, fields["tools"], losses)
    _fit_sampling(fields, target, losses)
    format_ = fields.get("response_format")
    if not isinstance(format_, (Mapping, type(None))):
        if format_ != "auto":
            losses.add_lost("response_format", f"{format_!r} is no response format")
        fields["response_format"] = None
    drop_misfit_values(fields, AGENT_VALUE_FORMS, target, losses)
    fields["definition"] = _fit_definition(fields.get("definition"), target, losses)
    if "rai_config" in (fields.get("definition") or {}):
        reason = "its content filter must exist in the target too"
        losses.add_adapted("definition.rai_config", reason)
    metadata = fit_metadata(entity, target, losses, PORTAL_KEYS)
    fields["name"] = _fit_name(entity.with_fields(**fields), metadata, target, losses)
    fields["metadata"] = metadata
    portal = fitting_portal_settings(entity, len(metadata))
    report_lost_portal_settings(entity, portal, target.capabilities.service, losses)
    return fit_connections(entity.with_fields(**fields), target, losses)


# Fields with a single value, each with its form.
AGENT_VALUE_FORMS: Mapping[str, ValueForm] = {
    "temperature": assistants.temperature_form,
    "top_p": assistants.top_p_form,
    "reasoning_effort": foundry.foundry_effort_form,
    "response_format": lambda value, at: foundry.text_format_form(flatten_response_format(value), at),
}


def _report_templates(fields: Mapping[str, Any], target: Target, losses: LossCollector) -> None:
    """Report instructions with `{{name}}`, which only this service replaces at run time."""
    native = target.source_type == target.capabilities.service
    has_template = TEMPLATE_START.search(str(fields.get("instructions") or ""))
    if has_template and not native and target.capabilities.templates:
        losses.add_adapted(
            "instructions",
            "`{{name}}` in instructions is replaced at run time here, from structured inputs",
            "write it in another way, if it is meant as text",
        )


def _fit_definition(definition: JSON, target: Target, losses: LossCollector) -> dict[str, Any] | None:
    """The fields that only new agents have. A key that no API description has is sent and reported."""
    if not isinstance(definition, Mapping):
        return None
    form = object_with(**foundry.DEFINITION_FORMS)
    return {
        name: value
        for name, value in definition.items()
        if check_form(form({name: value}, ""), f"definition.{name}", name, target, losses)
    }


def _fit_sampling(fields: dict[str, Any], target: Target, losses: LossCollector) -> None:
    """Remove `temperature` and `top_p` where the model refuses them. The default of 1 is never sent."""
    for name in ("temperature", "top_p"):
        value = fields.get(name)
        if value is not None and value != 1 and fields.get("model") in target.reasoning:
            losses.add_lost(name, f"{value} is refused by {fields['model']}, which is a reasoning model")
            fields[name] = None


def _fit_name(entity: Entity, metadata: dict[str, str], target: Target, losses: LossCollector) -> str | None:
    """The name as it will be read back. Adds the original name to `metadata` where the address differs."""
    name, address = entity.fields.get("name"), target.names.get(entity.id)
    if address is None or address == name:
        return name
    names = stamp_keys_in(metadata)
    reads_nameless = names is not None and address == agent_name("", entity.id)
    if not name:
        losses.add_adapted("name", f"an agent needs a name; it becomes {address!r}")
        return None if reads_nameless else address
    reason = f"agents are addressed by name: {name!r} becomes {address!r}"
    if names is not None and free_pairs(metadata, target) > 0:
        metadata[names.name] = name
        losses.add_adapted("name", f"{reason}; the original name is kept in metadata as {names.name}")
        return str(name)
    losses.add_lost("name", f"{reason}, and metadata has no room for the original", "the archive has it")
    return None if reads_nameless else address


def adapt_conversation(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A conversation has no files or vector stores: they are created, and its metadata lists them."""
    resources = fit_resources(entity, target, losses)
    for branch in sorted(target.capabilities.resources & resources.keys()):
        reason = "conversations cannot store it"
        losses.add_lost(f"tool_resources.{branch}", reason, "kept in the archive")
        del resources[branch]
    metadata = fit_metadata(entity, target, losses)
    names = stamp_keys_in(metadata)
    keys = names or DEFAULT_STAMP_KEYS
    needed = len(resources_as_metadata(keys, resources))
    if needed > (free_pairs(metadata, target) if names else 0):
        losses.add_lost(
            "tool_resources",
            "a conversation has no resources, and its metadata has no room for their ids",
            "look them up: ids FILE.db",
        )
        resources = {}
    elif needed:
        losses.add_adapted(
            "tool_resources",
            f"a conversation has none; its metadata lists them ({keys.files}, {keys.stores})",
            "let the application pass them on with each response",
        )
    return entity.with_fields(tool_resources=resources, metadata=metadata)


FOUNDRY_ADAPT_RULES: AdaptRules = {
    **ADAPT_RULES,
    "assistant": adapt_agent,
    "thread": adapt_conversation,
    "message": adapt_foundry_message,
}
