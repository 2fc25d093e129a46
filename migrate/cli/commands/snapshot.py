"""snapshot: read an estate into an archive."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from migrate.archive.database import Archive
from migrate.archive.text_index.schema import check_fts5, has_text_index
from migrate.cli.estate_argument import LiveEstate, live_estate, thread_ids
from migrate.cli.options import (
    FILE_PATH,
    Common,
    common_options,
    exit_with,
    full_option,
    threads_option,
    workers,
)
from migrate.cli.selection_options import selection_and_filter_options
from migrate.endpoints import connect_reader
from migrate.errors import BadUsage
from migrate.model.results.archive import SnapshotResult
from migrate.model.selection import Selection
from migrate.model.shard import Shard
from migrate.reports.commands.archive import snapshot_document, snapshot_text
from migrate.stages.filters import ObjectFilter
from migrate.stages.index.run import build_index
from migrate.stages.progress import Progress
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.snapshot.run import take_snapshot
from migrate.stages.snapshot.selected import read_selected_contents


@click.command("snapshot")
@click.argument("estate")
@click.option(
    "-o", "--output", type=FILE_PATH, required=True, help="The archive; it is created if it does not exist."
)
@threads_option
@click.option("--runs/--no-runs", default=True, help="Read runs and their steps.")
@click.option("--bytes/--no-bytes", "with_bytes", default=True, help="Read the bytes of files.")
@click.option(
    "--originals", type=click.Path(path_type=Path, file_okay=False),
    help="Folder with files whose bytes the service does not return; name and size must match.",
)  # fmt: skip
@selection_and_filter_options
@full_option
@click.option("--tag", metavar="TAG", help="Name of this snapshot.")
@click.option(
    "--index", is_flag=True, help="Build the full-text index of the archive, or add this snapshot to it."
)
@click.option(
    "--shard", metavar="K/N", help="Read only part K of N of the threads; needs --tag. See `merge`."
)
@workers
@common_options
def snapshot_command(
    common: Common, estate: str, output: Path, threads: str, runs: bool, with_bytes: bool,
    originals: Path | None, selection: Selection, object_filter: ObjectFilter, full: bool, tag: str | None,
    index: bool, shard: str | None, workers: int,
) -> None:  # fmt: skip
    """Read everything of ESTATE into the archive FILE.db. The source is never written.

    Threads are those that the service lists, if it lists them, and those whose ids are given.

    Exit 3 when the snapshot is partial; the result lists what is missing. Data that the service never returns
    is listed too, but the snapshot still counts as complete. Exit 1 when a filter matches nothing. An
    interrupted snapshot is continued by the same command.

    For each thread the newest 100 messages are compared with the last snapshot. If they are equal, older
    messages are not read again. The same holds for its newest 100 runs. --full reads all of them.

    --include and --exclude concern only the kinds that they name: other kinds are read whole. Ids, dates and
    metadata select as they do for plan: threads are then requested by their ids, and a date takes one request
    for each thread. Such a snapshot is marked as filtered: without a number, other commands use the newest
    snapshot that is not. Exit 1 when nothing is selected, 3 when ESTATE lacks an id that was selected.

    --shard K/N reads one of N parts of the threads. A hash of the thread id decides the part, so all machines
    divide them in the same way. Part 1 also contains everything outside threads. All shards of one snapshot
    have the same tag; `merge` joins them. A shard that is complete under its tag is not read again.

    \b
    Examples:
      assistants-migrate snapshot east -o estate.db
      assistants-migrate snapshot west -o west.db --tag monday --index
      assistants-migrate snapshot east -o support.db --id "Product Support"
    """
    if tag and (tag.isdigit() or tag == "latest"):
        why = "it means the number of a snapshot, or the latest one"
        raise BadUsage(f"{tag!r} is no tag", why)
    part = _shard(shard, tag, selection)
    live = live_estate(estate, common.config, workers)
    options = SnapshotOptions(
        list_threads=threads != "none",
        thread_ids=thread_ids(threads, live),
        runs=runs,
        bytes=with_bytes,
        originals=originals,
        object_filter=object_filter,
        selection=selection,
        full=full,
        workers=workers,
        tag=tag,
        shard=part,
        models=True,
    )
    result = snapshot_to_archive(live, output, options, common.progress(), index)
    common.write_result(snapshot_document(result, output), snapshot_text(result, output))
    exit_with(result.code)


def _shard(text: str | None, tag: str | None, selection: Selection) -> Shard | None:
    """The value of --shard. Raises `BadUsage`, also for options that do not go with it."""
    part = Shard.parse(text) if text else None
    if part and not tag:
        raise BadUsage(
            "--shard needs --tag",
            "all shards of one snapshot have the same tag",
            "give all shards of one snapshot the same tag, and the next snapshot another tag",
        )
    if part and not selection.has_only_rules:
        raise BadUsage(
            "--shard cannot be combined with ids, dates or metadata",
            "what the selected objects need may be in another share",
            "leave --shard out, or select with --include and --exclude alone",
        )
    return part


def snapshot_to_archive(
    live: LiveEstate, path: Path, options: SnapshotOptions, progress: Progress, index: bool = False
) -> SnapshotResult:
    """Read a live estate into an archive, which is created if it does not exist. `index`: build the full-text
    index of the archive then, or add the snapshot to it."""
    with closing(connect_reader(live.settings)) as reader:
        reader.probe()  # before the archive is opened: a wrong key leaves no empty file behind
        options = replace(options, selected=read_selected_contents(reader, options, progress))
        with Archive.open(path, write=True, create=True) as archive:
            if index:
                check_fts5(archive.conn)  # before anything is read
            result = take_snapshot(reader, archive, options, progress)
            if index:
                build_index(archive, progress)
            elif has_text_index(archive.conn):
                progress.say(f"note: the full-text index does not have this snapshot yet: index {path}")
            return result
