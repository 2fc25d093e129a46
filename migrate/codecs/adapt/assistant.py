"""An assistant adapted to a service of the Assistants API, and the rules that new Foundry agents share."""

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

# Fields with a single value, each with its form.
ASSISTANT_VALUE_FORMS: Mapping[str, ValueForm] = {
    "temperature": assistants.temperature_form,
    "top_p": assistants.top_p_form,
    "reasoning_effort": assistants.effort_form,
    "response_format": lambda value, at: assistants.response_format_form(encode_response_format(value), at),
}
# Rankers of the Assistants API; new Foundry agents have others.
ASSISTANTS_RANKERS = ("auto", "none", "default_2024_08_21")


def check_is_prompt_agent(entity: Entity, losses: LossCollector) -> bool:
    """Whether the agent consists of a model and instructions. Any other kind is blocked."""
    kind = (entity.fields.get("definition") or {}).get("kind")
    if kind:
        reason = f"it is a {kind} agent, and only prompt agents can be recreated"
        losses.add_blocked("definition", reason, "recreate it by hand; the archive has its definition")
    return not kind


def cut_texts(fields: dict[str, Any], names: Iterable[str], target: Target, losses: LossCollector) -> None:
    """Cut texts to the target's limits; every cut is reported."""
    for name in names:
        limit = getattr(target.capabilities, f"{name}_max")
        text = fields.get(name)
        if isinstance(text, str) and len(text) > limit:
            reason = f"{len(text):,} characters, the target takes {limit:,}: cut"
            losses.add_lost(name, reason, "the archive has all of it")
            fields[name] = text[:limit]


def adapt_assistant(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """The assistant with a mapped model, texts within limits, and the tools that the target has."""
    if not check_is_prompt_agent(entity, losses):
        return entity
    entity = without_tool_secrets(entity, losses)
    service = target.capabilities.service
    fields: dict[str, Any] = dict(entity.fields)
    fields["model"] = fit_model(entity, target, losses)
    cut_texts(fields, ("name", "description", "instructions"), target, losses)
    fields["tools"] = _fit_tools(fields.get("tools") or [], target, losses)
    fields["tool_resources"] = fit_resources(entity, target, losses)
    if fields.get("reasoning_effort") is not None and not target.capabilities.reasoning_effort:
        losses.add_lost("reasoning_effort", f"{service} does not take it", "set it per run")
        fields["reasoning_effort"] = None
    for name in fields.get("definition") or {}:
        losses.add_lost(f"definition.{name}", f"{service} cannot store it", "set it per run")
    fields["definition"] = None
    drop_misfit_values(fields, ASSISTANT_VALUE_FORMS, target, losses)
    format_ = fields.get("response_format")
    is_schema = isinstance(format_, Mapping) and format_.get("type") == "json_schema"
    if is_schema and not target.capabilities.json_schema:
        reason = "this API version takes no json_schema; the default is used"
        losses.add_lost("response_format", reason, "use a later api_version for the target")
        fields["response_format"] = None
    fields["metadata"] = fit_metadata(entity, target, losses)
    report_lost_portal_settings(entity, {}, service, losses)
    return fit_connections(entity.with_fields(**fields), target, losses)


def tool_label(tool: Mapping[str, JSON]) -> str:
    """The type of a tool and, where it has one, its name."""
    type_ = str(tool.get("type"))
    inner = tool.get(type_)
    name = inner.get("name") or inner.get("id") if isinstance(inner, Mapping) else None
    return f"{type_} {name}" if name else type_


def has_function_name(tool: Mapping[str, JSON], losses: LossCollector) -> bool:
    """Whether a function tool has a name; without one it is reported as lost."""
    function = tool.get("function")
    named = isinstance(function, Mapping) and bool(function.get("name"))
    if not named:
        losses.add_lost("tools", "a function without a name", "name it and add it by hand")
    return named


def first_tools(tools: list[JSON], target: Target, losses: LossCollector) -> list[JSON]:
    """As many tools as the target accepts; the others are reported."""
    limit = target.capabilities.tools_max
    for tool in tools[limit:]:
        losses.add_lost("tools", f"{tool.get('type')} is beyond the limit of {limit} tools")
    return tools[:limit]


def _fit_tools(tools: list[JSON], target: Target, losses: LossCollector) -> list[JSON]:
    service = target.capabilities.service
    kept: list[JSON] = []
    for tool in tools:
        type_ = tool.get("type") if isinstance(tool, Mapping) else None
        if type_ not in target.capabilities.tool_types:
            losses.add_lost("tools", f"{service} has no tool {type_!r}", "kept in the archive")
            continue
        if type_ == "function" and not has_function_name(tool, losses):
            continue
        agent = (tool.get("connected_agent") or {}).get("id") if type_ == "connected_agent" else None
        if agent and not target.can_reference(losses.entity.id, agent):
            reason = f"connected_agent refers to {agent}, which cannot be referred to here"
            losses.add_lost("tools", reason, "add the tool by hand when both are there")
            continue
        fitted = portable_tool(remove_nulls(tool), target, losses)
        if type_ == "file_search":
            fitted = _fit_ranker(fitted, losses)
        if type_ == "function":
            fitted["function"] = complete_function(fitted["function"], target, losses)
        if check_form(assistants.tool_form(service)(fitted, ""), "tools", tool_label(fitted), target, losses):
            kept.append(fitted)
    return first_tools(kept, target, losses)


def _fit_ranker(tool: dict[str, Any], losses: LossCollector) -> dict[str, Any]:
    """File search with a ranker of the Assistants API and the score threshold that the API requires."""
    options = tool.get("file_search")
    ranking = options.get("ranking_options") if isinstance(options, Mapping) else None
    if not isinstance(options, Mapping) or not isinstance(ranking, Mapping) or not ranking:
        return tool
    # 0.0 means the same as leaving it out on other services.
    ranking = {**ranking, "score_threshold": ranking.get("score_threshold", 0.0)}
    ranker = ranking.get("ranker")
    if ranker not in (None, *ASSISTANTS_RANKERS):
        losses.add_adapted("tools", f"ranker {ranker} is not known here; the default is used")
        ranking["ranker"] = "auto"
    return {**tool, "file_search": {**options, "ranking_options": ranking}}
