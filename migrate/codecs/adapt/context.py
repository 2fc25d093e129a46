"""Collects the losses of one object while it is made to fit a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrate.codecs.capabilities import Capabilities
from migrate.model import Entity
from migrate.model.loss import Grade, Loss
from migrate.model.references import IdLookup
from migrate.model.secrets import mask_text


@dataclass(frozen=True)
class Target:
    """What the rules need to know of the other side and of the estate around an object.

    `has`: kind and source id -> will it have a counterpart on the target. `find_file`: source file id
    -> the file, when the snapshot holds it. `vector_store_states`: source file id -> its states in the vector
    stores that it lies in. `moves_thread_store`: thread id -> its own vector store is
    moved. `can_reference`: assistant id and assistant id -> the first can name the
    second when it is made. `in_place`: kind and id -> the target holds this very object already.
    `has_call_and_output`: thread and call id -> both the call and its result are in the thread.

    `deployments` and `connections_there` are None where nobody could list them. `names`: source id of an
    assistant -> its address, where names are addresses. `reasoning`: deployments that refuse sampling
    numbers. `bytes_later`: bytes were not read on purpose, so their absence says nothing yet.
    """

    capabilities: Capabilities
    source_type: str = ""
    # The type that our stamp names, where it is not the source's: a config directory is written for the
    # service that it goes to, and is still what an object was made from.
    stamp_type: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    deployments: frozenset[str] | None = None
    connections_there: frozenset[str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    reasoning: frozenset[str] = frozenset()
    bytes_later: bool = False
    # Whether forms are written that the service was never seen to refuse, nor to accept.
    allow_unproven: bool = True
    in_place: Callable[[str, str], bool] = lambda kind, id_: False
    has_call_and_output: Callable[[str, str], bool] = lambda thread, call: True
    has: Callable[[str, str], bool] = lambda kind, id_: True
    can_reference: Callable[[str, str], bool] = lambda one, other: True
    find_file: Callable[[str], Entity | None] = lambda id_: None
    moves_thread_store: Callable[[str], bool] = lambda thread: False
    vector_store_states: Callable[[str], frozenset[str]] = lambda id_: frozenset()
    # An adapted object with the ids of the target in its texts, where that was asked for.
    with_new_ids: Callable[[Entity, IdLookup], Entity] = lambda entity, lookup: entity


class LossCollector:
    """The losses of one object, in the order the rules found them."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.rows: list[Loss] = []

    def add_adapted(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "adapted", reason, way_out)

    def add_lost(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "lost", reason, way_out)

    def add_blocked(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "blocked", reason, way_out)

    def _add(self, field_: str, grade: Grade, reason: str, way_out: str) -> None:
        e = self.entity
        reason, way_out = mask_text(reason), mask_text(way_out)  # an address may be quoted
        self.rows.append(Loss(e.kind, e.id, field_, grade, reason, way_out, e.parent, e.name))
