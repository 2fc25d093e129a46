"""check: compare an archive with its own hashes."""

from pathlib import Path

import click

from migrate.archive.check.integrity import check_archive
from migrate.archive.database import Archive
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with
from migrate.cli.sample_options import read_sample, seed_option
from migrate.reports.commands.archive import check_document, check_text


@click.command("check")
@click.argument("archive", type=FILE_PATH)
@click.option(
    "--upgrade", is_flag=True, help="First update the tables of an archive that an earlier version wrote."
)
@click.option("--sample", metavar="N%", help="Check only N% of bodies, listings and bytes, at random.")
@seed_option
@common_options
def check_command(common: Common, archive: Path, upgrade: bool, sample: str | None, seed: int | None) -> None:
    """Check every body, listing, byte and reference of ARCHIVE. Exit 1 when something is damaged.

    With --sample a large archive is checked faster: only some bodies and bytes are read. Fingerprints of
    snapshots, references, the spans of each listing and the database itself are still checked completely.

    \b
    Examples:
      assistants-migrate check estate.db
      assistants-migrate check estate.db --sample 5%
    """
    chosen = read_sample(sample, seed)
    if upgrade:
        Archive.open(archive, write=True).close()
    with Archive.open(archive) as opened:
        result = check_archive(opened.conn, chosen)
    common.write_result(check_document(result), check_text(result))
    exit_with(1 if result.damage else 0)
