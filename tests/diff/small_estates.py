"""Small hand-written estates: a few objects of each kind, archived and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.archive import Archive
from migrate.model.results.diff import DiffResult
from migrate.stages.diff.run import diff
from migrate.stages.diff.scope import DiffScope
from tests.diff.generated_estates import ELSEWHERE, HERE, Body, Generated, archive_estate, journal_pairs_of


def archive_of(*assistants: Body, **others: list[Body]) -> Generated:
    """An estate of these objects. The key of members has their parent: `message_of_t1=[...]`."""
    tops = ("file", "vector_store", "thread")
    bodies: dict[str, dict[str, list[Body]]] = {kind: {"": others.pop(kind, [])} for kind in tops}
    bodies |= {"assistant": {"": list(assistants)}, "vector_store_file": {}, "message": {}}
    for name, rows in others.items():
        kind, _, parent = name.partition("_of_")
        bodies[kind][parent] = rows
    return Generated(bodies)


def assistant(id_: str, name: str | None = "Clerk", **more: Any) -> Body:
    return {"id": id_, "object": "assistant", "name": name, "model": "gpt-4o", "created_at": 1, **more}


def thread(id_: str) -> Body:
    return {"id": id_, "object": "thread", "metadata": {}, "created_at": 1}


def message(id_: str, *content: Any) -> Body:
    """A message of the user: texts, or parts of any sort."""
    parts = [{"type": "text", "text": {"value": c}} if isinstance(c, str) else c for c in content]
    return {"id": id_, "object": "thread.message", "role": "user", "content": parts, "created_at": 1}


def compared(
    left: Generated,
    right: Generated,
    places: tuple[str, str] = (HERE, ELSEWHERE),
    scope: DiffScope | None = None,
    journal: Mapping[tuple[str, str], str] | None = None,
) -> DiffResult:
    """Compare two estates, each in its own archive."""
    with Archive.temporary() as one, Archive.temporary() as other:
        sides = archive_estate(one, left, places[0]), archive_estate(other, right, places[1])
        return diff(*sides, journal_pairs_of(journal or {}), scope)


def changes_of(found: DiffResult) -> list[tuple[str, str, str, str]]:
    """Kind, action and both ids of every change."""
    return [(c.kind, c.action, c.left_id, c.right_id) for c in found.changes]
