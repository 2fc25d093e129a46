"""Both sides of a plan: where they are, and opened for the stages that carry it out or check it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from migrate.archive.database import Archive
from migrate.archive.id_map import Side
from migrate.codecs import Capabilities
from migrate.model.results.plan import Plan
from migrate.stages.estate import Estate

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

ServiceT = TypeVar("ServiceT", bound="Reader")


@dataclass(frozen=True)
class PlanSides(Generic[ServiceT]):
    """What a plan refers to: the archive with its journal, its source as an estate, and a connection to its
    target."""

    archive: Archive
    source: Estate
    service: ServiceT
    capabilities: Capabilities


def plan_sides(plan: Plan) -> tuple[Side, Side]:
    """Where source and target of a plan are."""
    return Side(plan.source.type, plan.source.url), Side(plan.target.type, plan.target.url)
