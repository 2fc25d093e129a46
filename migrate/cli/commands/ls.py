"""ls: the objects of a snapshot, or those that could be cleaned up."""

from __future__ import annotations

import click

from migrate.archive.snapshots.reader import SnapshotReader, newest_snapshot
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import Common, common_options, exit_with
from migrate.reports.commands.objects import cleanup_document, cleanup_text, object_row, objects_text
from migrate.stages.filters import must_be_kinds

DEFAULT_KINDS = ("assistant", "vector_store", "file", "thread")


@click.command("ls")
@click.argument("archive")
@click.option("--kind", help="Only this kind (assistant, thread, file, ...).")
@click.option("--orphans", is_flag=True, help="Objects that refer to something that does not exist.")
@click.option("--unused", is_flag=True, help="Objects that nothing refers to and nothing has run.")
@click.option("--expired", is_flag=True, help="Objects that their service counts as expired.")
@click.option("--duplicates", is_flag=True, help="Objects with the same content as an older one.")
@common_options
def ls_command(
    common: Common, archive: str, kind: str | None, orphans: bool, unused: bool, expired: bool,
    duplicates: bool,
) -> None:  # fmt: skip
    """List the objects of ARCHIVE[@SNAPSHOT]: kind, id, name, parent. Messages only with --kind.

    --orphans, --unused, --expired and --duplicates, together or alone, list what could be cleaned up
    instead: which of these it is, why, and how many bytes it takes. Where a claim needs a listing that the
    snapshot does not have, the output names that listing and the exit code is 3.
    """
    must_be_kinds([kind] if kind else [])
    flags = {"orphan": orphans, "unused": unused, "expired": expired, "duplicate": duplicates}
    marks = frozenset(mark for mark, given in flags.items() if given)
    if marks:
        _list_cleanup(common, archive, marks, kind)
    else:
        _list_objects(common, archive, kind)


def _list_objects(common: Common, archive: str, kind: str | None) -> None:
    with archived_snapshot(archive, common.config) as snapshot:
        kinds = [kind] if kind else DEFAULT_KINDS
        rows = [
            object_row(name, parent, body) for name in kinds for parent, body in snapshot.bodies(name, None)
        ]
        counts = snapshot.counts()
        expected = {(gap.kind, gap.id) for gap in snapshot.missing() if gap.expected}
    rows = [{**row, "expected_gap": True} if (row["kind"], row["id"]) in expected else row for row in rows]
    common.write_result(rows, objects_text(rows, counts, len(expected)))


def _list_cleanup(common: Common, archive: str, marks: frozenset[str], kind: str | None) -> None:
    # Loaded here: listing the objects of a small archive must not wait for the codecs.
    from migrate.stages.estate import Estate
    from migrate.stages.query.cleanup import OTHER_GENERATION, find_cleanup

    with archived_snapshot(archive, common.config) as snapshot:
        info = newest_snapshot(snapshot.conn, OTHER_GENERATION.get(snapshot.info.type, ""), snapshot.info.url)
        sibling = Estate(SnapshotReader(snapshot.conn, info)) if info else None
        result = find_cleanup(Estate(snapshot), marks, sibling)
    common.write_result(cleanup_document(result, kind), cleanup_text(result, kind))
    exit_with(3 if result.unproven else 0)
