"""ids: the id map."""

from itertools import chain, islice
from pathlib import Path

import click

from migrate.archive.database import Archive, translate_damage
from migrate.archive.id_map import Side, id_map
from migrate.archive.snapshots.history import snapshots_with
from migrate.cli import print_message
from migrate.cli.estate_argument import configured_service
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with
from migrate.errors import BadUsage
from migrate.reports.commands.ids import id_map_lines


@click.command("ids")
@click.argument("archive", type=FILE_PATH)
@click.argument("old_id", required=False)
@click.option(
    "--format", "format_", type=click.Choice(["csv", "json", "sql"]), default="csv", show_default=True
)
@click.option("--to", "target", metavar="ESTATE", help="Only objects that were moved to this live estate.")
@common_options
def ids_command(common: Common, archive: Path, old_id: str | None, format_: str, target: str | None) -> None:
    """Print the new id of each object that was moved, or only of OLD_ID. Exit 1 when OLD_ID has no new id."""
    entry = configured_service(target, common.config) if target else None
    if target and entry is None:
        raise BadUsage(f"{target!r} names no live estate", todo="give a name of the config file, or TYPE+URL")
    side = Side(entry.type, entry.endpoint.rstrip("/")) if entry else None
    with Archive.open(archive) as opened, translate_damage(archive):
        rows = id_map(opened.conn, target=side, source_id=old_id or "")
        first = list(islice(rows, 1))
        common.write_lines(id_map_lines(chain(first, rows), "json" if common.as_json else format_))
        unmoved = next(snapshots_with(opened.conn, old_id), None) if old_id and not first else None
    if old_id and not first and not common.quiet:
        print_message(
            f"no object has the id {old_id}: neither the id map nor a snapshot"
            if unmoved is None
            else f"snapshot {unmoved} has {old_id}; nothing was made from it"
        )
    exit_with(1 if old_id and not first else 0)
