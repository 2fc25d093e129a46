"""Connections and secrets of tools: ids of the target's project, and no secret on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import Ledger, Target
from migrate.model import JSON, Entity
from migrate.model.connections import connections_in, replace_connections, short_connection_name
from migrate.model.secrets import SECRET_KEYS


def fit_connections(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """The same assistant naming the connections of the target. One that the target lacks blocks it: the
    service checks nothing when an assistant is made (recorded), so it would only fail when it is used."""
    swaps: dict[str, str] = {}
    for old in dict.fromkeys(connections_in(entity.fields)):
        new = target.connections.get(old) or target.connections.get(short_connection_name(old))
        swaps[old] = new or old
        if new and new != old:
            ledger.adapted(
                "connections", f"{short_connection_name(old)} becomes {short_connection_name(new)}: {new}"
            )
        if not old:
            ledger.blocked("connections", "a tool names no connection", "name it on the source")
        elif target.connections_there is None:
            if not new and (
                target.source_type != target.profile.service or short_connection_name(old) != old
            ):
                reason = f"whether the target has a connection {short_connection_name(old)!r} cannot be seen"
                ledger.adapted("connections", reason, _line(old))
        elif swaps[old] not in target.connections_there:
            there = (
                ", ".join(sorted({short_connection_name(id_) for id_ in target.connections_there})) or "none"
            )
            reason = f"the target has no connection {short_connection_name(swaps[old])!r} (it has: {there})"
            ledger.blocked("connections", reason, _line(old))
    return (
        entity.with_fields(**replace_connections(entity.fields, lambda old: swaps.get(old, old)))
        if swaps
        else entity
    )


def _line(old: str) -> str:
    return f'in [connections] of the config file: "{short_connection_name(old)}" = "CONNECTION"'


def without_secrets(entity: Entity, ledger: Ledger) -> Entity:
    """The same assistant without headers and authorizations of its tools: a service shows them to every
    reader in clear, or not at all, so they are set by hand or, better, come from a connection."""
    fields: dict[str, Any] = dict(entity.fields)
    tools = fields.get("tools")
    if isinstance(tools, list):
        fields["tools"] = [_stripped(tool, "tools", ledger) for tool in tools]
    resources = fields.get("tool_resources")
    rows = resources.get("mcp") if isinstance(resources, Mapping) else None
    if isinstance(resources, Mapping) and isinstance(rows, list):
        kept = [_stripped(row, "tool_resources.mcp", ledger) for row in rows if isinstance(row, Mapping)]
        said = [row for row in kept if set(row) - {"server_label"}]
        fields["tool_resources"] = {**resources, "mcp": said}
    return entity.with_fields(**fields)


def _stripped(row: JSON, where: str, ledger: Ledger) -> JSON:
    if not isinstance(row, Mapping):
        return row
    called = row.get("server_label") or row.get("type")
    for name in sorted(SECRET_KEYS & row.keys()):
        if row[name]:
            ledger.lost(
                f"{where}.{name}",
                f"{name} of {called} may hold secrets and are not written",
                "give the tool a connection of the project, or set them by hand",
            )
    return {k: v for k, v in row.items() if k not in SECRET_KEYS}
