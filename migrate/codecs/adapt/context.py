"""Collects the losses of one object while it is made to fit a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrate.codecs.capabilities import Profile
from migrate.model import Entity
from migrate.model.loss import Grade, Loss
from migrate.model.references import IdLookup
from migrate.model.secret_text import mask_text


@dataclass(frozen=True)
class Target:
    """What the rules need to know of the other side and of the estate around an object.

    `has`: kind and source id -> will it have a counterpart on the target. `file_named`: source file id
    -> the file, when the snapshot holds it. `searched`: source file id -> its states in the vector
    stores that it lies in. `thread_searches`: thread id -> its own vector store is
    moved. `reaches`: assistant id and assistant id -> the first can name the
    second when it is made. `in_place`: kind and id -> the target holds this very object already.
    `paired`: thread and call id -> both the call and its result are in the thread.

    `deployments` and `connections_there` are None where nobody could list them. `names`: source id of an
    assistant -> its address, where names are addresses. `reasoning`: deployments that refuse sampling
    numbers. `bytes_later`: bytes were not read on purpose, so their absence says nothing yet.
    """

    profile: Profile
    source_type: str = ""
    stamped_as: str = ""
    """The type that our stamp names, where it is not the source's: a config directory is written for the
    service that it goes to, and is still what an object was made from."""
    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    deployments: frozenset[str] | None = None
    connections_there: frozenset[str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    reasoning: frozenset[str] = frozenset()
    bytes_later: bool = False
    tries: bool = True
    """Whether forms are written that the service was never seen to refuse, nor to accept."""
    in_place: Callable[[str, str], bool] = lambda kind, id_: False
    paired: Callable[[str, str], bool] = lambda thread, call: True
    has: Callable[[str, str], bool] = lambda kind, id_: True
    reaches: Callable[[str, str], bool] = lambda one, other: True
    file_named: Callable[[str], Entity | None] = lambda id_: None
    thread_searches: Callable[[str], bool] = lambda thread: False
    searched: Callable[[str], frozenset[str]] = lambda id_: frozenset()
    with_new_ids: Callable[[Entity, IdLookup], Entity] = lambda entity, lookup: entity
    """An adapted object with the ids of the target in its texts, where that was asked for."""


class Ledger:
    """The losses of one object, in the order the rules found them."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.losses: list[Loss] = []

    def adapted(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "adapted", reason, way_out)

    def lost(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "lost", reason, way_out)

    def blocked(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "blocked", reason, way_out)

    def _add(self, field_: str, grade: Grade, reason: str, way_out: str) -> None:
        e = self.entity
        reason, way_out = mask_text(reason), mask_text(way_out)  # an address may be quoted
        self.losses.append(Loss(e.kind, e.id, field_, grade, reason, way_out, e.parent, e.name))
