"""snapshot: an estate into an archive."""

from pathlib import Path

import click

from migrate.archive.database import Archive
from migrate.cli.estate_argument import LiveEstate, live_estate, thread_ids
from migrate.cli.options import Common, common_options, exit_with, workers
from migrate.endpoints import connect_reader
from migrate.errors import BadUsage
from migrate.model.results.archive import SnapshotResult
from migrate.model.shard import Shard
from migrate.reports.commands.archive import snapshot_document, snapshot_text
from migrate.stages.filters import ObjectFilter
from migrate.stages.progress import Progress
from migrate.stages.snapshot.options import SnapshotOptions
from migrate.stages.snapshot.run import take_snapshot


@click.command("snapshot")
@click.argument("estate")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The archive."
)
@click.option(
    "--threads", default="auto", show_default=True, help="auto, none, a FILE of ids, or - for stdin."
)
@click.option("--runs/--no-runs", default=True, help="Runs and their steps.")
@click.option("--bytes/--no-bytes", "with_bytes", default=True, help="The bytes of files.")
@click.option(
    "--originals", type=click.Path(path_type=Path, file_okay=False), help="Files the service won't give back."
)
@click.option("--include", multiple=True, metavar="KIND:GLOB", help="Only objects whose name or id fits.")
@click.option("--exclude", multiple=True, metavar="KIND:GLOB", help="Not objects whose name or id fits.")
@click.option("--full", is_flag=True, help="Read every thread anew, also those that seem unchanged.")
@click.option("--tag", help="A name for this snapshot.")
@click.option("--shard", metavar="K/N", help="Only share K of N of the threads; needs --tag. See merge.")
@workers
@common_options
def snapshot_command(
    common: Common, estate: str, output: Path, threads: str, runs: bool, with_bytes: bool,
    originals: Path | None, include: tuple[str, ...], exclude: tuple[str, ...], full: bool, tag: str | None,
    shard: str | None, workers: int,
) -> None:  # fmt: skip
    """Read everything of ESTATE into the archive FILE.db. The source is never written.

    Threads come from the service's listing where it has one, and from the ids given, both together.
    Exit 3 when the snapshot is partial; what is missing is named. What the service never gives back, by its
    own rule, is named too and makes no snapshot partial. Exit 1 when a filter fits nothing. An interrupted
    snapshot is continued by the same command. Messages of a thread are not read again when the newest 100
    are those of the last snapshot, nor its runs when the newest 100 runs are, unless --full is given.

    --shard reads a share of the threads, the same one on every machine, chosen by a hash of their ids; the
    first share also reads what lies in no thread. The tag names the reading that the shards belong to, and
    `merge` joins them. A shard that is complete under its tag is not read again.
    """

    if tag and (tag.isdigit() or tag == "latest"):
        raise BadUsage(f"{tag!r} is no tag", "it would be taken for a snapshot's number, or for the latest")
    part = Shard.parse(shard) if shard else None
    if part and not tag:
        raise BadUsage(
            "--shard needs --tag",
            "the tag names the reading that all shards belong to",
            "give all shards of one reading the same tag, and the next reading another",
        )
    live = live_estate(estate, common.config, workers)
    options = SnapshotOptions(
        list_threads=threads != "none",
        thread_ids=thread_ids(threads, live),
        runs=runs,
        bytes=with_bytes,
        originals=originals,
        object_filter=ObjectFilter.parse(include, exclude),
        full=full,
        workers=workers,
        tag=tag,
        shard=part,
    )
    result = snapshot_to_archive(live, output, options, common.progress())
    common.answer(snapshot_document(result, output), snapshot_text(result, output))
    exit_with(result.code)


def snapshot_to_archive(
    live: LiveEstate, path: Path, options: SnapshotOptions, progress: Progress
) -> SnapshotResult:
    """Read a live estate into an archive, which is created if it does not exist."""
    reader = connect_reader(live.settings)
    try:
        reader.probe()  # before the archive is opened: a wrong key leaves no empty file behind
        with Archive.open(path, write=True, create=True) as archive:
            return take_snapshot(reader, archive, options, progress)
    finally:
        reader.close()
