"""Export the agents of an estate as a file for Terraform, with the losses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from migrate.codecs import CODECS, capabilities_for
from migrate.codecs.adapt.metadata import PORTAL_KEYS
from migrate.codecs.terraform import (
    TERRAFORM_HEADER,
    HclExpression,
    agents_as_terraform,
    terraform_identifier,
)
from migrate.errors import OperationRefused
from migrate.model import JSON
from migrate.model.references import remap_references
from migrate.model.results.export import TerraformExport
from migrate.model.results.plan import Plan
from migrate.model.served_version import newest_form
from migrate.model.stamp import remove_stamp_keys
from migrate.stages.estate import IN_MEMORY_KINDS, Estate
from migrate.stages.filters import ObjectFilter
from migrate.stages.plan.adaptation import adaptation_target

TERRAFORM_FILE = "agents.tf"
FOUNDRY_SERVICE = "foundry"


def export_agents(estate: Estate, object_filter: ObjectFilter) -> TerraformExport:
    """The agents of a project: the newest version of each, unchanged except for secrets."""
    agents: dict[str, Mapping[str, JSON]] = {}
    for _, body in estate.snapshot.bodies("assistant"):
        name = str(body.get("name") or body.get("id") or "")
        if not object_filter.matches("assistant", {"id": name, "name": name}):
            continue
        agents[name] = _agent_fields(newest_form(body))
    return TerraformExport(agents_as_terraform(agents, _project_address(estate), existing=True))


def export_adapted_assistants(estate: Estate, object_filter: ObjectFilter, plan: Plan) -> TerraformExport:
    """The assistants of another service, adapted to a project. `plan`: a plan for an empty project. The
    objects to which they refer get other ids in the project, so they become variables."""
    target = adaptation_target(estate, capabilities_for(FOUNDRY_SERVICE), plan.settled, set())
    blocked = {a.id for a in plan.actions if a.kind == "assistant" and a.action == "blocked"}
    agents: dict[str, Mapping[str, JSON]] = {}
    included: set[str] = set()
    for id_, entity in estate.objects("assistant").items():
        if not object_filter.matches("assistant", {"id": id_, "name": entity.name}):
            continue
        included.add(id_)
        if id_ in blocked:
            continue
        adapted, _ = CODECS[FOUNDRY_SERVICE].adapt(entity, target)

        def variable(kind: str, old: str) -> str:
            entity = estate.objects(kind).get(old) if kind in IN_MEMORY_KINDS else None
            name = entity.name if entity and entity.name else old
            return HclExpression(f"var.{terraform_identifier(f'{kind}_{name}_{old[-6:]}', kind)}")

        body = CODECS[FOUNDRY_SERVICE].create_request(remap_references(adapted, variable))
        agents[plan.settled.names[id_]] = _agent_fields(body)
    losses = tuple(row for row in plan.losses if row.kind == "assistant" and row.id in {*included, "*"})
    return TerraformExport(agents_as_terraform(agents, "", existing=False), losses)


def must_be_terraform_export(path: Path) -> None:
    """Raises `OperationRefused` where a file exists that no export wrote."""
    if path.is_file() and not path.read_text("utf-8-sig", errors="replace").startswith(
        TERRAFORM_HEADER.splitlines()[0]
    ):
        raise OperationRefused(
            f"{path} was not written by an export", "it would be overwritten", "choose another folder"
        )


def _agent_fields(version: Mapping[str, JSON]) -> dict[str, Any]:
    """The fields of an agent that its owner set: without metadata of the portal and of this program."""
    value = version.get("metadata")
    metadata = value if isinstance(value, Mapping) else {}
    own = {k: v for k, v in remove_stamp_keys(metadata).items() if k not in PORTAL_KEYS}
    out: dict[str, Any] = {"definition": version.get("definition") or {}}
    out |= {"description": version["description"]} if version.get("description") else {}
    return out | ({"metadata": own} if own else {})


def _project_address(estate: Estate) -> str:
    return estate.side.url.partition("://")[2].rstrip("/")
