"""Where a run or a step of a run is shown: in its thread."""

from __future__ import annotations

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.serve.addresses import PageLinks
from migrate.stages.query.message_parts import as_text


def run_address(links: PageLinks, snapshot: SnapshotReader, kind: str, id_: str, thread: str) -> str:
    """The address of a run, or of the run of a step (`run_step`), in its thread."""
    if kind == "run_step":
        found = snapshot.find(storable_text(id_))
        steps = (body for of, parent, body in found if (of, parent) == (kind, storable_text(thread)))
        id_ = as_text(next(steps, {}).get("run_id") or "")
    return links.run(thread, id_) if id_ else links.thread(thread)
