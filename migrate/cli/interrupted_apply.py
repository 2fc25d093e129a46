"""Before a new plan is made: what became of requests of an interrupted apply whose outcome nobody knows.

What it made without our learning of it is noted, so that the new plan finds it: an object without room for a
stamp would be made a second time.
"""

from __future__ import annotations

from pathlib import Path

from migrate.archive.database import Archive
from migrate.archive.id_map import Side
from migrate.archive.registered_plans import interrupted_plans, read_plan_document
from migrate.cli.config import Config
from migrate.cli.opened_plan import opened_plan
from migrate.codecs import capabilities_for
from migrate.errors import ArchiveBusy, PlanEdited, PlanStale
from migrate.stages.apply.context import apply_context, load_id_map
from migrate.stages.apply.recover import recover_interrupted
from migrate.stages.plan.plan_file import from_document
from migrate.stages.progress import Progress


def settle_interrupted(
    path: Path, source: Side, target: Side, config: Config, workers: int, progress: Progress
) -> None:
    """Look into every interrupted apply between two sides. Raises `IncompleteResult` when nobody can look."""

    with Archive.open(path) as archive:
        documents = [
            read_plan_document(archive.conn, digest)
            for digest in interrupted_plans(archive.conn, source, target)
        ]
    for document in filter(None, documents):
        try:
            plan = from_document(document)
            with opened_plan(plan, config, workers, write=True) as (archive, estate, writer):
                capabilities = capabilities_for(writer.type, writer.api_version)
                ctx = apply_context(plan, estate, archive, writer, capabilities, progress)  # type: ignore[arg-type]
                load_id_map(plan, ctx, archive)
                recover_interrupted(ctx, plan)
        except (ArchiveBusy, PlanEdited, PlanStale):
            continue  # another program is at it, or what it was made from is not there any more
