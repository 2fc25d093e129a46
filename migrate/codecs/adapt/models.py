"""The model of an assistant: a deployment, or `CONNECTION/MODEL`, one behind a connection of the project."""

from __future__ import annotations

from collections.abc import Mapping

from migrate.codecs.adapt.ledger import Ledger, Target
from migrate.model import JSON, Entity
from migrate.model.connections import short


def model_there(model: str, models: Mapping[str, str], connections: Mapping[str, str]) -> str:
    """The name of a model on the target: as `models` says, else with its connection as `connections` says."""
    if model in models:
        return models[model]
    link, slash, rest = model.partition("/")
    if not slash or not link:
        return model
    by_name = {short(old): new for old, new in connections.items()}
    return f"{short(connections.get(link) or by_name.get(link) or link)}/{rest}"


def fit_model(entity: Entity, target: Target, ledger: Ledger) -> JSON:
    """The model's name on the target."""
    model = entity.fields.get("model")
    mapped = model_there(model, target.models, target.connections) if isinstance(model, str) else model
    mapped = mapped or target.models.get("", mapped)
    if mapped != model:
        rule = "models" if str(model or "") in target.models else "connections"
        ledger.adapted("model", f"{model} becomes {mapped}, as [{rule}] says")
    if not mapped:
        ledger.blocked("model", "the assistant names no model", "map it: --models '=DEPLOYMENT'")
    elif target.deployments is not None and mapped in target.deployments:
        pass
    elif target.profile.connected_models and mapped.partition("/")[1]:
        _must_be_connected(mapped, model, target, ledger)
    elif target.deployments is not None:
        there = ", ".join(sorted(target.deployments)) or "none"
        ledger.blocked(
            "model",
            f"the target has no deployment {mapped!r} (it has: {there})",
            f'in [models] of the config file: "{model}" = "DEPLOYMENT"',
        )
    return mapped


def _must_be_connected(mapped: str, model: JSON, target: Target, ledger: Ledger) -> None:
    """A model behind a connection is no deployment: it can be named where its connection is there. Whether
    the gateway behind it has the model is seen by nobody before it answers."""
    link = mapped.partition("/")[0]
    old = str(model).partition("/")[0]
    line = f'in [connections] of the config file: "{old}" = "CONNECTION"'
    if target.connections_there is None:
        reason = f"whether the target has the connection {link!r} of {mapped} cannot be seen: it is tried"
        ledger.adapted("model", reason, line)
    elif link not in target.connections_there:
        there = ", ".join(sorted({short(id_) for id_ in target.connections_there})) or "none"
        reason = f"the target has neither a deployment {mapped!r} nor a connection {link!r} (it has: {there})"
        ledger.blocked("model", reason, f'{line}; or in [models]: "{model}" = "DEPLOYMENT"')
