"""What a plan is made from: both sides, what a target has besides objects, and which object is which."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from migrate.codecs import Capabilities, capabilities_for
from migrate.errors import RequestFailed
from migrate.model import Entity
from migrate.model.results.plan import SourceSide, TargetSide
from migrate.stages.estate import Estate
from migrate.stages.match.pairs import ObjectPairs
from migrate.stages.plan.journal_state import JournalState
from migrate.stages.plan.options import PlanOptions
from migrate.stages.retirements import ServedModels, dated_models, served_models
from migrate.stages.selection import SelectedObjects

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader

_T = TypeVar("_T")


@dataclass(frozen=True)
class TargetInventory:
    """What a target's project has: deployments (name -> model) and ids of connections; None if they cannot be
    listed. `deployments_error`: why the deployments cannot be listed."""

    deployments: Mapping[str, str] | None = None
    connections: frozenset[str] | None = None
    deployments_error: str = ""
    # Kinds that the service no longer has.
    absent: frozenset[str] = frozenset()
    # What the service shows of its models, for finding those that end.
    served: ServedModels | None = None
    # Good answers per second while the target was read; None where there were too few to measure.
    requests_per_s: float | None = None


def read_inventory(reader: Reader, absent: frozenset[str]) -> TargetInventory:
    """List the deployments and connections of a live target. `absent`: kinds that it no longer has."""
    deployments, error = _list_or_reason(reader.deployments)
    connections, _ = _list_or_reason(reader.connections)
    models = (
        None
        if deployments is None
        else {name: str(row.get("modelName") or name) for name, row in deployments.items()}
    )
    served = served_models(deployments)
    if served is None:
        dates, _ = _list_or_reason(reader.shutdown_dates)
        served = dated_models(dates or {}) or None
    return TargetInventory(
        models,
        None if connections is None else frozenset(connections),
        error,
        absent,
        served,
        reader.limiter.requests_per_s,
    )


def _list_or_reason(request: Callable[[], _T | None]) -> tuple[_T | None, str]:
    """What a project lists, or the reason why it does not."""
    try:
        return request(), ""
    except RequestFailed as failed:
        return None, str(failed)


@dataclass(frozen=True)
class PlanInputs:
    """What a plan is made from; only `pairs` grows while it is made.

    `journal`: what is known of earlier moves. `selected`: the objects of the source that the plan is about;
    None for all. `conversations`: the messages on the target that it depends on. `threads_now`: reads threads
    of the target by their ids, as they are now; those that are gone are left out."""

    source: Estate
    target: Estate
    source_side: SourceSide
    target_side: TargetSide
    options: PlanOptions
    pairs: ObjectPairs
    journal: JournalState = field(default_factory=JournalState)
    inventory: TargetInventory = field(default_factory=TargetInventory)
    selected: SelectedObjects | None = None
    conversations: Estate | None = None
    threads_now: Callable[[Collection[str]], Mapping[str, Entity]] | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What the target accepts."""
        return capabilities_for(self.target_side.type, self.target_side.api_version)
