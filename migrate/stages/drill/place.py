"""Check that the place of a drill is empty before and after it, as far as it can be listed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from migrate.errors import OperationRefused
from migrate.model.first_of import first_of
from migrate.model.results.drill import RemainingObject
from migrate.stages.apply.update import remaining_ids
from migrate.stages.estate import Estate
from migrate.stages.progress import Progress
from migrate.stages.snapshot.live_estate import absent_kinds, read_target

if TYPE_CHECKING:
    from migrate.endpoints.interface import Writer

MAX_OBJECTS_NAMED = 5
LISTED_KINDS = ("file", "vector_store", "assistant", "thread")


def require_empty(writer: Writer, workers: int, progress: Progress) -> None:
    """Raises `OperationRefused` where a place has any object that can be listed, and `IncompleteResult` where
    a list cannot be read."""
    found = remaining_objects(writer, (), workers, progress)
    if not found:
        return
    names = [f"{o.kind} {o.name or '(no name)'} [{o.id}]" for o in found]
    raise OperationRefused(
        f"{writer.url} is not empty: it has {len(found):,} object(s)",
        f"{first_of(names, MAX_OBJECTS_NAMED)}; a drill writes only into an empty place",
        "name another place, or use --to emulator",
    )


def remaining_objects(
    writer: Writer, threads: Collection[str], workers: int, progress: Progress
) -> tuple[RemainingObject, ...]:
    """Everything that a place lists and that its own address shows too: a list may still show what was just
    deleted. `threads`: ids to ask for where the service does not list its threads."""
    absent = absent_kinds(writer)
    with read_target(writer, absent, threads, workers, progress, must_answer=False) as state:
        listed = list(_listed(state.estate))
    found: list[RemainingObject] = []
    for kind, group in groupby(listed, key=lambda row: row.kind):
        rows = list(group)
        present = remaining_ids(writer, kind, [row.id for row in rows])
        found += [row for row in rows if row.id in present]
    return tuple(found)


def _listed(estate: Estate) -> Iterator[RemainingObject]:
    for kind in LISTED_KINDS:
        yield from (RemainingObject(kind, entity.id, entity.name) for entity in estate.entities(kind))
