"""Where an object is shown: on its own page, or on that of its thread or store."""

from __future__ import annotations

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.serve.addresses import PageLinks
from migrate.stages.query.message_parts import as_text


def object_address(snapshot: SnapshotReader, kind: str, id_: str, parent: str) -> str:
    """The address of the page that shows an object of a snapshot, at its place; '' where there is none."""
    links = PageLinks(snapshot.info.id)
    if kind == "message":
        return links.message(parent, id_)
    if kind in ("run", "run_step"):
        run = _run_of_step(snapshot, id_, parent) if kind == "run_step" else id_
        return links.run(parent, run) if run else links.thread(parent)
    if kind == "vector_store_file":
        return links.vector_store(parent)
    return links.object(kind, id_)


def _run_of_step(snapshot: SnapshotReader, id_: str, thread: str) -> str:
    """The id of the run that a step is of, or ''."""
    found = snapshot.find(storable_text(id_))
    steps = (body for kind, parent, body in found if (kind, parent) == ("run_step", storable_text(thread)))
    return as_text(next(steps, {}).get("run_id") or "")
