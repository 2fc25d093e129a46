"""Count every field of every object of a plan by what happens to it: kept, adapted, lost, blocked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migrate.model import KINDS, Entity, retirements
from migrate.model.loss import EVERY_OBJECT
from migrate.model.normalize import normalize_entity
from migrate.model.results.plan import Assessment, FieldOutcome, Plan
from migrate.stages.estate import Estate
from migrate.stages.retirements import retiring_in_snapshot


def assess_plan(plan: Plan, source: Estate, target: str) -> Assessment:
    """Assess a plan: its losses, and the fields of objects that can be replayed and arrive unchanged."""
    result = Assessment(source.side.url, target, plan)
    lost_fields: dict[tuple[str, str, str], set[str]] = {}
    for row in plan.losses:
        lost_fields.setdefault((row.kind, row.parent, row.id), set()).add(row.field.split(".")[0])
        result.kinds.setdefault(row.kind, Counter())[row.grade] += 1
    selected = None if plan.selection is None else {(a.kind, a.id) for a in plan.actions}
    result.source_retiring = retiring_in_snapshot(
        source,
        retirements.today(),
        is_selected=(lambda id_: ("assistant", id_) in selected) if selected is not None else None,
    )
    for entity in _replayable_objects(source):
        kind, parent = entity.kind, entity.parent if KINDS[entity.kind].parent else ""
        owner = ("thread", parent) if kind == "message" else (kind, entity.id)
        if selected is not None and owner not in selected:
            continue
        lost = lost_fields.get((kind, parent, entity.id), set())
        if EVERY_OBJECT in lost:
            continue
        compared = normalize_entity(entity)
        kept = [name for name in KINDS[kind].fields if name in compared and name not in lost]
        result.kinds.setdefault(kind, Counter())["kept"] += len(kept)
        if kind != "message":  # messages may be millions, and are only counted
            name = entity.name if kind in ("file", "vector_store", "assistant") else ""
            result.kept += [FieldOutcome(kind, entity.id, field, parent, name) for field in kept]
    return result


def _replayable_objects(source: Estate) -> Iterator[Entity]:
    for kind in ("file", "vector_store", "assistant"):
        yield from source.objects(kind).values()
    for store in source.objects("vector_store"):
        yield from source.iter_members("vector_store_file", store)
    for thread in source.iter_threads():
        yield thread
        yield from source.iter_members("message", thread.id)
