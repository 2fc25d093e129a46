"""index: build the full-text index of an archive, keep it up to date, or remove it."""

from pathlib import Path

import click

from migrate.archive.database import Archive
from migrate.cli.options import FILE_PATH, Common, common_options
from migrate.errors import BadUsage
from migrate.reports.commands.text_search import index_document, index_text
from migrate.stages.index.run import build_index, remove_index


@click.command("index")
@click.argument("archive", type=FILE_PATH)
@click.option("--rebuild", is_flag=True, help="Remove the index, also a damaged one, and build it again.")
@click.option("--drop", is_flag=True, help="Only remove the index.")
@common_options
def index_command(common: Common, archive: Path, rebuild: bool, drop: bool) -> None:
    """Build the full-text index inside ARCHIVE, or add the snapshots that it does not have yet.

    `search --query`, the pages of `serve` and the tools of `mcp` use it to find words and to sort threads. It
    contains the words of all objects, and of files that are text, in every finished snapshot. If the program
    is killed, the same command continues.

    `snapshot --index` adds a new snapshot, `forget` and `merge` update the index, `check` checks it.

    \b
    Examples:
      assistants-migrate index estate.db
      assistants-migrate index estate.db --rebuild
    """
    if rebuild and drop:
        raise BadUsage("--rebuild and --drop cannot both be given", todo="give one of them")
    with Archive.open(archive, write=True, ignore_index=rebuild or drop) as opened:
        if drop:
            removed = remove_index(opened)
            text = (
                "the index was removed; its space is used by later snapshots"
                if removed
                else "there was no index"
            )
            common.write_result({"removed": removed}, text)
            return
        result = build_index(opened, common.progress(), rebuild)
    common.write_result(index_document(result), index_text(result))
