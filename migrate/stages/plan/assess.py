"""A plan's losses in, an account of every object and field out: kept, adapted, lost, blocked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from migrate.model import KINDS
from migrate.model.loss import EVERY_OBJECT
from migrate.model.normalize import normalize_entity
from migrate.model.results.plan import Assessment, FieldOutcome, Plan
from migrate.stages.estate import Estate


def assess_plan(plan: Plan, source: Estate, target: str) -> Assessment:
    """Count every field of every object that can be replayed."""
    found = Assessment(source.side.url, target, plan.losses, plan.unread)
    found.expected_gaps, found.hidden = plan.expected_gaps, plan.hidden
    told: dict[tuple[str, str, str], set[str]] = {}
    for row in plan.losses:
        told.setdefault((row.kind, row.parent, row.id), set()).add(row.field.split(".")[0])
        found.kinds.setdefault(row.kind, Counter())[row.grade] += 1
    for kind, parent, id_, name, fields in _fields(source):
        lost = told.get((kind, parent, id_), set())
        if EVERY_OBJECT in lost:
            continue
        kept = [one for one in fields if one not in lost]
        found.kinds.setdefault(kind, Counter())["kept"] += len(kept)
        if kind != "message":
            found.kept += [FieldOutcome(kind, id_, one, parent, name) for one in kept]
    return found


def _fields(source: Estate) -> Iterator[tuple[str, str, str, str, list[str]]]:
    """Kind, parent, id, name and the fields that say something, of every object that can be replayed."""
    for kind in ("file", "vector_store", "assistant"):
        for entity in source.objects(kind).values():
            yield kind, "", entity.id, entity.name, _saying(kind, normalize_entity(entity))
    for store in source.objects("vector_store"):
        for entity in source.members("vector_store_file", store):
            yield entity.kind, store, entity.id, "", _saying(entity.kind, normalize_entity(entity))
    for thread in source.iter_threads():
        yield "thread", "", thread.id, "", _saying("thread", normalize_entity(thread))
        for entity in source.iter_members("message", thread.id):
            yield "message", thread.id, entity.id, "", _saying("message", normalize_entity(entity))


def _saying(kind: str, compared: dict[str, object]) -> list[str]:
    return [name for name in KINDS[kind].fields if name in compared]
