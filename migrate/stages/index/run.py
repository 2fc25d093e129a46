"""Build the full-text index of an archive, or add what it does not have yet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from migrate.archive.database import Archive, repair_hint, translate_damage
from migrate.archive.text_index.digest import seal_index, stored_index_digest
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
from migrate.stages.progress import Progress

# Objects, and characters, in one commit: a program that is killed reads so many again.
OBJECTS_PER_COMMIT, CHARS_PER_COMMIT = 50_000, 32 << 20
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
        _write_in_batches(archive, writer, _index_snapshots(archive, writer, progress))
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


def _index_snapshots(archive: Archive, writer: IndexWriter, progress: Progress) -> Iterator[None]:
    """Index one snapshot after the other, oldest first, in small steps."""
    for snapshot, endpoint in pending_snapshots(archive.conn):
        progress.expect(THREADS, writer.find_threads(snapshot))
        progress.total_known(THREADS)
        for steps in writer.index_threads():
            for objects in steps:
                progress.count(OBJECTS, objects)
                yield
            progress.count(THREADS)
        for objects in chain(writer.index_rest(snapshot), writer.index_files(endpoint)):
            progress.count(OBJECTS, objects)
            yield
        writer.mark_snapshot(snapshot)
    # Bytes of files may come without a new snapshot, from an archive that was merged.
    for endpoint in list_endpoints(archive.conn):
        for objects in writer.index_files(endpoint):
            progress.count(OBJECTS, objects)
            yield


def _write_in_batches(archive: Archive, writer: IndexWriter, steps: Iterator[None]) -> None:
    """Do all steps, and commit after each `OBJECTS_PER_COMMIT` objects, or `CHARS_PER_COMMIT` characters."""

    def has_room() -> bool:
        return writer.uncommitted < OBJECTS_PER_COMMIT and writer.uncommitted_chars < CHARS_PER_COMMIT

    finished = False
    while not finished:
        try:
            with archive.transaction():
                finished = all(has_room() for _ in steps)
                writer.flush()
        except ArchiveDamaged as damaged:
            raise ArchiveDamaged(damaged.what, damaged.why, repair_hint(archive.path)) from None
