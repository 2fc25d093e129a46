"""merge: several archives into one."""

from __future__ import annotations

from pathlib import Path

import click

from migrate.archive.merge.files import MergeInputs
from migrate.archive.merge.files import open_merge_output as opened
from migrate.archive.merge.run import merge_archives
from migrate.cli.options import Common, common_options, exit_with
from migrate.reports.commands.archive import merge_document, merge_text

ARCHIVE = click.Path(path_type=Path, dir_okay=False)


@click.command("merge")
@click.argument("archives", nargs=-1, required=True, type=ARCHIVE)
@click.option("-o", "--output", type=ARCHIVE, required=True, help="The archive to merge into.")
@common_options
def merge_command(common: Common, archives: tuple[Path, ...], output: Path) -> None:
    """Join ARCHIVES into one: snapshots, objects, bytes, journals and id maps, each thing once.

    The order does not matter, and merging again adds nothing. Shards of one reading (snapshot --shard) are
    joined into one snapshot: complete when all of them are there and complete; otherwise it is partial, what
    is missing is named, and the exit code is 3. An interrupted snapshot is left out and told. An output
    that is there is merged into; the inputs are never written.
    """

    progress = common.progress()
    inputs = MergeInputs.of(archives, output)
    with opened(output) as archive:
        merged = merge_archives(archive, inputs, progress.count)
    common.answer(merge_document(merged, output), merge_text(merged, output))
    exit_with(0 if merged.whole else 3)
