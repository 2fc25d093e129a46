"""ls: the objects of a snapshot, or those that could be cleaned up."""

from __future__ import annotations

import click

from migrate.cli.options import Common, common_options, exit_with


@click.command("ls")
@click.argument("archive")
@click.option("--kind", help="Only this kind (assistant, thread, file, ...).")
@click.option("--orphans", is_flag=True, help="What names something that is not there.")
@click.option("--unused", is_flag=True, help="What nothing names and nothing has run.")
@click.option("--expired", is_flag=True, help="What its service counts as expired.")
@click.option("--duplicates", is_flag=True, help="What an older one holds or says as well.")
@common_options
def ls_command(
    common: Common, archive: str, kind: str | None, orphans: bool, unused: bool, expired: bool,
    duplicates: bool,
) -> None:  # fmt: skip
    """List the objects of ARCHIVE[@SNAPSHOT]: kind, id, name, where it lies. Messages only with --kind.

    --orphans, --unused, --expired and --duplicates, together or alone, list what could be cleaned up
    instead: which it is, why, and how many bytes it takes. Nothing is claimed that needs a reading the
    snapshot does not have; that is said, and the command ends with 3.
    """
    from migrate.stages.filters import must_be_kinds

    must_be_kinds([kind] if kind else [])
    asked = {"orphan": orphans, "unused": unused, "expired": expired, "duplicate": duplicates}
    marks = frozenset(mark for mark, wanted in asked.items() if wanted)
    if marks:
        _upkeep(common, archive, marks, kind)
    else:
        _list(common, archive, kind)


def _list(common: Common, archive: str, kind: str | None) -> None:
    from migrate.cli.estate_argument import archived_snapshot
    from migrate.reports.commands.objects import object_row, objects_text

    shown = [kind] if kind else ["assistant", "vector_store", "file", "thread"]
    with archived_snapshot(archive, common.config) as found:
        rows = [object_row(name, parent, body) for name in shown for parent, body in found.bodies(name, None)]
        counts = found.counts()
        expected = {(gap.kind, gap.id) for gap in found.missing() if gap.expected}
    rows = [{**one, "expected_gap": True} if (one["kind"], one["id"]) in expected else one for one in rows]
    common.answer(rows, objects_text(rows, counts, len(expected)))


def _upkeep(common: Common, archive: str, marks: frozenset[str], kind: str | None) -> None:
    from migrate.archive.snapshots.reader import SnapshotReader, newest_snapshot
    from migrate.cli.estate_argument import archived_snapshot
    from migrate.reports.commands.objects import cleanup_document, cleanup_text
    from migrate.stages.estate import Estate
    from migrate.stages.query.cleanup import OTHER_GENERATION, find_cleanup

    with archived_snapshot(archive, common.config) as found:
        other = newest_snapshot(found.conn, OTHER_GENERATION.get(found.info.type, ""), found.info.url)
        beside = Estate(SnapshotReader(found.conn, other)) if other else None
        kept = find_cleanup(Estate(found), marks, beside)
    common.answer(cleanup_document(kept, kind), cleanup_text(kept, kind))
    exit_with(3 if kept.unproven else 0)
