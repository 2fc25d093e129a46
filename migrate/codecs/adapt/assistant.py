"""An assistant made to fit an Assistants resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.ledger import Ledger, Target
from migrate.codecs.adapt.metadata import fit_metadata
from migrate.codecs.adapt.references import fit_resources
from migrate.model import JSON, Entity


def adapt_assistant(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """Model mapped, texts within limits, only tools the service knows, references that will resolve."""
    fields: dict[str, Any] = dict(entity.fields)
    fields["model"] = _model(entity, target, ledger)
    for name, most in _text_limits(target).items():
        fields[name] = _within(fields.get(name), name, most, ledger)
    fields["tools"] = _tools(fields.get("tools") or [], target, ledger)
    fields["tool_resources"] = fit_resources(entity, target, ledger)
    if fields.get("reasoning_effort") is not None and not target.profile.reasoning_effort:
        ledger.lost("reasoning_effort", f"{target.profile.service} does not take it", "set it per run")
        fields["reasoning_effort"] = None
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
    return entity.with_fields(**fields)


def _model(entity: Entity, target: Target, ledger: Ledger) -> JSON:
    model = entity.fields.get("model")
    mapped = target.models.get(str(model), model)
    if mapped != model:
        ledger.adapted("model", f"{model} becomes {mapped}, as [models] says")
    if not mapped:
        ledger.blocked("model", "the assistant names no model", "map it: --models '=DEPLOYMENT'")
    return mapped


def _text_limits(target: Target) -> dict[str, int]:
    profile = target.profile
    return {
        "name": profile.name_max,
        "description": profile.description_max,
        "instructions": profile.instructions_max,
    }


def _within(text: JSON, name: str, most: int, ledger: Ledger) -> JSON:
    if not isinstance(text, str) or len(text) <= most:
        return text
    ledger.lost(
        name, f"{len(text):,} characters, the target takes {most:,}: cut", "the archive has all of it"
    )
    return text[:most]


def _tools(tools: list[JSON], target: Target, ledger: Ledger) -> list[JSON]:
    kept: list[JSON] = []
    for tool in tools:
        type_ = tool.get("type") if isinstance(tool, Mapping) else None
        if type_ not in target.profile.tool_types:
            ledger.lost("tools", f"{target.profile.service} has no tool {type_!r}", "kept in the archive")
        elif type_ == "function" and not (tool.get("function") or {}).get("name"):
            ledger.lost("tools", "a function without a name", "name it and add it by hand")
        else:
            kept.append({k: v for k, v in tool.items() if v is not None})
            if type_ == "function" and target.profile.whole_functions:
                kept[-1]["function"] = _whole(kept[-1]["function"], ledger)
    for tool in kept[target.profile.tools_max :]:
        ledger.lost("tools", f"{tool['type']} is beyond the limit of {target.profile.tools_max} tools")
    return kept[: target.profile.tools_max]


def _whole(function: Mapping[str, JSON], ledger: Ledger) -> dict[str, JSON]:
    """A function with what the target requires; the additions mean the same as leaving it out."""
    said = {k: v for k, v in function.items() if v is not None}
    added = {k: v for k, v in NOTHING_SAID.items() if k not in said}
    if added:
        what = " and ".join(added)
        ledger.adapted("tools", f"function {said['name']} gets an empty {what}: the target requires it")
    return {**said, **added}


NOTHING_SAID: dict[str, JSON] = {"description": "", "parameters": {"type": "object", "properties": {}}}
