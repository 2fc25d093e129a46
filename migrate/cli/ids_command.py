"""ids: the id map."""

from pathlib import Path

import click

from migrate.cli.options import Common, common, finish


@click.command("ids")
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("old_id", required=False)
@click.option(
    "--format", "format_", type=click.Choice(["csv", "json", "sql"]), default="csv", show_default=True
)
@common
def command(common: Common, archive: Path, old_id: str | None, format_: str) -> None:
    """Print which new id took the place of which old one; OLD_ID narrows it. Exit 1 when that is unknown."""
    from migrate.archive.journal import id_map
    from migrate.archive.store import Archive
    from migrate.reports.ids import as_dict, as_text

    with Archive.open(archive) as opened:
        rows = list(id_map(opened.conn, source_id=old_id or ""))
    common.answer(as_dict(rows), as_text(rows, format_), data=True)
    finish(1 if old_id and not rows else 0)
