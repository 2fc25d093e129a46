"""ids: the id map."""

from pathlib import Path

import click

from migrate.archive.database import Archive, translate_damage
from migrate.archive.id_map import Side, id_map
from migrate.cli import print_message
from migrate.cli.estate_argument import configured_service
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with
from migrate.errors import BadUsage
from migrate.reports.commands.ids import id_map_lines
from migrate.stages.query.ids import find_mapped_ids


@click.command("ids")
@click.argument("archive", type=FILE_PATH)
@click.argument("object_id", required=False)
@click.option(
    "--format", "format_", type=click.Choice(["csv", "json", "sql"]), default="csv", show_default=True,
    help="Format of the output; sql writes a table id_map.",
)  # fmt: skip
@click.option("--to", "target", metavar="ESTATE", help="Only objects that were moved to this live estate.")
@common_options
def ids_command(
    common: Common, archive: Path, object_id: str | None, format_: str, target: str | None
) -> None:
    """Print the old and the new id of each object that was moved, or only of the object OBJECT_ID.

    OBJECT_ID is an old id, a new id, a name, or the beginning of an id. Exit 1 when the object was not moved,
    2 when several objects match.

    \b
    Examples:
      assistants-migrate ids estate.db
      assistants-migrate ids estate.db "Product Support"
      assistants-migrate ids estate.db --to west --format sql
    """
    if object_id == "":
        raise BadUsage(
            "the id is empty", "often a variable of a script is not set", "leave it out for all ids"
        )
    entry = configured_service(target, common.config) if target else None
    if target and entry is None:
        raise BadUsage(f"{target!r} is not a live estate", todo="give a name of the config file, or TYPE+URL")
    side = Side(entry.type, entry.endpoint.rstrip("/")) if entry else None
    with Archive.open(archive) as opened, translate_damage(archive):
        found = find_mapped_ids(opened.conn, object_id, side) if object_id else None
        rows = id_map(opened.conn, target=side) if found is None else iter(found.rows)
        common.write_lines(id_map_lines(rows, "json" if common.as_json else format_))
    if found is None or found.rows:
        return
    if not common.quiet:
        print_message(
            f"no object has the id {found.id}: neither the id map nor a snapshot"
            if found.snapshot is None
            else f"snapshot {found.snapshot} has {found.id}; nothing was made from it"
        )
    exit_with(1)
