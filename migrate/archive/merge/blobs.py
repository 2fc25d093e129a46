"""The bytes that archives have of each file in, the best of them out: downloaded, else given, else parsed."""

from __future__ import annotations

import sqlite3

from migrate.archive.merge.copy import BATCH, Copier
from migrate.archive.merge.shards import HERE
from migrate.model.file import DOWNLOAD, ORIGINAL, PARSED

WORTH = {DOWNLOAD: 3, ORIGINAL: 2, PARSED: 1}


class OfferedBytes:
    """Collects what every archive has, then copies the best of it."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._endpoints: dict[tuple[str, str], int] = {}
        conn.execute("DROP TABLE IF EXISTS temp.offered")
        conn.execute(
            "CREATE TEMP TABLE offered (endpoint INTEGER, file_id TEXT, worth INTEGER, fetched TEXT, "
            "sha BLOB, origin TEXT, source INTEGER, PRIMARY KEY (endpoint, file_id)) WITHOUT ROWID"
        )
        self.read(HERE, conn)

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
        while some := rows.fetchmany(BATCH):
            self._conn.executemany(
                "INSERT INTO offered VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "worth = excluded.worth, fetched = excluded.fetched, sha = excluded.sha, "
                "origin = excluded.origin, source = excluded.source WHERE (excluded.worth, excluded.fetched, "
                "excluded.sha) > (worth, fetched, sha)",
                [
                    (self.endpoint(type_, url), file_id, WORTH.get(origin, 0), fetched, sha, origin, source)
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
            (HERE,),
        )
        return bool(gone)
