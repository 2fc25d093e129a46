"""show: one object, as the service returned it."""

import click

from migrate.archive.snapshots.history import describe_other_snapshot
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import Common, common_options
from migrate.errors import BadUsage
from migrate.reports.commands.objects import object_document, object_text
from migrate.stages.object_lookup import ObjectLookup


@click.command("show")
@click.argument("archive")
@click.argument("object_id")
@common_options
def show_command(common: Common, archive: str, object_id: str) -> None:
    """Print the object OBJECT_ID of ARCHIVE[@SNAPSHOT], unchanged except for secrets in tool headers.

    OBJECT_ID is an id; or the name of an assistant, vector store or file; or the beginning of an id of these
    or of a thread. Exit 2 when several objects match: they are listed.

    \b
    Examples:
      assistants-migrate show estate.db "Product Support"
      assistants-migrate show estate.db@1 asst_8Lch
    """
    with archived_snapshot(archive, common.config) as snapshot:
        object_id = ObjectLookup(snapshot.conn, snapshot).resolve(object_id)
        hidden = snapshot.hidden_parts(object_id)
        rows = [
            object_document(kind, parent, body, hidden.get(kind, ()))
            for kind, parent, body in snapshot.find(object_id)
        ]
        if not rows:
            raise BadUsage(
                f"snapshot {snapshot.info.id} has no object {object_id!r}"
                f"{describe_other_snapshot(snapshot, object_id)}",
                todo=f"name the snapshot: ARCHIVE@NUMBER; or list the objects: ls {archive} [--kind KIND]",
            )
    common.write_result(rows[0] if len(rows) == 1 else rows, "\n".join(map(object_text, rows)))
