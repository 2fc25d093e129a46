"""Listings of one archive into another: what is there already, by its hash, is not copied.

A few hundred rows at a time, so memory stays flat; every body is compared with its hash on the way.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from migrate.errors import ArchiveDamaged

BATCH = 400


class Copier:
    """Copies from one connection to another, or within one. `count` hears of new bodies."""

    def __init__(
        self, source: sqlite3.Connection, target: sqlite3.Connection, path: Path, count: Callable[[int], None]
    ) -> None:
        self.source, self.target, self.path = source, target, path
        self._count = count

    def scopes(
        self, snapshot: int, into: int, kept: Callable[[str, str], bool] = lambda kind, parent: True
    ) -> None:
        """The listings of a snapshot of which `kept` says yes to kind and parent."""
        rows = self.source.execute(
            "SELECT s.kind, s.parent_id, s.manifest_id, m.sha, s.state, s.reason FROM scopes s "
            "JOIN manifests m ON m.id = s.manifest_id WHERE s.snapshot_id = ? ORDER BY 1, 2",
            (snapshot,),
        )
        while some := rows.fetchmany(BATCH):
            self.target.executemany(
                "INSERT INTO scopes (snapshot_id, kind, parent_id, manifest_id, state, reason) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (into, kind, parent, self.listing(manifest, sha), state, reason)
                    for kind, parent, manifest, sha, state, reason in some
                    if kept(kind, parent)
                ],
            )

    def listing(self, manifest: int, sha: bytes) -> int:
        """The number of a listing in the target; copied if it is not there."""
        held = self.target.execute("SELECT id FROM manifests WHERE sha = ?", (sha,)).fetchone()
        if held:
            return int(held[0])
        number = int(self.target.execute("INSERT INTO manifests (sha) VALUES (?)", (sha,)).lastrowid or 0)
        digest = hashlib.sha256()
        rows = self.source.execute(
            "SELECT e.ordinal, b.id, b.sha FROM entries e JOIN bodies b ON b.id = e.body_id "
            "WHERE e.manifest_id = ? ORDER BY e.ordinal",
            (manifest,),
        )
        while some := rows.fetchmany(BATCH):
            numbers = self.bodies([(body, body_sha) for _, body, body_sha in some])
            self.target.executemany(
                "INSERT INTO entries VALUES (?, ?, ?)",
                [(number, ordinal, numbers[body_sha]) for ordinal, _, body_sha in some],
            )
            for _, _, body_sha in some:
                digest.update(body_sha)
        if digest.digest() != sha:
            raise self.damaged("a listing does not agree with its hash")
        return number

    def bodies(self, wanted: Sequence[tuple[int, bytes]]) -> dict[bytes, int]:
        """Hash -> number in the target of some bodies, given by number in the source and hash."""
        held = self._held(sha for _, sha in wanted)
        lacking = {body: sha for body, sha in wanted if sha not in held}
        if lacking:
            marks = ",".join("?" * len(lacking))
            rows = self.source.execute(
                f"SELECT sha, kind, object_id, body FROM bodies WHERE id IN ({marks}) ORDER BY id",
                list(lacking),
            ).fetchall()
            for sha, kind, object_id, text in rows:
                if hashlib.sha256(f"{kind}\0{text}".encode()).digest() != sha:
                    raise self.damaged(f"{kind} {object_id} does not agree with its hash")
            self.target.executemany(
                "INSERT OR IGNORE INTO bodies (sha, kind, object_id, body) VALUES (?, ?, ?, ?)", rows
            )
            self._count(len(rows))
            held.update(self._held(lacking.values()))
        return held

    def blob(self, sha: bytes) -> int:
        """The number of stored bytes in the target; copied if they are not there."""
        held = self.target.execute("SELECT id FROM blobs WHERE sha = ?", (sha,)).fetchone()
        if held:
            return int(held[0])
        row = self.source.execute("SELECT id, size FROM blobs WHERE sha = ?", (sha,)).fetchone()
        number = int(self.target.execute("INSERT INTO blobs DEFAULT VALUES").lastrowid or 0)
        digest = hashlib.sha256()
        for ordinal, data in self.source.execute(
            "SELECT ordinal, data FROM chunks WHERE blob_id = ? ORDER BY ordinal", (row[0],)
        ):
            self.target.execute("INSERT INTO chunks VALUES (?, ?, ?)", (number, ordinal, data))
            digest.update(data)
        if digest.digest() != sha:
            raise self.damaged("the bytes of a file do not agree with their hash")
        self.target.execute("UPDATE blobs SET sha = ?, size = ? WHERE id = ?", (sha, row[1], number))
        return number

    def damaged(self, why: str) -> ArchiveDamaged:
        """What is not as it was written."""
        return ArchiveDamaged(
            f"{self.path} is damaged, or was changed while it was read", why, f"run: check {self.path}"
        )

    def _held(self, shas: Iterable[bytes]) -> dict[bytes, int]:
        wanted = list(dict.fromkeys(shas))
        marks = ",".join("?" * len(wanted))
        return dict(self.target.execute(f"SELECT sha, id FROM bodies WHERE sha IN ({marks})", wanted))
