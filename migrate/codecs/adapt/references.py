"""References that will have no counterpart: taken out by path, each one named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import Ledger, Target
from migrate.model import JSON, Entity
from migrate.model.normalize import resource_has_content
from migrate.model.references import is_template

HELD: dict[str, tuple[str, str]] = {
    "code_interpreter": ("file_ids", "file"),
    "file_search": ("vector_store_ids", "vector_store"),
}
"""Branch of tool_resources -> the list it holds, and the kind that list names."""


def fit_resources(entity: Entity, target: Target, ledger: Ledger) -> dict[str, Any]:
    """tool_resources with only what the target knows and can reach."""
    given = entity.fields.get("tool_resources") or {}
    most = {
        "code_interpreter": target.profile.code_files_max,
        "file_search": target.profile.stores_per_owner,
    }
    out: dict[str, Any] = {}
    for branch, value in given.items() if isinstance(given, Mapping) else ():
        if not resource_has_content(branch, value):
            continue
        if branch in target.profile.resources:
            out[branch] = value
            continue
        if branch not in HELD or not isinstance(value, Mapping):
            ledger.lost(f"tool_resources.{branch}", f"{target.profile.service} has no such resource")
            continue
        key, kind = HELD[branch]
        path = f"tool_resources.{branch}.{key}"
        ids = reachable(list(value.get(key) or []), kind, path, target, ledger)
        if target.profile.written_limits and target.source_type == target.profile.service:
            most[branch] = max(most[branch], len(ids))
        for left in ids[most[branch] :]:
            ledger.lost(path, f"{left} is beyond the limit of {most[branch]}", "attach it elsewhere by hand")
        for other in sorted(set(value) - {key}):
            if value[other]:
                ledger.lost(f"tool_resources.{branch}.{other}", f"{target.profile.service} does not take it")
        if ids:
            out[branch] = {key: ids[: most[branch]]}
    return out


def reachable(ids: list[JSON], kind: str, path: str, target: Target, ledger: Ledger) -> list[JSON]:
    """The ids that will have a counterpart, each once; any other is told."""
    kept: list[JSON] = []
    for one in ids:
        if one in kept:
            continue
        templates = target.profile.templates and target.source_type == target.profile.service
        if target.has(kind, one) or (templates and is_template(str(one))):
            kept.append(one)
        else:
            ledger.lost(path, f"{kind} {one} cannot be moved or no longer exists", "see its own line, if any")
    return kept
