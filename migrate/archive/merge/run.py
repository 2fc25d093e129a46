"""Merge archives into one that holds everything once, whatever their order.

All of it is one transaction on the archive that is merged into. Snapshots that are the same are one; shards
of one reading become one snapshot; interrupted snapshots are left out, and reported.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from migrate.archive.database import Archive
from migrate.archive.forget import sweep_blobs, sweep_listings
from migrate.archive.hashes import snapshot_digest
from migrate.archive.merge.copy import MERGE_BATCH_ROWS, Copier
from migrate.archive.merge.files import MergeInputs
from migrate.archive.merge.journal import JournalMerge
from migrate.archive.merge.shards import (
    MISSING_COLUMNS,
    TARGET_ARCHIVE,
    ShardedReading,
    ShardJoiner,
    SnapshotKey,
    SnapshotRow,
    is_joined_snapshot,
    is_shard_snapshot,
    sharded_readings,
)
from migrate.model.file import BYTES_FROM_DOWNLOAD, BYTES_FROM_ORIGINAL, BYTES_FROM_PARSED_TEXT
from migrate.model.results.archive import InterruptedSnapshot, JoinedSnapshot, MergeResult

ORIGIN_RANK = {BYTES_FROM_DOWNLOAD: 3, BYTES_FROM_ORIGINAL: 2, BYTES_FROM_PARSED_TEXT: 1}


class BlobMerge:
    """Collects what every archive has, then copies the best of it."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._endpoints: dict[tuple[str, str], int] = {}
        conn.execute("DROP TABLE IF EXISTS temp.offered")
        conn.execute(
            "CREATE TEMP TABLE offered (endpoint INTEGER, file_id TEXT, worth INTEGER, fetched TEXT, "
            "sha BLOB, origin TEXT, source INTEGER, PRIMARY KEY (endpoint, file_id)) WITHOUT ROWID"
        )
        self.read(TARGET_ARCHIVE, conn)

    def endpoint(self, type_: str, url: str) -> int:
        """The number of an estate in the target."""
        if (type_, url) not in self._endpoints:
            self._conn.execute("INSERT OR IGNORE INTO endpoints (type, url) VALUES (?, ?)", (type_, url))
            row = self._conn.execute("SELECT id FROM endpoints WHERE type = ? AND url = ?", (type_, url))
            self._endpoints[(type_, url)] = int(row.fetchone()[0])
        return self._endpoints[(type_, url)]

    def read(self, source: int, conn: sqlite3.Connection) -> None:
        """Note what one archive has."""
        rows = conn.execute(
            "SELECT e.type, e.url, c.file_id, c.origin, c.fetched_at, b.sha FROM contents c "
            "JOIN endpoints e ON e.id = c.endpoint_id JOIN blobs b ON b.id = c.blob_id"
        )
        while some := rows.fetchmany(MERGE_BATCH_ROWS):
            self._conn.executemany(
                "INSERT INTO offered VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "worth = excluded.worth, fetched = excluded.fetched, sha = excluded.sha, "
                "origin = excluded.origin, source = excluded.source WHERE (excluded.worth, excluded.fetched, "
                "excluded.sha) > (worth, fetched, sha)",
                [
                    (
                        self.endpoint(type_, url),
                        file_id,
                        ORIGIN_RANK.get(origin, 0),
                        fetched,
                        sha,
                        origin,
                        source,
                    )
                    for type_, url, file_id, origin, fetched, sha in some
                ],
            )

    def copy(self, source: int, copier: Copier) -> int:
        """Take what is best in one archive; how many of it the target had not."""
        rows = self._conn.execute(
            "SELECT DISTINCT sha FROM offered WHERE source = ? AND sha NOT IN (SELECT sha FROM blobs) "
            "ORDER BY sha",
            (source,),
        ).fetchall()
        for (sha,) in rows:
            copier.blob(sha)
        return len(rows)

    def settle(self) -> bool:
        """Say whose bytes they are. Whether anything was there that gave way to something better."""
        gone = self._conn.execute(
            "SELECT count(*) FROM contents c JOIN blobs b ON b.id = c.blob_id JOIN offered o "
            "ON o.endpoint = c.endpoint_id AND o.file_id = c.file_id WHERE o.sha != b.sha"
        ).fetchone()[0]
        self._conn.execute(
            "INSERT OR REPLACE INTO contents SELECT o.endpoint, o.file_id, b.id, o.origin, o.fetched "
            "FROM offered o JOIN blobs b ON b.sha = o.sha WHERE o.source != ?",
            (TARGET_ARCHIVE,),
        )
        return bool(gone)


