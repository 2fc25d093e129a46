"""snapshots: what an archive contains, one line each."""

from pathlib import Path

import click

from migrate.archive.database import Archive, translate_damage
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.cli.options import FILE_PATH, Common, common_options
from migrate.reports.commands.archive import snapshots_document, snapshots_text


@click.command("snapshots")
@click.argument("archive", type=FILE_PATH)
@common_options
def snapshots_command(common: Common, archive: Path) -> None:
    """List the snapshots of ARCHIVE: time, estate, complete or partial, what each one added, what is missing,
    and what was left out by a filter.

    \b
    Examples:
      assistants-migrate snapshots estate.db
      assistants-migrate snapshots estate.db --json
    """
    with Archive.open(archive) as opened, translate_damage(archive):
        readers = [SnapshotReader(opened.conn, info) for info in list_snapshots(opened.conn)]
        rows = [(reader.info, reader.counts(), reader.gaps()) for reader in readers]
    common.write_result(snapshots_document(rows), snapshots_text(rows))
