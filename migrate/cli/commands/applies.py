"""applies: what was done to targets from an archive."""

from pathlib import Path

import click

from migrate.archive.applies import list_applies
from migrate.archive.database import Archive, translate_damage
from migrate.cli.options import FILE_PATH, Common, common_options
from migrate.reports.commands.apply import applies_document, applies_text


@click.command("applies")
@click.argument("archive", type=FILE_PATH)
@common_options
def applies_command(common: Common, archive: Path) -> None:
    """List every apply of ARCHIVE: its number, when, the plan, the target, what it changed, and its state.

    \b
    Examples:
      assistants-migrate applies estate.db
      assistants-migrate applies estate.db --json
      assistants-migrate rollback estate.db --apply 2 --dry-run
    """

    with Archive.open(archive) as opened, translate_damage(archive):
        applies = list_applies(opened.conn)
    common.write_result(applies_document(applies), applies_text(applies))
