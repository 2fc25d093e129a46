"""An assistant made to fit a service of the Assistants wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.metadata import fit_metadata, report_lost_portal_settings
from migrate.codecs.adapt.models import fit_connections, fit_model, without_tool_secrets
from migrate.codecs.adapt.tools import complete_function, fit_resources, portable_tool
from migrate.codecs.adapt.write_form import check_form, drop_misfit_values
from migrate.codecs.assistants import encode_response_format
from migrate.codecs.write_forms import assistants
from migrate.codecs.write_forms.rules import ValueForm
from migrate.model import JSON, Entity
from migrate.model.normalize import remove_nulls


def check_is_prompt_agent(entity: Entity, losses: LossCollector) -> bool:
    """Whether it is an agent that is made of a model and instructions; workflows and hosted ones are not."""
    kind = (entity.fields.get("definition") or {}).get("kind")
    if kind:
        reason = f"it is a {kind} agent, and only prompt agents can be recreated"
        losses.add_blocked("definition", reason, "recreate it by hand; the archive has its definition")
    return not kind


def cut_texts(fields: dict[str, Any], names: Iterable[str], target: Target, losses: LossCollector) -> None:
    """Cut texts to the target's limits, each told."""
    for name in names:
        most = getattr(target.capabilities, f"{name}_max")
        text = fields.get(name)
        if isinstance(text, str) and len(text) > most:
            reason = f"{len(text):,} characters, the target takes {most:,}: cut"
            losses.add_lost(name, reason, "the archive has all of it")
            fields[name] = text[:most]


def adapt_assistant(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """Model mapped, texts within limits, only tools the service knows, references that will resolve."""
    if not check_is_prompt_agent(entity, losses):
        return entity
    entity = without_tool_secrets(entity, losses)
    fields: dict[str, Any] = dict(entity.fields)
    fields["model"] = fit_model(entity, target, losses)
    cut_texts(fields, ("name", "description", "instructions"), target, losses)
    fields["tools"] = _tools(fields.get("tools") or [], target, losses)
    fields["tool_resources"] = fit_resources(entity, target, losses)
    if fields.get("reasoning_effort") is not None and not target.capabilities.reasoning_effort:
        losses.add_lost(
            "reasoning_effort", f"{target.capabilities.service} does not take it", "set it per run"
        )
        fields["reasoning_effort"] = None
    for name in fields.get("definition") or {}:
        losses.add_lost(
            f"definition.{name}", f"{target.capabilities.service} has no place for it", "set it per run"
        )
    fields["definition"] = None
    drop_misfit_values(fields, ASSISTANT_VALUE_FORMS, target, losses)
    format_ = fields.get("response_format")
    if (
        isinstance(format_, Mapping)
        and format_.get("type") == "json_schema"
        and not target.capabilities.json_schema
    ):
        way_out = "use a later api_version for the target"
        losses.add_lost(
            "response_format", "this API version takes no json_schema; the default is used", way_out
        )
        fields["response_format"] = None
    fields["metadata"] = fit_metadata(entity, target, losses)
    report_lost_portal_settings(entity, {}, target.capabilities.service, losses)
    return fit_connections(entity.with_fields(**fields), target, losses)


def tool_label(tool: Mapping[str, JSON]) -> str:
    """A tool by its type and, where it has one, its name."""
    type_ = str(tool.get("type"))
    inner = tool.get(type_)
    name = inner.get("name") or inner.get("id") if isinstance(inner, Mapping) else None
    return f"{type_} {name}" if name else type_


def _tools(tools: list[JSON], target: Target, losses: LossCollector) -> list[JSON]:
    kept: list[JSON] = []
    for tool in tools:
        type_ = tool.get("type") if isinstance(tool, Mapping) else None
        agent = (tool.get("connected_agent") or {}).get("id") if type_ == "connected_agent" else None
        if type_ not in target.capabilities.tool_types:
            losses.add_lost(
                "tools", f"{target.capabilities.service} has no tool {type_!r}", "kept in the archive"
            )
        elif type_ == "function" and not (tool.get("function") or {}).get("name"):
            losses.add_lost("tools", "a function without a name", "name it and add it by hand")
        elif agent and not target.can_reference(losses.entity.id, agent):
            way_out = "add the tool by hand when both are there"
            losses.add_lost("tools", f"connected_agent names {agent}, which cannot be named here", way_out)
        else:
            fitted = _fit_ranker(portable_tool(remove_nulls(tool), target, losses), losses)
            if type_ == "function":
                fitted["function"] = complete_function(fitted["function"], target, losses)
            form = assistants.tool_form(target.capabilities.service)
            if check_form(form(fitted, ""), "tools", tool_label(fitted), target, losses):
                kept.append(fitted)
    for tool in kept[target.capabilities.tools_max :]:
        losses.add_lost(
            "tools", f"{tool['type']} is beyond the limit of {target.capabilities.tools_max} tools"
        )
    return kept[: target.capabilities.tools_max]


# Fields that are one value, each with its form.
ASSISTANT_VALUE_FORMS: Mapping[str, ValueForm] = {
    "temperature": assistants.temperature_form,
    "top_p": assistants.top_p_form,
    "reasoning_effort": assistants.effort_form,
    "response_format": lambda value, at: assistants.response_format_form(encode_response_format(value), at),
}

# Rankers of this wire; the newer generation has others.
ASSISTANTS_RANKERS = ("auto", "none", "default_2024_08_21")


def _fit_ranker(tool: dict[str, Any], losses: LossCollector) -> dict[str, Any]:
    """File search with a ranker that is known here."""
    options = tool.get("file_search") if tool["type"] == "file_search" else None
    ranking = options.get("ranking_options") if isinstance(options, Mapping) else None
    if isinstance(ranking, Mapping) and ranking and "score_threshold" not in ranking:
        ranking = {**ranking, "score_threshold": 0.0}  # it is required, and this is what leaving it out means
        tool = {**tool, "file_search": {**(options or {}), "ranking_options": ranking}}
        options = tool["file_search"]
    ranker = ranking.get("ranker") if isinstance(ranking, Mapping) else None
    if (
        not isinstance(options, Mapping)
        or not isinstance(ranking, Mapping)
        or ranker in (None, *ASSISTANTS_RANKERS)
    ):
        return tool
    losses.add_adapted("tools", f"ranker {ranker} is not known here; the default is used")
    return {**tool, "file_search": {**options, "ranking_options": {**ranking, "ranker": "auto"}}}
