"""An assistant made to fit a service of the Assistants wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrate.codecs.adapt.connections import fit_connections, without_secrets
from migrate.codecs.adapt.context import Ledger, Target
from migrate.codecs.adapt.existing_metadata import tell_what_stays
from migrate.codecs.adapt.metadata import fit_metadata
from migrate.codecs.adapt.models import fit_model
from migrate.codecs.adapt.references import fit_resources
from migrate.codecs.adapt.tools import known_keys, whole_function
from migrate.codecs.adapt.write_form import fit_values, may_be_written
from migrate.codecs.assistants.encode import written_format
from migrate.codecs.write_forms import assistants
from migrate.codecs.write_forms.rules import Form
from migrate.model import JSON, Entity
from migrate.model.normalize import without_nulls


def only_prompt(entity: Entity, ledger: Ledger) -> bool:
    """Whether it is an agent that is made of a model and instructions; workflows and hosted ones are not."""
    kind = (entity.fields.get("definition") or {}).get("kind")
    if kind:
        reason = f"it is a {kind} agent, and only prompt agents can be recreated"
        ledger.blocked("definition", reason, "recreate it by hand; the archive has its definition")
    return not kind


def fit_texts(fields: dict[str, Any], names: Iterable[str], target: Target, ledger: Ledger) -> None:
    """Cut texts to the target's limits, each told."""
    for name in names:
        most = getattr(target.profile, f"{name}_max")
        text = fields.get(name)
        if isinstance(text, str) and len(text) > most:
            reason = f"{len(text):,} characters, the target takes {most:,}: cut"
            ledger.lost(name, reason, "the archive has all of it")
            fields[name] = text[:most]


def adapt_assistant(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """Model mapped, texts within limits, only tools the service knows, references that will resolve."""
    if not only_prompt(entity, ledger):
        return entity
    entity = without_secrets(entity, ledger)
    fields: dict[str, Any] = dict(entity.fields)
    fields["model"] = fit_model(entity, target, ledger)
    fit_texts(fields, ("name", "description", "instructions"), target, ledger)
    fields["tools"] = _tools(fields.get("tools") or [], target, ledger)
    fields["tool_resources"] = fit_resources(entity, target, ledger)
    if fields.get("reasoning_effort") is not None and not target.profile.reasoning_effort:
        ledger.lost("reasoning_effort", f"{target.profile.service} does not take it", "set it per run")
        fields["reasoning_effort"] = None
    for name in fields.get("definition") or {}:
        ledger.lost(f"definition.{name}", f"{target.profile.service} has no place for it", "set it per run")
    fields["definition"] = None
    fit_values(fields, VALUES, target, ledger)
    format_ = fields.get("response_format")
    if (
        isinstance(format_, Mapping)
        and format_.get("type") == "json_schema"
        and not target.profile.json_schema
    ):
        way_out = "use a later api_version for the target"
        ledger.lost("response_format", "this API version takes no json_schema; the default is used", way_out)
        fields["response_format"] = None
    fields["metadata"] = fit_metadata(entity, target, ledger)
    tell_what_stays(entity, {}, target.profile.service, ledger)
    return fit_connections(entity.with_fields(**fields), target, ledger)


def called(tool: Mapping[str, JSON]) -> str:
    """A tool by its type and, where it has one, its name."""
    type_ = str(tool.get("type"))
    inner = tool.get(type_)
    name = inner.get("name") or inner.get("id") if isinstance(inner, Mapping) else None
    return f"{type_} {name}" if name else type_


def _tools(tools: list[JSON], target: Target, ledger: Ledger) -> list[JSON]:
    kept: list[JSON] = []
    for tool in tools:
        type_ = tool.get("type") if isinstance(tool, Mapping) else None
        agent = (tool.get("connected_agent") or {}).get("id") if type_ == "connected_agent" else None
        if type_ not in target.profile.tool_types:
            ledger.lost("tools", f"{target.profile.service} has no tool {type_!r}", "kept in the archive")
        elif type_ == "function" and not (tool.get("function") or {}).get("name"):
            ledger.lost("tools", "a function without a name", "name it and add it by hand")
        elif agent and not target.reaches(ledger.entity.id, agent):
            way_out = "add the tool by hand when both are there"
            ledger.lost("tools", f"connected_agent names {agent}, which cannot be named here", way_out)
        else:
            fitted = _older_ranker(known_keys(without_nulls(tool), target, ledger), ledger)
            if type_ == "function":
                fitted["function"] = whole_function(fitted["function"], target, ledger)
            form = assistants.tool(target.profile.service)
            if may_be_written(form(fitted, ""), "tools", called(fitted), target, ledger):
                kept.append(fitted)
    for tool in kept[target.profile.tools_max :]:
        ledger.lost("tools", f"{tool['type']} is beyond the limit of {target.profile.tools_max} tools")
    return kept[: target.profile.tools_max]


VALUES: Mapping[str, Form] = {
    "temperature": assistants.temperature,
    "top_p": assistants.top_p,
    "reasoning_effort": assistants.effort,
    "response_format": lambda value, at: assistants.response_format(written_format(value), at),
}
"""Fields that are one value, each with its form."""

RANKERS = ("auto", "none", "default_2024_08_21")
"""Rankers of this wire; the newer generation has others."""


def _older_ranker(tool: dict[str, Any], ledger: Ledger) -> dict[str, Any]:
    """File search with a ranker that is known here."""
    options = tool.get("file_search") if tool["type"] == "file_search" else None
    ranking = options.get("ranking_options") if isinstance(options, Mapping) else None
    if isinstance(ranking, Mapping) and ranking and "score_threshold" not in ranking:
        ranking = {**ranking, "score_threshold": 0.0}  # it is required, and this is what leaving it out means
        tool = {**tool, "file_search": {**(options or {}), "ranking_options": ranking}}
        options = tool["file_search"]
    ranker = ranking.get("ranker") if isinstance(ranking, Mapping) else None
    if not isinstance(options, Mapping) or not isinstance(ranking, Mapping) or ranker in (None, *RANKERS):
        return tool
    ledger.adapted("tools", f"ranker {ranker} is not known here; the default is used")
    return {**tool, "file_search": {**options, "ranking_options": {**ranking, "ranker": "auto"}}}
