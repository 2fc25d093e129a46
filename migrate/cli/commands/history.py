"""history: how one object changed over all snapshots."""

from pathlib import Path

import click

from migrate.archive.database import Archive, translate_damage
from migrate.cli.options import Common, common_options
from migrate.errors import BadUsage
from migrate.reports.commands.history import history_document, history_text
from migrate.stages.query.history import object_histories


@click.command("history")
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("object_id")
@common_options
def history_command(common: Common, archive: Path, object_id: str) -> None:
    """Tell how the object OBJECT_ID changed over all snapshots of ARCHIVE: when, and what.

    Who changed it is not known: no service tells. A file is told in each vector store that held it, a
    thread with the number of its messages, a vector store with the files that came and went. A snapshot
    that could not see the object says so; that is not "gone".
    """

    with Archive.open(archive) as opened, translate_damage(archive):
        found = object_histories(opened.conn, object_id)
    if not found:
        raise BadUsage(
            f"no snapshot of {archive} has an object {object_id!r}",
            "ids are taken to the letter",
            f"list them: ls {archive}@NUMBER [--kind KIND]",
        )
    common.answer(history_document(found), history_text(found))
