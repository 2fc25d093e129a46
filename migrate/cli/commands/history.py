"""history: how one object changed over all snapshots."""

from pathlib import Path

import click

from migrate.archive.database import Archive, translate_damage
from migrate.cli.options import FILE_PATH, Common, common_options
from migrate.errors import BadUsage
from migrate.reports.commands.history import history_document, history_text
from migrate.stages.query.history import object_histories


@click.command("history")
@click.argument("archive", type=FILE_PATH)
@click.argument("object_id")
@common_options
def history_command(common: Common, archive: Path, object_id: str) -> None:
    """Show how the object OBJECT_ID changed over all snapshots of ARCHIVE: when, and what.

    OBJECT_ID is an id, or a name or a beginning of an id that only one object had in all snapshots.

    A file is shown with the vector stores that contained it, a thread with the number of its messages, and a
    vector store with the files that were added and removed.

    A snapshot that could not read the object is shown as "not read". That does not mean that the object was
    deleted. No service reports who changed an object.

    \b
    Examples:
      assistants-migrate history estate.db "Product Support"
      assistants-migrate history estate.db thread_dpoh --json
    """
    with Archive.open(archive) as opened, translate_damage(archive):
        histories = object_histories(opened.conn, object_id)
    if not histories:
        raise BadUsage(
            f"no snapshot of {archive} has an object {object_id!r}",
            "it is no id, no name, and no beginning of an id",
            f"list them: ls {archive}@NUMBER [--kind KIND]",
        )
    common.write_result(history_document(histories), history_text(histories))
