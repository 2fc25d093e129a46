"""Merge archives into one that has everything once. Their order does not matter.

All of it is one transaction on the target, the archive that is merged into. Equal snapshots become one, and
the shards with one tag become one snapshot. Interrupted snapshots are left out, and reported.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from migrate.archive.database import Archive
from migrate.archive.forget import sweep_blobs, sweep_listings
from migrate.archive.merge.copy import TARGET_ARCHIVE, BlobMerge, Copier
from migrate.archive.merge.files import MergeInputs
from migrate.archive.merge.journal import JournalMerge
from migrate.archive.merge.shards import (
    ShardedReading,
    ShardJoiner,
    SnapshotKey,
    SnapshotRow,
    is_joined_snapshot,
    is_shard_snapshot,
    sharded_readings,
)
from migrate.archive.snapshots.writer import next_snapshot_number, reserve_snapshot_numbers
from migrate.archive.text_index.removal import IndexSweep
from migrate.archive.text_index.schema import has_text_index
from migrate.model.results.archive import InterruptedSnapshot, JoinedSnapshot, MergeResult


def renumber_snapshots(conn: sqlite3.Connection) -> dict[int, int]:
    """Give a new number to each snapshot that is older than a snapshot with a lower number of the same
    estate, and return old number -> new number. New numbers were never used, so no number gets another
    meaning."""
    rows = conn.execute("SELECT endpoint_id, id FROM snapshots ORDER BY endpoint_id, started_at, id")
    moved: dict[int, int] = {}
    next_number = next_snapshot_number(conn)
    for _, group in groupby(rows.fetchall(), key=lambda row: row[0]):
        last = 0
        for _, number in group:
            if number < last:
                moved[number] = last = next_number
                next_number += 1
            last = max(last, number)
    if moved:  # only now: with it, SQLite would scan all listings for each new row of other tables
        conn.execute("PRAGMA defer_foreign_keys = ON")
    for old, new in moved.items():
        conn.execute("UPDATE snapshots SET id = ? WHERE id = ?", (new, old))
        for table in ("listed", "missing", *(("indexed_snapshots",) if has_text_index(conn) else ())):
            conn.execute(f"UPDATE {table} SET snapshot_id = ? WHERE snapshot_id = ?", (new, old))
    # A number is never used again, even where its snapshot has another number now.
    reserve_snapshot_numbers(conn)
    return moved


CountMerged = Callable[[str, int], None]


def merge_archives(
    target: Archive, inputs: MergeInputs, count: CountMerged = lambda what, number: None
) -> MergeResult:
    """Merge the inputs into an open archive."""
    with target.transaction():
        return _Merge(target, inputs, count).run()


class _Merge:
    def __init__(self, target: Archive, inputs: MergeInputs, count: CountMerged) -> None:
        self.target, self.conn = target, target.conn
        self.inputs, self.count = inputs, count
        self.new_bodies = 0
        self.blobs, self.journal = BlobMerge(self.conn), JournalMerge(self.conn)

    def run(self) -> MergeResult:
        target_rows = read_snapshot_rows(self.conn, TARGET_ARCHIVE)
        input_rows = [row for rows in self.inputs.read_each(self._survey) for row in rows]
        new = self._new_snapshots(target_rows, input_rows)
        readings = sharded_readings(target_rows + input_rows)
        joined = {row.key: row.id for row in target_rows if is_joined_snapshot(row)}
        outdated = [number for key, number in joined.items() if key not in {r.key for r in readings}]
        new_readings = [reading for reading in readings if reading.key not in joined]
        numbers = self._insert_snapshots([*new.values(), *new_readings])
        joiners = [ShardJoiner(self.conn, reading, numbers[reading.key]) for reading in new_readings]
        for joiner in joiners:
            joiner.add_archive(TARGET_ARCHIVE, self._copier(self.conn, self.target.path))
        files = sum(
            self.inputs.read_each(lambda n, archive: self._copy(n, archive, new.values(), numbers, joiners))
        )
        for joiner in joiners:
            joiner.finish()
        bytes_replaced = self.blobs.link()
        if outdated or bytes_replaced:
            self._delete_snapshots(outdated)
        moved = renumber_snapshots(self.conn)
        final = {key: moved.get(number, number) for key, number in {**joined, **numbers}.items()}
        return MergeResult(
            tuple(sorted(final[key] for key in numbers)),
            tuple(_joined_snapshot(reading, final[reading.key]) for reading in readings),
            self._interrupted(target_rows, input_rows),
            self.new_bodies,
            files,
            self.journal.write(),
            len(moved.keys() - set(numbers.values())),
        )

    def _interrupted(
        self, target_rows: list[SnapshotRow], input_rows: list[SnapshotRow]
    ) -> tuple[InterruptedSnapshot, ...]:
        """Interrupted snapshots of the inputs that no archive has finished."""
        finished = {row.start_key for row in target_rows + input_rows if row.state != "reading"}
        return tuple(
            InterruptedSnapshot(str(self.inputs.paths[row.source - 1]), row.id, row.url)
            for row in input_rows
            if row.state == "reading" and row.start_key not in finished
        )

    def _new_snapshots(
        self, target_rows: list[SnapshotRow], input_rows: list[SnapshotRow]
    ) -> dict[SnapshotKey, SnapshotRow]:
        """Snapshots that will be copied. Of equal ones, the one that added more is used: its archive had less
        before it. A row of the target gets the higher numbers too."""
        by_key = {row.key: row for row in target_rows}
        new: dict[SnapshotKey, SnapshotRow] = {}
        for row in input_rows:
            if row.state == "reading" or is_shard_snapshot(row) or is_joined_snapshot(row):
                continue
            same = by_key.get(row.key)
            if same is None:
                new[row.key] = max(new.get(row.key, row), row, key=_added)
            elif _added(row) > _added(same):
                by_key[row.key] = replace(same, bodies_added=row.bodies_added, bytes_added=row.bytes_added)
                self.conn.execute(
                    "UPDATE snapshots SET bodies_added = ?, bytes_added = ? WHERE id = ?",
                    (*_added(row), same.id),
                )
        return new

    def _survey(self, number: int, archive: Archive) -> list[SnapshotRow]:
        self.blobs.collect(number, archive.conn)
        self.journal.collect(archive.conn)
        return read_snapshot_rows(archive.conn, number)

    def _insert_snapshots(self, rows: Iterable[SnapshotRow | ShardedReading]) -> dict[SnapshotKey, int]:
        """Insert rows of new snapshots, numbered in the order in which they started, and return their
        numbers."""
        first = next_snapshot_number(self.conn)
        numbers: dict[SnapshotKey, int] = {}
        for number, row in enumerate(sorted(rows, key=lambda row: (row.started_at, row.key)), first):
            numbers[row.key] = number
            self.conn.execute(
                "INSERT INTO snapshots (id, endpoint_id, tag, state, started_at, finished_at, api_version, "
                "tool_version, options, bodies_added, bytes_added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, self.blobs.endpoint(row.type, row.url), row.tag or None, row.state, row.started_at,
                 row.finished_at, row.api_version, row.tool_version, row.options, *_added(row)),
            )  # fmt: skip
        return numbers

    def _copy(
        self,
        number: int,
        archive: Archive,
        new: Iterable[SnapshotRow],
        numbers: dict[SnapshotKey, int],
        joiners: list[ShardJoiner],
    ) -> int:
        """Copy everything that is new in one input, and return of how many files the bytes were new."""
        copier = self._copier(archive.conn, archive.path)
        for row in (row for row in new if row.source == number):
            target_snapshot = numbers[row.key]
            copier.copy_listings(row.id, target_snapshot)
            copier.copy_missing(row.id, target_snapshot)
            copier.check_digest(self.conn, target_snapshot, row.id, row.digest)
            self.conn.execute(
                "UPDATE snapshots SET digest = ?, shown = ? WHERE id = ?",
                (row.digest, copier.read_shown(row.id), target_snapshot),
            )
            self.count("snapshot", 1)
        for joiner in joiners:
            joiner.add_archive(number, copier)
        return self.blobs.copy(number, copier)

    def _copier(self, source: sqlite3.Connection, path: Path) -> Copier:
        return Copier(source, self.target, path, self._count_bodies)

    def _count_bodies(self, number: int) -> None:
        self.new_bodies += number
        self.count("object", number)

    def _delete_snapshots(self, snapshots: list[int]) -> None:
        """Remove joined snapshots that were replaced by better ones, and everything that is not used any
        more."""
        self.conn.executemany("DELETE FROM snapshots WHERE id = ?", [(number,) for number in snapshots])
        index = IndexSweep(self.conn)
        sweep_listings(self.target, index)
        sweep_blobs(self.conn, index)
        index.finish()


def _added(row: SnapshotRow | ShardedReading) -> tuple[int, int]:
    return row.bodies_added, row.bytes_added


def _joined_snapshot(reading: ShardedReading, number: int) -> JoinedSnapshot:
    partial = tuple(n for n, place in sorted(reading.places.items()) if place.part.state != "complete")
    return JoinedSnapshot(
        number, reading.tag, reading.url, reading.shard_count, reading.state, reading.missing, partial
    )


def read_snapshot_rows(conn: sqlite3.Connection, source: int) -> list[SnapshotRow]:
    """The snapshots of an archive, with the state of their list of threads."""
    rows = conn.execute(
        "SELECT n.id, e.type, e.url, coalesce(n.tag, ''), n.state, n.started_at, "
        "coalesce(n.finished_at, ''), n.api_version, n.tool_version, n.options, coalesce(n.digest, ''), "
        "coalesce(n.bodies_added, 0), coalesce(n.bytes_added, 0), coalesce(s.state, ''), "
        "coalesce(s.reason, '') FROM snapshots n "
        "JOIN endpoints e ON e.id = n.endpoint_id LEFT JOIN scopes s ON s.snapshot_id = n.id "
        "AND s.kind = 'thread' AND s.parent_id = '' ORDER BY n.id"
    )
    return [SnapshotRow(source, *row) for row in rows]
