"""Build the full-text index of an archive, or add what it does not have yet."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

from migrate.archive.database import Archive, repair_hint, translate_damage, translate_sqlite_errors
from migrate.archive.text_index.batch_source import BatchLimits, BatchSource
from migrate.archive.text_index.digest import seal_index, stored_index_digest
from migrate.archive.text_index.index_batch import IndexBatch
from migrate.archive.text_index.schema import (
    check_fts5,
    create_text_index,
    drop_text_index,
    has_text_index,
    is_current_format,
    set_write_options,
)
from migrate.archive.text_index.state import (
    count_documents,
    cut_files,
    indexed_snapshots,
    list_endpoints,
    merge_index_parts,
    pending_snapshots,
    unfinished_snapshots,
)
from migrate.archive.text_index.writer import IndexWriter
from migrate.errors import ArchiveDamaged
from migrate.model.results.text_search import IndexResult
from migrate.stages.index.background_batches import iterate_in_background
from migrate.stages.progress import Progress

# Objects, and bytes of words, in one commit: a program that is killed reads so many again, and twice as many
# are in memory. With fewer, the parts of the index repeat more words, and more free space is left at the end.
OBJECTS_PER_COMMIT, BYTES_PER_COMMIT = 25_000, 9 << 20
# All parts of the index are merged where at least one document of so many was added.
MERGED_SHARE = 4
# What the progress counts.
OBJECTS, THREADS = "objects", "threads"

OTHER_FORMAT = (
    "it was written by another version of this program or of Python, which separate words differently"
)


def build_index(archive: Archive, progress: Progress | None = None, rebuild: bool = False) -> IndexResult:
    """Add every finished snapshot to the index, which is created where the archive has none. An index in
    another form is built again, with `rebuild` any index.

    Raises `BadUsage` where SQLite has no full-text search, `ArchiveDamaged`, `DiskFull`. What was committed
    until then is kept, and the next call continues there.
    """
    progress = progress or Progress()
    check_fts5(archive.conn)
    rebuilt = _prepare(archive, rebuild)
    with translate_damage(archive.path):
        writer = IndexWriter(archive.conn)
        try:
            _index_snapshots(archive, writer, progress)
        except ArchiveDamaged as damaged:
            raise ArchiveDamaged(damaged.what, damaged.why, repair_hint(archive.path)) from None
        all_documents = count_documents(archive.conn)
        if not stored_index_digest(archive.conn):
            with archive.transaction() as conn:
                merge_index_parts(conn, writer.documents * MERGED_SHARE >= all_documents)
                seal_index(conn)
        return IndexResult(
            documents=writer.documents,
            characters=writer.characters,
            files=writer.files,
            files_cut=cut_files(archive.conn),
            all_documents=all_documents,
            snapshots=tuple(indexed_snapshots(archive.conn)),
            unfinished=tuple(unfinished_snapshots(archive.conn)),
            rebuilt=rebuilt,
        )


def remove_index(archive: Archive) -> bool:
    """Remove the index, also a damaged one. Returns whether there was any."""
    with archive.transaction() as conn:
        return drop_text_index(conn)


def _prepare(archive: Archive, rebuild: bool) -> str:
    """Create an empty index where one is needed. Returns why an earlier one was removed, or ''."""
    rebuilt = ""
    with archive.transaction() as conn:
        if rebuild:
            rebuilt = "--rebuild" if drop_text_index(conn) else ""
        elif has_text_index(conn) and not is_current_format(conn):
            drop_text_index(conn)
            rebuilt = OTHER_FORMAT
        if has_text_index(conn):
            set_write_options(conn)  # of an index that an earlier version created
        else:
            create_text_index(conn)
    return rebuilt


def _index_snapshots(archive: Archive, writer: IndexWriter, progress: Progress) -> None:
    """Index one snapshot after the other, oldest first. While one batch is written, a thread prepares the
    next one."""
    for snapshot, endpoint in pending_snapshots(archive.conn):
        make = partial(_make_batches, archive, snapshot, writer.next_document)
        with iterate_in_background(make) as batches:
            for source, batch in batches:
                if batch.is_empty:  # the first one
                    progress.expect(THREADS, batch.found_threads)
                    progress.total_known(THREADS)
                    continue
                with archive.transaction():
                    writer.write(batch)
                source.committed = batch.number
                progress.count(OBJECTS, batch.objects)
                progress.count(THREADS, batch.threads)
        _index_files(archive, writer, progress, endpoint)
        with archive.transaction():
            writer.mark_snapshot(snapshot)
    # Bytes of files may come without a new snapshot, from an archive that was merged.
    for endpoint in list_endpoints(archive.conn):
        _index_files(archive, writer, progress, endpoint)


def _make_batches(
    archive: Archive, snapshot: int, next_document: int, check_stopped: Callable[[], None]
) -> Iterator[tuple[BatchSource, IndexBatch]]:
    """The batches of a snapshot, each with its source."""
    limits = BatchLimits(OBJECTS_PER_COMMIT, BYTES_PER_COMMIT)
    with (
        translate_sqlite_errors(archive.path),
        contextlib.closing(archive.open_read_connection(with_temporary_tables=True)) as conn,
    ):
        source = BatchSource(conn, next_document, limits, check_stopped)
        for batch in source.batches(snapshot):
            yield source, batch


def _index_files(archive: Archive, writer: IndexWriter, progress: Progress, endpoint: int) -> None:
    """Add the texts of files of an estate, and commit after each `OBJECTS_PER_COMMIT` files, or
    `BYTES_PER_COMMIT` characters."""
    steps = writer.index_files(endpoint)
    finished = False
    while not finished:
        files = characters = 0
        with archive.transaction():
            for read in steps:
                files, characters = files + 1, characters + read
                if files >= OBJECTS_PER_COMMIT or characters >= BYTES_PER_COMMIT:
                    break
            else:
                finished = True
        if files:
            progress.count(OBJECTS, files)
