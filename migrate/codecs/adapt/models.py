"""Names that belong to one project: models (deployments) and connections of tools; secrets of tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.project_resources import connections_in, replace_connections, short_connection_name
from migrate.model.secrets import SECRET_KEYS

ARM_DEPLOYMENT_PATH = re.compile(r"/subscriptions/.+/deployments/([^/]+)/?", re.IGNORECASE)


def target_model_name(model: str, models: Mapping[str, str], connections: Mapping[str, str]) -> str:
    """The name of a model on the target: as `models` says, else with its connection as `connections` says."""
    if model in models:
        return models[model]
    link, slash, rest = model.partition("/")
    if not slash or not link:
        return model
    by_name = {short_connection_name(old): new for old, new in connections.items()}
    return f"{short_connection_name(connections.get(link) or by_name.get(link) or link)}/{rest}"


def fit_model(entity: Entity, target: Target, losses: LossCollector) -> JSON:
    """The model's name on the target."""
    model = entity.fields.get("model")
    mapped = target_model_name(model, target.models, target.connections) if isinstance(model, str) else model
    mapped = mapped or target.models.get("", mapped)
    if mapped != model:
        rule = "models" if str(model or "") in target.models else "connections"
        losses.add_adapted("model", f"{model} becomes {mapped}, as [{rule}] says")
    if not mapped:
        losses.add_blocked("model", "the assistant names no model", "map it: --models '=DEPLOYMENT'")
    elif target.deployments is not None and mapped in target.deployments:
        pass
    elif path := ARM_DEPLOYMENT_PATH.fullmatch(mapped):
        _report_arm_path(path[0], path[1], target, losses)
    elif target.capabilities.connected_models and mapped.partition("/")[1]:
        _check_connection(mapped, model, target, losses)
    elif target.deployments is not None:
        there = ", ".join(sorted(target.deployments)) or "none"
        losses.add_blocked(
            "model",
            f"the target has no deployment {mapped!r} (it has: {there})",
            f'in [models] of the config file: "{model}" = "DEPLOYMENT"',
        )
    return mapped


def _report_arm_path(path: str, name: str, target: Target, losses: LossCollector) -> None:
    """A full path names a deployment of one resource; where the target's are known it is none of them."""
    reason = f"{path} is the full ARM path of a deployment {name!r}, and the target knows deployments by name"
    there = target.deployments
    known = there if there is not None and name not in there else None
    has = f" (it has: {', '.join(sorted(known)) or 'none'})" if known is not None else ""
    new = "DEPLOYMENT" if known is not None else name
    way_out = f'map it: --models "{path}={new}", or in [models] of the config file: "{path}" = "{new}"'
    if there is None:
        losses.add_adapted("model", f"{reason}; which ones it has cannot be seen: it is tried", way_out)
    else:
        losses.add_blocked("model", f"{reason}{has}", way_out)


def _check_connection(mapped: str, model: JSON, target: Target, losses: LossCollector) -> None:
    """A model behind a connection is no deployment: it can be named where its connection is there. Whether
    the gateway behind it has the model is seen by nobody before it answers."""
    link = mapped.partition("/")[0]
    old = str(model).partition("/")[0]
    line = f'in [connections] of the config file: "{old}" = "CONNECTION"'
    if target.connections_there is None:
        reason = f"whether the target has the connection {link!r} of {mapped} cannot be seen: it is tried"
        losses.add_adapted("model", reason, line)
    elif link not in target.connections_there:
        there = ", ".join(sorted({short_connection_name(id_) for id_ in target.connections_there})) or "none"
        reason = f"the target has neither a deployment {mapped!r} nor a connection {link!r} (it has: {there})"
        losses.add_blocked("model", reason, f'{line}; or in [models]: "{model}" = "DEPLOYMENT"')


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
