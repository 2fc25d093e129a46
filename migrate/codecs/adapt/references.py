"""References that will have no counterpart: taken out by path, each one named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.normalize import resource_has_content
from migrate.model.references import TOOL_RESOURCE_LISTS, is_template, tool_resource_ids


def fit_resources(entity: Entity, target: Target, losses: LossCollector) -> dict[str, Any]:
    """tool_resources with only what the target knows and can reach."""
    given = entity.fields.get("tool_resources") or {}
    most = {
        "code_interpreter": target.capabilities.code_files_max,
        "file_search": target.capabilities.stores_per_owner_max,
    }
    out: dict[str, Any] = {}
    for branch, value in given.items() if isinstance(given, Mapping) else ():
        if not resource_has_content(branch, value):
            continue
        if branch in target.capabilities.resources:
            out[branch] = value
            continue
        if branch not in TOOL_RESOURCE_LISTS or not isinstance(value, Mapping):
            losses.add_lost(f"tool_resources.{branch}", f"{target.capabilities.service} has no such resource")
            continue
        key, kind = TOOL_RESOURCE_LISTS[branch]
        path = f"tool_resources.{branch}.{key}"
        ids = movable_ids(tool_resource_ids(given, branch), kind, path, target, losses)
        if target.capabilities.limits_not_enforced and target.source_type == target.capabilities.service:
            most[branch] = max(most[branch], len(ids))
        for left in ids[most[branch] :]:
            losses.add_lost(
                path, f"{left} is beyond the limit of {most[branch]}", "attach it elsewhere by hand"
            )
        for other in sorted(set(value) - {key}):
            if value[other]:
                losses.add_lost(
                    f"tool_resources.{branch}.{other}", f"{target.capabilities.service} does not take it"
                )
        if ids:
            out[branch] = {key: ids[: most[branch]]}
    return out


def movable_ids(ids: list[JSON], kind: str, path: str, target: Target, losses: LossCollector) -> list[JSON]:
    """The ids that will have a counterpart, each once; any other is told."""
    kept: list[JSON] = []
    for one in ids:
        if one in kept:
            continue
        templates = target.capabilities.templates and target.source_type == target.capabilities.service
        if target.has(kind, one) or (templates and is_template(str(one))):
            kept.append(one)
        else:
            losses.add_lost(
                path, f"{kind} {one} cannot be moved or no longer exists", "see its own line, if any"
            )
    return kept
