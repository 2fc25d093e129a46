"""check: an archive against its own hashes."""

from pathlib import Path

import click

from migrate.cli.options import Common, common, finish


@click.command("check")
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--upgrade", is_flag=True, help="First bring the tables of an earlier version up to date.")
@common
def command(common: Common, archive: Path, upgrade: bool) -> None:
    """Check every body, listing and byte of ARCHIVE against its hash. Exit 1 when something is damaged."""
    from migrate.archive.integrity import check
    from migrate.archive.store import Archive
    from migrate.reports.check import as_dict, as_text

    if upgrade:
        Archive.open(archive, write=True).close()
    with Archive.open(archive) as opened:
        checked = check(opened.conn)
    common.answer(as_dict(checked), as_text(checked))
    finish(1 if checked.damage else 0)
