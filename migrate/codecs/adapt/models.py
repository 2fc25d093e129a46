"""The model of an assistant: a deployment by its name, or `CONNECTION/MODEL`, one behind a connection of the
project. The full path of a deployment in Azure Resource Manager is the third form, and true of one place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.model import JSON, Entity
from migrate.model.connections import short_connection_name

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
