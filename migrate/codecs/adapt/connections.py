"""Connections and secrets of tools: ids of the target's project, and no secret on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.connections import connections_in, replace_connections, short_connection_name
from migrate.model.secrets import SECRET_KEYS


def fit_connections(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """The same assistant naming the connections of the target. One that the target lacks blocks it: the
    service checks nothing when an assistant is made (recorded), so it would only fail when it is used."""
    swaps: dict[str, str] = {}
    for old in dict.fromkeys(connections_in(entity.fields)):
        new = target.connections.get(old) or target.connections.get(short_connection_name(old))
        swaps[old] = new or old
        if new and new != old:
            losses.add_adapted(
                "connections", f"{short_connection_name(old)} becomes {short_connection_name(new)}: {new}"
            )
        if not old:
            losses.add_blocked("connections", "a tool names no connection", "name it on the source")
        elif target.connections_there is None:
            if not new and (
                target.source_type != target.capabilities.service or short_connection_name(old) != old
            ):
                reason = f"whether the target has a connection {short_connection_name(old)!r} cannot be seen"
                losses.add_adapted("connections", reason, _config_line(old))
        elif swaps[old] not in target.connections_there:
            there = (
                ", ".join(sorted({short_connection_name(id_) for id_ in target.connections_there})) or "none"
            )
            reason = f"the target has no connection {short_connection_name(swaps[old])!r} (it has: {there})"
            losses.add_blocked("connections", reason, _config_line(old))
    return (
        entity.with_fields(**replace_connections(entity.fields, lambda old: swaps.get(old, old)))
        if swaps
        else entity
    )


def _config_line(old: str) -> str:
    return f'in [connections] of the config file: "{short_connection_name(old)}" = "CONNECTION"'


def without_tool_secrets(entity: Entity, losses: LossCollector) -> Entity:
    """The same assistant without headers and authorizations of its tools: a service shows them to every
    reader in clear, or not at all, so they are set by hand or, better, come from a connection."""
    fields: dict[str, Any] = dict(entity.fields)
    tools = fields.get("tools")
    if isinstance(tools, list):
        fields["tools"] = [_without_secret_keys(tool, "tools", losses) for tool in tools]
    resources = fields.get("tool_resources")
    rows = resources.get("mcp") if isinstance(resources, Mapping) else None
    if isinstance(resources, Mapping) and isinstance(rows, list):
        kept = [
            _without_secret_keys(row, "tool_resources.mcp", losses)
            for row in rows
            if isinstance(row, Mapping)
        ]
        said = [row for row in kept if set(row) - {"server_label"}]
        fields["tool_resources"] = {**resources, "mcp": said}
    return entity.with_fields(**fields)


def _without_secret_keys(row: JSON, where: str, losses: LossCollector) -> JSON:
    if not isinstance(row, Mapping):
        return row
    called = row.get("server_label") or row.get("type")
    for name in sorted(SECRET_KEYS & row.keys()):
        if row[name]:
            losses.add_lost(
                f"{where}.{name}",
                f"{name} of {called} may hold secrets and are not written",
                "give the tool a connection of the project, or set them by hand",
            )
    return {k: v for k, v in row.items() if k not in SECRET_KEYS}
