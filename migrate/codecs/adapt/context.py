"""What the rules know about the target and the source estate, and the collector of one object's losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrate.codecs.capabilities import Capabilities
from migrate.model import Entity
from migrate.model.loss import Grade, Loss
from migrate.model.message_label import object_label
from migrate.model.references import IdLookup
from migrate.model.secrets import mask_text


@dataclass(frozen=True)
class Target:
    """What the rules need to know about the target and about the estate around an object.

    `models`, `connections`: name on the source -> name on the target, as the user configured them.
    `deployments`, `target_connections`: what the target has; None where they cannot be listed.
    `names`: source id of an assistant -> its address, where names are addresses.
    `reasoning`: deployments that refuse `temperature` and `top_p`.
    `bytes_later`: the bytes of files were not read on purpose, so missing bytes are no loss yet.
    `in_place`: kind and id -> whether source and target share this object.
    `has`: kind and source id -> whether it will have a counterpart on the target.
    `has_call_and_output`: thread and call id -> whether the thread has both the call and its output.
    `can_reference`: two assistant ids -> whether the first can refer to the second at its creation.
    `find_file`: source file id -> the file, where the snapshot has it.
    `moves_thread_store`: thread id -> whether the thread's own vector store is moved.
    `vector_store_states`: source file id -> its states in the vector stores that contain it.
    """

    capabilities: Capabilities
    source_type: str = ""
    # The type in the stamp, where it differs from `source_type`: a config directory is adapted as if
    # it came from the type of service that it is applied to; the stamp still has the type of the directory.
    stamp_type: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    deployments: frozenset[str] | None = None
    target_connections: frozenset[str] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    reasoning: frozenset[str] = frozenset()
    bytes_later: bool = False
    # Whether forms are written that no recording shows accepted or refused.
    allow_unproven: bool = True
    # Whether citations are written where the service has a form for them. It is unproven too, and settled
    # for a whole apply.
    allow_citations: bool = True
    in_place: Callable[[str, str], bool] = lambda kind, id_: False
    has_call_and_output: Callable[[str, str], bool] = lambda thread, call: True
    has: Callable[[str, str], bool] = lambda kind, id_: True
    can_reference: Callable[[str, str], bool] = lambda assistant, referenced: True
    find_file: Callable[[str], Entity | None] = lambda id_: None
    moves_thread_store: Callable[[str], bool] = lambda thread: False
    vector_store_states: Callable[[str], frozenset[str]] = lambda id_: frozenset()
    # The adapted object with the ids of the target in its texts, where the user asked for that.
    with_new_ids: Callable[[Entity, IdLookup], Entity] = lambda entity, lookup: entity


class LossCollector:
    """The losses of one object, in the order in which the rules report them."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.rows: list[Loss] = []

    def add_adapted(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "adapted", reason, way_out)

    def add_lost(self, field_: str, reason: str, way_out: str = "") -> None:
        self._add(field_, "lost", reason, way_out)

    def add_blocked(self, field_: str, reason: str, way_out: str) -> None:
        self._add(field_, "blocked", reason, way_out)

    def _add(self, field_: str, grade: Grade, reason: str, way_out: str) -> None:
        entity = self.entity
        reason, way_out = mask_text(reason), mask_text(way_out)  # they may quote an address with a credential
        row = Loss(
            entity.kind, entity.id, field_, grade, reason, way_out, entity.parent, object_label(entity)
        )
        self.rows.append(row)
