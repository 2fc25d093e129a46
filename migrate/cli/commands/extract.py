"""extract: bytes of files, from an archive into a folder."""

from pathlib import Path

import click

from migrate.cli import tell
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import Common, common_options, exit_with
from migrate.reports.commands.objects import extract_document, extract_failure_lines, extract_text
from migrate.stages.query.extract import extract


@click.command("extract")
@click.argument("archive")
@click.argument("file_id", nargs=-1)
@click.option(
    "--dir",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write to; made if need be.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@common_options
def extract_command(
    common: Common, archive: str, file_id: tuple[str, ...], folder: Path, force: bool
) -> None:
    """Write the bytes of files of ARCHIVE[@SNAPSHOT] into a folder: of all that it has, or of these.

    Each is hashed on the way and named after its file, as far as that is safe. Exit 3 when a file is
    unknown, has no bytes here, or is damaged; 4 when one of that name is there.
    """

    with archived_snapshot(archive, common.config) as found:
        done = extract(found, file_id, folder, force)
    common.answer(extract_document(done), extract_text(done))
    for line in extract_failure_lines(done):
        tell(line)
    exit_with(3 if done.failed else 0)