def next_snapshot_number(conn: sqlite3.Connection) -> int:
    """One that no snapshot had, a forgotten one neither."""
    noted = conn.execute("PRAGMA user_version").fetchone()[0]
    given = conn.execute("SELECT coalesce(max(id), 0) FROM snapshots").fetchone()[0]
    return max(int(noted), int(given)) + 1


def renumber_snapshots(conn: sqlite3.Connection) -> dict[int, int]:
    """Give new numbers where a snapshot is older than one of a lower number of the same estate: from there
    on, so that an old number never means another snapshot. Old number -> new one."""
    rows = conn.execute("SELECT endpoint_id, id FROM snapshots ORDER BY endpoint_id, started_at, id")
    moved: dict[int, int] = {}
    free = next_snapshot_number(conn)
    for _, group in groupby(rows.fetchall(), key=lambda row: row[0]):
        last = 0
        for _, number in group:
            if number < last:
                moved[number] = last = free
                free += 1
            last = max(last, number)
    if moved:  # not before: while it is on, each new row of another table would look through all listings
        conn.execute("PRAGMA defer_foreign_keys = ON")
    for old, new in moved.items():
        conn.execute("UPDATE snapshots SET id = ? WHERE id = ?", (new, old))
        for table in ("listed", "missing"):
            conn.execute(f"UPDATE {table} SET snapshot_id = ? WHERE snapshot_id = ?", (new, old))
    # What was given stays given, even to a snapshot that has another number now.
    conn.execute(f"PRAGMA user_version = {next_snapshot_number(conn) - 1}")
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
        self.bodies_new = 0
        self.offered, self.journal = BlobMerge(self.conn), JournalMerge(self.conn)

    def run(self) -> MergeResult:
        here = read_snapshot_rows(self.conn, TARGET_ARCHIVE)
        there = [line for found in self.inputs.each(self._survey) for line in found]
        finished = {(x.type, x.url, x.started_at, x.options) for x in here + there if x.state != "reading"}
        left_out = [
            InterruptedSnapshot(str(self.inputs.paths[x.source - 1]), x.id, x.url)
            for x in there
            if x.state == "reading" and (x.type, x.url, x.started_at, x.options) not in finished
        ]
        new = self._new(here, there)
        groups = sharded_readings(here + there)
        held = {x.key: x.id for x in here if is_joined_snapshot(x)}
        wanted = [group for group in groups if group.key not in held]
        numbers = self._begin(new.values(), wanted)
        old = [number for key, number in held.items() if key not in {group.key for group in groups}]
        joiners = [ShardJoiner(self.conn, group, numbers[group.key]) for group in wanted]
        for joiner in joiners:
            joiner.gather(TARGET_ARCHIVE, self._copier(self.conn, self.target.path))
        files = sum(self.inputs.each(lambda n, a: self._copy(n, a, list(new.values()), numbers, joiners)))
        for joiner in joiners:
            joiner.finish()
        replaced = self.offered.settle()
        if old or replaced:
            self._drop(old)
        moved = renumber_snapshots(self.conn)
        places = {**held, **numbers}
        joined = tuple(_joined_snapshot(g, moved.get(places[g.key], places[g.key])) for g in groups)
        added = tuple(sorted(moved.get(number, number) for number in numbers.values()))
        renumbered = len(moved.keys() - set(numbers.values()))
        return MergeResult(
            added, joined, tuple(left_out), self.bodies_new, files, self.journal.settle(), renumbered
        )

    def _new(self, here: list[SnapshotRow], there: list[SnapshotRow]) -> dict[SnapshotKey, SnapshotRow]:
        """Snapshots that are to be copied. Of equal ones the larger count of what it added is kept: it is
        that of the archive which had less before."""
        known = {line.key: line for line in here}
        new: dict[SnapshotKey, SnapshotRow] = {}
        for line in there:
            if line.state == "reading" or is_shard_snapshot(line) or is_joined_snapshot(line):
                continue
            held = known.get(line.key)
            if held is None:
                new[line.key] = max(new.get(line.key, line), line, key=_added)
            elif _added(line) > _added(held):
                known[line.key] = replace(held, bodies_added=line.bodies_added, bytes_added=line.bytes_added)
                self.conn.execute(
                    "UPDATE snapshots SET bodies_added = ?, bytes_added = ? WHERE id = ?",
                    (*_added(line), held.id),
                )
        return new

    def _survey(self, number: int, archive: Archive) -> list[SnapshotRow]:
        self.offered.read(number, archive.conn)
        self.journal.read(archive.conn)
        return read_snapshot_rows(archive.conn, number)

    def _begin(
        self, plain: Iterable[SnapshotRow], groups: Iterable[ShardedReading]
    ) -> dict[SnapshotKey, int]:
        """Rows for what is new, numbered by start; number by identity or by options."""
        rows: list[SnapshotRow | ShardedReading] = [*plain, *groups]
        first = next_snapshot_number(self.conn)
        numbers: dict[SnapshotKey, int] = {}
        for number, row in enumerate(sorted(rows, key=lambda row: (row.started_at, row.key)), first):
            numbers[row.key] = number
            self.conn.execute(
                "INSERT INTO snapshots (id, endpoint_id, tag, state, started_at, finished_at, api_version, "
                "tool_version, options, bodies_added, bytes_added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, self.offered.endpoint(row.type, row.url), row.tag or None, row.state, row.started_at,
                 row.finished_at, *_of_reading(row)),
            )  # fmt: skip
        return numbers

    def _copy(
        self,
        number: int,
        archive: Archive,
        new: list[SnapshotRow],
        numbers: dict[SnapshotKey, int],
        joiners: list[ShardJoiner],
    ) -> int:
        """Everything that is wanted of one input; how many files' bytes were new."""
        copier = self._copier(archive.conn, archive.path)
        for line in (line for line in new if line.source == number):
            into = numbers[line.key]
            copier.scopes(line.id, into)
            missing = archive.conn.execute(
                f"SELECT {MISSING_COLUMNS} FROM missing WHERE snapshot_id = ?",
                (line.id,),
            )
            self.conn.executemany(
                f"INSERT INTO missing (snapshot_id, {MISSING_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((into, *row) for row in missing),
            )
            if snapshot_digest(self.conn, into) != line.digest:
                raise copier.damaged(f"snapshot {line.id} does not agree with its fingerprint")
            shown = archive.conn.execute("SELECT shown FROM snapshots WHERE id = ?", (line.id,)).fetchone()
            row = (line.digest, *shown, into)
            self.conn.execute("UPDATE snapshots SET digest = ?, shown = ? WHERE id = ?", row)
            self.count("snapshot", 1)
        for joiner in joiners:
            joiner.gather(number, copier)
        return self.offered.copy(number, copier)

    def _copier(self, source: sqlite3.Connection, path: Path) -> Copier:
        return Copier(source, self.target, path, self._new_bodies)

    def _new_bodies(self, number: int) -> None:
        self.bodies_new += number
        self.count("object", number)

    def _drop(self, snapshots: list[int]) -> None:
        """Joined snapshots whose place a better one took, and whatever nothing names any more."""
        self.conn.executemany("DELETE FROM snapshots WHERE id = ?", [(number,) for number in snapshots])
        sweep_listings(self.target)
        sweep_blobs(self.conn)


