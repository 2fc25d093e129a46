"""A listing or a snapshot in, its fingerprint out: equal ones hold the same, in the same order."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable


def snapshot_digest(conn: sqlite3.Connection, snapshot: int) -> str:
    """A fingerprint of everything a snapshot holds: each listing, its state and its content."""
    digest = hashlib.sha256()
    for row in conn.execute(
        "SELECT s.kind, s.parent_id, s.state, hex(m.sha) "
        "FROM scopes s JOIN manifests m ON m.id = s.manifest_id "
        "WHERE s.snapshot_id = ? ORDER BY 1, 2",
        (snapshot,),
    ):
        digest.update("\0".join(map(str, row)).encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()


def of_shas(shas: Iterable[bytes]) -> bytes:
    """The hash of a listing: of its bodies' hashes, in order."""
    digest = hashlib.sha256()
    for sha in shas:
        digest.update(sha)
    return digest.digest()
