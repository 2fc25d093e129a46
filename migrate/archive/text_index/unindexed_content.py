"""What the index does not have yet of a snapshot: states of threads, bodies of listings, texts of files.

Everything is found in a fixed order. So a program that was killed and continues gives each document the
number that it would have had.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.hashes import body_id
from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.snapshots.listings import root_manifest
from migrate.archive.text_index.documents import THREAD_KINDS, parse_object
from migrate.model.thread_summary import whole_seconds

BATCH_ROWS = 1_000
# Kinds outside of threads, in the order in which they are indexed.
KINDS_OUTSIDE_THREADS = ("vector_store_file", "vector_store", "file", "assistant")
# Table of the threads of one snapshot whose state is not indexed. It is in a temporary file of SQLite: there
# may be a million.
PENDING_SQL = """CREATE TEMP TABLE pending_threads (
    id INTEGER PRIMARY KEY, body INTEGER NOT NULL DEFAULT 0, parent_id INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0, runs INTEGER NOT NULL DEFAULT 0,
    run_steps INTEGER NOT NULL DEFAULT 0, newest_at INTEGER NOT NULL DEFAULT 0)"""


class ThreadState(NamedTuple):
    """A thread in one state: number of its body, and numbers of the contents of its listings; each 0 where it
    has none. `newest_at`: seconds since 1970 by which it is sorted."""

    body: int
    parent_id: int
    messages: int
    runs: int
    run_steps: int
    newest_at: int


class PendingListing(NamedTuple):
    """A listing of which some bodies may not be indexed."""

    kind: str
    parent_id: int
    manifest: int


class PendingFile(NamedTuple):
    """A file whose bytes are not indexed yet. `previous`: its row in `text_files`, if other bytes are."""

    endpoint: int
    file_id: str
    blob: int
    previous: int


def kind_number(conn: sqlite3.Connection, kind: str) -> int:
    """The number of a kind in this archive; 0 where it has none of it."""
    return first_value(conn, "SELECT id FROM kinds WHERE name = ?", (kind,), 0)


def parent_number(conn: sqlite3.Connection, parent: str) -> int:
    """The number of a parent in this archive; 0 where it has none of this id."""
    return first_value(conn, "SELECT id FROM parents WHERE object_id = ?", (parent,), 0)


def find_pending_threads(
    conn: sqlite3.Connection, snapshot: int, bodies: BodyReader, check_stopped: Callable[[], None]
) -> int:
    """Fill the table of threads whose state is not indexed, and return their number. `check_stopped` is
    called often, and may raise."""
    conn.execute("DROP TABLE IF EXISTS temp.pending_threads")
    conn.execute(PENDING_SQL)
    kinds = [kind_number(conn, kind) for kind in THREAD_KINDS]
    conn.execute(
        "INSERT INTO pending_threads (parent_id, messages, runs, run_steps) SELECT parent_id, "
        + ", ".join(["total(manifest_id * (kind_id = ?))"] * len(kinds))
        + " FROM listed WHERE snapshot_id = ? AND kind_id IN (?, ?, ?) GROUP BY parent_id",
        (*kinds, snapshot, *kinds),
    )
    conn.execute("CREATE INDEX temp.pending_parent ON pending_threads (parent_id)")
    conn.execute("CREATE UNIQUE INDEX temp.pending_body ON pending_threads (body) WHERE body > 0")
    for number, text in bodies.listing(root_manifest(conn, snapshot, "thread")):
        check_stopped()
        _add_thread(conn, number, text)
    conn.execute(
        "DELETE FROM pending_threads WHERE EXISTS (SELECT 1 FROM thread_summaries t "
        "WHERE t.body = pending_threads.body AND t.parent_id = pending_threads.parent_id "
        "AND t.messages = pending_threads.messages AND t.runs = pending_threads.runs "
        "AND t.run_steps = pending_threads.run_steps)"
    )
    _read_times(conn, bodies, check_stopped)
    conn.execute("CREATE INDEX temp.pending_order ON pending_threads (newest_at, parent_id, body)")
    return int(conn.execute("SELECT count(*) FROM pending_threads").fetchone()[0])


def _add_thread(conn: sqlite3.Connection, number: int, text: str) -> None:
    known = conn.execute(
        "SELECT parent_id FROM thread_summaries WHERE body = ? LIMIT 1", (number,)
    ).fetchone()
    if known is None or not known[0]:
        body = parse_object(text)
        id_ = body_id(body) if body else ""
        known = conn.execute("SELECT id FROM parents WHERE object_id = ?", (id_,)).fetchone() if id_ else None
    parent = known[0] if known else 0
    row = conn.execute(
        "SELECT id, body, messages, runs, run_steps FROM pending_threads WHERE parent_id = ? LIMIT 1",
        (parent,),
    ).fetchone()
    if parent and row and not row[1]:
        conn.execute("UPDATE pending_threads SET body = ? WHERE id = ?", (number, row[0]))
    else:  # nothing of it was listed; or, from an odd service, the same thread is listed twice
        listings = row[2:] if parent and row else (0, 0, 0)
        conn.execute(
            "INSERT OR IGNORE INTO pending_threads (body, parent_id, messages, runs, run_steps) "
            "VALUES (?, ?, ?, ?, ?)",
            (number, parent, *listings),
        )


def _read_times(conn: sqlite3.Connection, bodies: BodyReader, check_stopped: Callable[[], None]) -> None:
    """Note the time of the newest message of each thread, else its own. Only the first and the last message
    are looked at, in the order of the packs: each pack is unpacked once."""
    end = (
        "SELECT p.id, s.pack_id, {place} FROM pending_threads p JOIN spans s ON s.manifest_id = p.messages "
        "AND s.ordinal = (SELECT {end}(ordinal) FROM spans x WHERE x.manifest_id = p.messages)"
    )
    first = end.format(place="s.place", end="min")
    last = end.format(place="s.place + s.count - 1", end="max")
    own = (
        f"SELECT id, body / {BODIES_PER_PACK}, body % {BODIES_PER_PACK} FROM pending_threads "
        "WHERE body AND NOT newest_at ORDER BY body"
    )
    for sql in (f"{first} UNION ALL {last} ORDER BY 2", own):
        rows = conn.execute(sql)
        while batch := rows.fetchmany(BATCH_ROWS):
            times = []
            check_stopped()
            for id_, pack, place in batch:
                body = parse_object(bodies.pack(pack, place + 1)[1][place])
                times.append((whole_seconds(body) if body else 0, id_))
            conn.executemany("UPDATE pending_threads SET newest_at = max(newest_at, ?) WHERE id = ?", times)


def iter_pending_threads(conn: sqlite3.Connection) -> Iterator[ThreadState]:
    """The threads that `find_pending_threads` found, those with the oldest messages first. No statement stays
    open in between: with one, this connection would not see what another one commits."""
    last: tuple[int, ...] = (-1, -1, -1, -1)
    while batch := conn.execute(
        "SELECT body, parent_id, messages, runs, run_steps, newest_at, id FROM pending_threads "
        "WHERE (newest_at, parent_id, body, id) > (?, ?, ?, ?) "
        "ORDER BY newest_at, parent_id, body, id LIMIT ?",
        (*last, BATCH_ROWS),
    ).fetchall():
        for *state, id_ in batch:
            yield ThreadState(*state)
            last = (state[5], state[1], state[0], id_)


def iter_pending_listings(conn: sqlite3.Connection, snapshot: int) -> Iterator[PendingListing]:
    """Listings outside of threads."""
    for kind in KINDS_OUTSIDE_THREADS:
        rows = conn.execute(
            "SELECT parent_id, manifest_id FROM listed WHERE snapshot_id = ? AND kind_id = ? ORDER BY 1",
            (snapshot, kind_number(conn, kind)),
        ).fetchall()
        for parent, manifest in rows:
            yield PendingListing(kind, parent, manifest)


def iter_pending_files(conn: sqlite3.Connection, endpoint: int) -> Iterator[PendingFile]:
    """Files of an estate with bytes that are not indexed."""
    rows = conn.execute(
        "SELECT c.endpoint_id, c.file_id, c.blob_id, coalesce(t.id, 0) "
        "FROM contents c LEFT JOIN text_files t ON t.endpoint_id = c.endpoint_id AND t.file_id = c.file_id "
        "WHERE c.endpoint_id = ? AND t.blob_id IS NOT c.blob_id ORDER BY c.file_id",
        (endpoint,),
    ).fetchall()
    yield from map(PendingFile._make, rows)


def uncovered_places(
    conn: SqlConnection,
    pack: int,
    parent_id: int,
    place: int,
    count: int,
    unwritten: Iterable[tuple[int, int]] = (),
) -> list[tuple[int, int]]:
    """The parts of a range of a pack that no segment of this parent has: first place and count of each.
    `unwritten`: places and counts of segments that are not in the table yet."""
    segments = conn.execute(
        "SELECT place, count FROM text_segments WHERE pack_id = ? AND parent_id = ?", (pack, parent_id)
    ).fetchall()
    covered: set[int] = set()
    for start, length in chain(segments, unwritten):
        covered.update(range(start, start + length))
    if not covered:
        return [(place, count)]
    parts: list[tuple[int, int]] = []
    for n in range(place, place + count):
        if n not in covered:
            if parts and sum(parts[-1]) == n:
                parts[-1] = (parts[-1][0], parts[-1][1] + 1)
            else:
                parts.append((n, 1))
    return parts