def _added(line: SnapshotRow) -> tuple[int, int]:
    return line.bodies_added, line.bytes_added


def _of_reading(row: SnapshotRow | ShardedReading) -> tuple[object, ...]:
    if isinstance(row, SnapshotRow):
        return row.api_version, row.tool_version, row.options, row.bodies_added, row.bytes_added
    parts = [place.part for place in row.places.values()]
    sums = sum(part.bodies_added for part in parts), sum(part.bytes_added for part in parts)
    return row.newest.api_version, row.newest.tool_version, row.options, *sums


def _joined_snapshot(group: ShardedReading, number: int) -> JoinedSnapshot:
    partial = tuple(n for n, place in sorted(group.places.items()) if place.part.state != "complete")
    return JoinedSnapshot(number, group.tag, group.url, group.of, group.state, group.missing, partial)


def read_snapshot_rows(conn: sqlite3.Connection, source: int) -> list[SnapshotRow]:
    """The snapshots of an archive, with what is known of their list of threads."""
    rows = conn.execute(
        "SELECT n.id, e.type, e.url, coalesce(n.tag, ''), n.state, n.started_at, "
        "coalesce(n.finished_at, ''), n.api_version, n.tool_version, n.options, coalesce(n.digest, ''), "
        "coalesce(n.bodies_added, 0), coalesce(n.bytes_added, 0), coalesce(s.state, ''), "
        "coalesce(s.reason, '') FROM snapshots n "
        "JOIN endpoints e ON e.id = n.endpoint_id LEFT JOIN scopes s ON s.snapshot_id = n.id "
        "AND s.kind = 'thread' AND s.parent_id = '' ORDER BY n.id"
    )
    return [SnapshotRow(source, *row) for row in rows]
