"""Names that belong to one project: models (deployments) and connections of tools; secrets of tools.

A model is given in three ways: as a deployment; as `CONNECTION/MODEL`, a model behind a connection of the
project; or as the full path of a deployment in Azure Resource Manager, which is valid for one resource only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.json_paths import value_at
from migrate.model.project_resources import connections_in, replace_connections, short_connection_name
from migrate.model.secrets import SECRET_KEYS, remove_owner_secrets

ARM_DEPLOYMENT_PATH = re.compile(r"/subscriptions/.+/deployments/([^/]+)/?", re.IGNORECASE)


def target_model_name(model: str, models: Mapping[str, str], connections: Mapping[str, str]) -> str:
    """The name of a model on the target: as `models` maps it, else with its connection mapped."""
    if model in models:
        return models[model]
    connection, slash, rest = model.partition("/")
    if not slash or not connection:
        return model
    by_name = {short_connection_name(source): target for source, target in connections.items()}
    mapped = connections.get(connection) or by_name.get(connection) or connection
    return f"{short_connection_name(mapped)}/{rest}"


def fit_model(entity: Entity, target: Target, losses: LossCollector) -> JSON:
    """The model's name on the target. A model that the target lacks blocks the assistant."""
    model = entity.fields.get("model")
    mapped = target_model_name(model, target.models, target.connections) if isinstance(model, str) else model
    mapped = mapped or target.models.get("", mapped)
    if mapped != model:
        table = "models" if str(model or "") in target.models else "connections"
        losses.add_adapted("model", f"{model} becomes {mapped}, as [{table}] maps it")
    if not mapped:
        losses.add_blocked("model", "the assistant has no model", "map it: --models '=DEPLOYMENT'")
    elif target.deployments is not None and mapped in target.deployments:
        pass
    elif path := ARM_DEPLOYMENT_PATH.fullmatch(mapped):
        _report_arm_path(path[0], path[1], target, losses)
    elif target.capabilities.connected_models and "/" in mapped:
        _check_model_connection(mapped, model, target, losses)
    elif target.deployments is not None:
        losses.add_blocked(
            "model",
            f"the target has no deployment {mapped!r} (it has: {_listed(target.deployments)})",
            f'in [models] of the config file: "{model}" = "DEPLOYMENT"',
        )
    return mapped


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _short_names(connections: Iterable[str]) -> set[str]:
    return set(map(short_connection_name, connections))


def _report_arm_path(path: str, name: str, target: Target, losses: LossCollector) -> None:
    """Report a full path, which refers to a deployment of one resource. `name`: the last step of the path."""
    reason = f"{path} is the full ARM path of a deployment {name!r}, and the target knows deployments by name"
    deployments = target.deployments
    is_missing = deployments is not None and name not in deployments
    new = "DEPLOYMENT" if is_missing else name
    way_out = f'map it: --models "{path}={new}", or in [models] of the config file: "{path}" = "{new}"'
    if deployments is None:
        losses.add_adapted("model", f"{reason}; its deployments cannot be listed: tried at apply", way_out)
    else:
        known = f" (it has: {_listed(deployments)})" if is_missing else ""
        losses.add_blocked("model", f"{reason}{known}", way_out)


def _check_model_connection(mapped: str, model: JSON, target: Target, losses: LossCollector) -> None:
    """Check the connection of `CONNECTION/MODEL`. Whether the gateway has the model is unknown."""
    connection = mapped.partition("/")[0]
    source = str(model).partition("/")[0]
    line = f'in [connections] of the config file: "{source}" = "CONNECTION"'
    if target.target_connections is None:
        reason = (
            f"whether the target has the connection {connection!r} of {mapped} cannot be seen: tried at apply"
        )
        losses.add_adapted("model", reason, line)
    elif connection not in target.target_connections:
        known = _listed(_short_names(target.target_connections))
        reason = f"the target has neither a deployment {mapped!r} nor a connection {connection!r}"
        losses.add_blocked(
            "model", f"{reason} (it has: {known})", f'{line}; or in [models]: "{model}" = "DEPLOYMENT"'
        )


def fit_connections(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """The assistant with the connections of the target. A connection that the target lacks blocks it.

    The service does not check connections when an assistant is created (recorded): it would fail only when
    used.
    """
    renamed: dict[str, str] = {}
    for source in dict.fromkeys(connections_in(entity.fields)):
        name = short_connection_name(source)
        line = f'in [connections] of the config file: "{name}" = "CONNECTION"'
        mapped = target.connections.get(source) or target.connections.get(name)
        renamed[source] = mapped or source
        if mapped and mapped != source:
            losses.add_adapted("connections", f"the connection {name} is replaced by {mapped}")
        if not source:
            losses.add_blocked("connections", "a tool has no connection", "name it on the source")
        elif target.target_connections is None:
            # A short name may exist on a target of the same type; a full id or another type needs a mapping.
            if not mapped and (target.source_type != target.capabilities.service or name != source):
                losses.add_adapted(
                    "connections", f"whether the target has a connection {name!r} cannot be seen", line
                )
        elif renamed[source] not in target.target_connections:
            known = _listed(_short_names(target.target_connections))
            missing = short_connection_name(renamed[source])
            reason = f"the target has no connection {missing!r} (it has: {known})"
            losses.add_blocked("connections", reason, line)
    if not renamed:
        return entity
    return entity.with_fields(**replace_connections(entity.fields, lambda id_: renamed.get(id_, id_)))


def without_tool_secrets(entity: Entity, losses: LossCollector) -> Entity:
    """The assistant without headers and authorizations of its tools.

    A service shows them to every reader or to none, so a user sets them by hand or uses a connection.
    """
    fields = entity.fields
    servers = value_at(fields, "tool_resources", "mcp")
    if isinstance(servers, list):
        servers = [row for row in servers if isinstance(row, Mapping)]
        entity = entity.with_fields(tool_resources={**fields["tool_resources"], "mcp": servers})
    for path, rows in (("tools", fields.get("tools")), ("tool_resources.mcp", servers)):
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping):
                _report_secrets(row, path, losses)
    return remove_owner_secrets(entity)


def _report_secrets(row: Mapping[str, JSON], path: str, losses: LossCollector) -> None:
    label = row.get("server_label") or row.get("type")
    for name in sorted(SECRET_KEYS & row.keys()):
        if row[name]:
            losses.add_lost(
                f"{path}.{name}",
                f"{name} of {label} may hold secrets and are not written",
                "give the tool a connection of the project, or set them by hand",
            )
