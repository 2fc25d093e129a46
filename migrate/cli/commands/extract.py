"""extract: write the bytes of files from an archive into a folder."""

from pathlib import Path

import click

from migrate.cli import print_message
from migrate.cli.estate_argument import archived_snapshot
from migrate.cli.options import Common, common_options, exit_with
from migrate.reports.commands.objects import extract_document, extract_failure_lines, extract_text
from migrate.stages.query.extract import extract


@click.command("extract")
@click.argument("archive")
@click.argument("file_id", nargs=-1)
@click.option(
    "--dir", "folder", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to; it is created if necessary.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace existing files.")
@common_options
def extract_command(
    common: Common, archive: str, file_id: tuple[str, ...], folder: Path, force: bool
) -> None:
    """Write the bytes of files of ARCHIVE[@SNAPSHOT] into a folder: of all files, or of the given ones.

    FILE_ID is the id of a file, its name, or a beginning of an id that no other file has. Exit 2 when several
    files match: they are listed, and nothing is written.

    The bytes of each file are checked against their hash. A file keeps its name, except for characters that
    are not safe in file names. Exit 1 when the snapshot has none of the given files; 3 when it lacks some of
    them or their bytes, or when one is damaged; 4 when a file of the same name exists in the folder.

    \b
    Examples:
      assistants-migrate extract estate.db --dir files
      assistants-migrate extract estate.db price-list.csv --dir prices
    """
    with archived_snapshot(archive, common.config) as snapshot:
        result = extract(snapshot, file_id, folder, force)
    common.write_result(extract_document(result), extract_text(result))
    for line in extract_failure_lines(result):
        print_message(line)
    exit_with(1 if result.found_nothing else 3 if result.failed else 0)
