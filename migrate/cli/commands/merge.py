"""merge: join several archives into one."""

from pathlib import Path

import click

from migrate.archive.merge.files import MergeInputs, open_merge_output
from migrate.archive.merge.run import merge_archives
from migrate.archive.text_index.schema import has_text_index
from migrate.cli.options import FILE_PATH, Common, common_options, exit_with
from migrate.reports.commands.archive import merge_document, merge_text


@click.command("merge")
@click.argument("archives", nargs=-1, required=True, type=FILE_PATH)
@click.option("-o", "--output", type=FILE_PATH, required=True, help="The archive to merge into.")
@common_options
def merge_command(common: Common, archives: tuple[Path, ...], output: Path) -> None:
    """Join ARCHIVES into one: snapshots, objects, bytes, journals and id maps, each of them once.

    The order does not matter, and merging again adds nothing. The inputs are never written. An output that
    exists keeps its content, and the inputs are added to it.

    Shards with the same tag (snapshot --shard) are joined into one snapshot. It is complete if all shards
    are given and complete. Otherwise it is partial, the result lists what is missing, and the exit code is 3.
    An interrupted snapshot is left out and reported.

    If the output exists and has a full-text index, what is new is added to it. A new output has no index:
    see `index`.

    \b
    Examples:
      assistants-migrate merge estate.db west.db -o all.db
      assistants-migrate merge support.db -o all.db
    """
    progress = common.progress()
    inputs = MergeInputs.check(archives, output)
    with open_merge_output(output) as archive:
        result = merge_archives(archive, inputs, progress.count)
        if has_text_index(archive.conn):
            # Loaded here: a new archive has no index.
            from migrate.stages.index.run import build_index

            build_index(archive, progress)
    common.write_result(merge_document(result, output), merge_text(result, output))
    exit_with(0 if result.whole else 3)
