"""Check the full-text index of an archive against its own hash, and against what it was made of.

Counts and coverage are checked completely: every object of a snapshot that is marked as indexed has its
place. Of the documents and the summaries a sample is computed again and compared word by word.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

from migrate.archive.packs import BODIES_PER_PACK, BodyReader
from migrate.archive.text_index.digest import TOTALS_ROW, compute_index_digest, stored_index_digest
from migrate.archive.text_index.documents import (
    FILE_PACK,
    SEGMENT_SQL,
    DocumentColumns,
    DocumentReader,
    Segment,
    parse_object,
)
from migrate.archive.text_index.schema import FTS5_SQL, has_text_index, is_current_format
from migrate.archive.text_index.thread_states import THREAD_IN_SNAPSHOT, ThreadListing
from migrate.archive.text_index.unindexed_content import uncovered_places
from migrate.errors import ArchiveDamaged
from migrate.model.document_texts import read_document
from migrate.model.index_words import document_words
from migrate.model.results.archive import Damage
from migrate.model.thread_summary import ThreadSummary, whole_seconds

# Documents and summaries that are compared, and messages of a thread whose summary is.
SAMPLED_DOCUMENTS, SAMPLED_SUMMARIES, MAX_SUMMARIZED_MESSAGES = 500, 50, 2_000
# Neighbouring words of a document that are looked for at once.
PHRASE_WORDS = 30
REBUILD = "build it again: index --rebuild"

# Number of documents that were compared, and damage.
IndexCheckSteps = Iterator[tuple[int, list[Damage]]]


def describe_unchecked_index(conn: sqlite3.Connection) -> str:
    """Why the index of an archive cannot be checked here, or ''."""
    if not has_text_index(conn):
        return ""
    if conn.execute(FTS5_SQL).fetchone() is None:
        return "the full-text index was not checked: SQLite was built without FTS5"
    if not is_current_format(conn):
        return "the full-text index was not checked: another version wrote it; `index` builds it again"
    return ""


def check_text_index(conn: sqlite3.Connection, seed: int) -> IndexCheckSteps:
    """Check the index, if the archive has one that can be checked here. The same seed chooses the same
    sample."""
    if not has_text_index(conn) or describe_unchecked_index(conn):
        return
    digest = stored_index_digest(conn)
    if digest and digest != compute_index_digest(conn):
        yield 0, [_damage("as a whole", "its rows are not the ones that were stored")]
        return  # of what follows, everything may be wrong
    yield 0, list(_counts(conn))
    yield 0, list(_snapshots(conn))
    generator = random.Random(seed)
    yield from _documents(conn, generator)
    yield 0, list(_summaries(conn, generator))


def _damage(which: str, why: str, *snapshots: int) -> Damage:
    return Damage("full-text index", which, f"{why}; {REBUILD}", snapshots)


def _counts(conn: sqlite3.Connection) -> Iterator[Damage]:
    """Whether the index has as many words as its documents."""
    words = int(conn.execute("SELECT total(cnt) FROM text_vocabulary").fetchone()[0])
    rows, sizes = 0, 0
    for (size,) in conn.execute("SELECT sz FROM text_words_docsize"):
        rows += 1
        sizes += sum(_varints(size))
    if words != sizes:
        yield _damage("as a whole", f"it has {words:,} words, and its documents have {sizes:,}")
    totals = conn.execute("SELECT block FROM text_words_data WHERE id = ?", (TOTALS_ROW,)).fetchone()
    counted, *columns = _varints(totals[0]) if totals and totals[0] else (0,)
    if (counted, sum(columns)) != (rows, sizes):
        yield _damage("as a whole", f"it counts {counted:,} documents with {sum(columns):,} words")
    strays = conn.execute(
        "SELECT count(*) FROM text_words_docsize d WHERE NOT EXISTS (SELECT 1 FROM text_segments g "
        "WHERE g.first = (SELECT max(first) FROM text_segments WHERE first <= d.id) "
        "AND d.id < g.first + g.count)"
    ).fetchone()[0]
    if strays:
        yield _damage("as a whole", f"{strays:,} of its documents belong to no object")


def _varints(data: bytes) -> Iterator[int]:
    """The numbers in a row of sizes: seven bits in each byte, the highest bit where one follows."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            yield number
            number = 0


def _snapshots(conn: sqlite3.Connection) -> Iterator[Damage]:
    """Whether everything of the snapshots that are marked has its place."""
    for (number,) in conn.execute(
        "SELECT snapshot_id FROM indexed_snapshots WHERE snapshot_id NOT IN (SELECT id FROM snapshots)"
    ).fetchall():
        yield _damage(f"of snapshot {number}", "there is no such snapshot")
    marked = (
        "SELECT s.id, s.endpoint_id FROM snapshots s JOIN indexed_snapshots i "
        "ON i.snapshot_id = s.id AND i.digest = s.digest"
    )
    suspects = conn.execute(
        "SELECT k.name, p.object_id, x.parent_id, s.pack_id, s.place, s.count, x.snapshot FROM ("
        "SELECT l.kind_id, l.parent_id, l.manifest_id, min(l.snapshot_id) AS snapshot FROM listed l "
        f"JOIN ({marked}) m ON m.id = l.snapshot_id GROUP BY 1, 2, 3) x "
        "JOIN kinds k ON k.id = x.kind_id AND k.name != 'thread' LEFT JOIN parents p ON p.id = x.parent_id "
        "JOIN spans s ON s.manifest_id = x.manifest_id WHERE NOT EXISTS (SELECT 1 FROM text_segments g "
        "WHERE g.pack_id = s.pack_id AND g.parent_id = x.parent_id AND g.place <= s.place "
        "AND g.place + g.count >= s.place + s.count)"
    ).fetchall()
    for kind, parent, parent_id, pack, place, count, snapshot in suspects:
        if missing := sum(length for _, length in uncovered_places(conn, pack, parent_id, place, count)):
            which = f"{kind} {f'of {parent}' if parent else ''}".strip()
            yield _damage(which, f"{missing:,} objects are missing", snapshot)
    newest = conn.execute(f"SELECT max(id) FROM ({marked}) GROUP BY endpoint_id").fetchall()
    for (snapshot,) in newest:
        yield from _threads(conn, snapshot)
    for (files,) in conn.execute(
        f"SELECT count(*) FROM contents c JOIN (SELECT DISTINCT endpoint_id FROM ({marked})) m "
        "ON m.endpoint_id = c.endpoint_id WHERE NOT EXISTS (SELECT 1 FROM text_files t "
        "WHERE t.endpoint_id = c.endpoint_id AND t.file_id = c.file_id) HAVING count(*)"
    ):
        yield _damage("texts of files", f"{files:,} are missing")


def _threads(conn: sqlite3.Connection, snapshot: int) -> Iterator[Damage]:
    """Whether each thread of a snapshot is in its list."""
    listing = ThreadListing(conn, snapshot)
    listed = len(set(BodyReader(conn).numbers(listing.manifest)))
    found = conn.execute(
        f"SELECT count(DISTINCT t.body) FROM thread_summaries t WHERE t.body AND {THREAD_IN_SNAPSHOT}",
        listing.parameters,
    ).fetchone()[0]
    if found != listed:
        yield _damage("list of threads", f"it has {found:,} of {listed:,} threads", snapshot)


def _documents(conn: sqlite3.Connection, generator: random.Random) -> IndexCheckSteps:
    """Compute a sample of the documents again."""
    reader = DocumentReader(conn)
    last = conn.execute("SELECT max(first + count) - 1 FROM text_segments").fetchone()[0] or 0
    numbers = generator.sample(range(1, last + 1), min(last, SAMPLED_DOCUMENTS))
    for number in sorted(numbers):
        row = conn.execute(
            f"{SEGMENT_SQL} WHERE g.first <= ? ORDER BY g.first DESC LIMIT 1", (number,)
        ).fetchone()
        segment = Segment(*row) if row else None
        if segment is None or number >= segment.first + segment.length:
            continue
        try:
            columns = list(reader.read_columns(segment, [number - segment.first]))
        except (sqlite3.DatabaseError, ValueError, ArchiveDamaged):
            continue  # the body is damaged, and reported as such
        why = _document_fault(conn, number, columns[0] if columns else None)
        yield 1, [_damage(_document_name(segment, number), why)] if why else []


def _document_name(segment: Segment, number: int) -> str:
    if segment.pack == FILE_PACK:
        return f"text of file number {segment.place}"
    return f"{segment.kind} at {segment.place + number - segment.first} of pack {segment.pack}"


def _document_fault(conn: sqlite3.Connection, number: int, columns: DocumentColumns | None) -> str:
    row = conn.execute("SELECT sz FROM text_words_docsize WHERE id = ?", (number,)).fetchone()
    if columns is None:
        return "it has words, and the object has none" if row else ""
    words = [document_words(columns.text), document_words(columns.name or "")]
    if row is None or list(_varints(row[0])) != [len(column) for column in words]:
        return "it has another number of words than the object"
    for name, column in zip(("text", "name"), words, strict=True):
        starts = {0, max(0, len(column) - PHRASE_WORDS), len(column) // 2}
        for start in starts if column else ():
            phrase = " ".join(column[start : start + PHRASE_WORDS])
            found = conn.execute(
                "SELECT 1 FROM text_words WHERE text_words MATCH ? AND rowid = ?",
                (f'{name} : "{phrase}"', number),
            ).fetchone()
            if found is None:
                return "it does not have the words of the object"
    return ""


def _summaries(conn: sqlite3.Connection, generator: random.Random) -> Iterator[Damage]:
    """Compute a sample of the summaries of threads again."""
    bodies = BodyReader(conn)
    last = conn.execute("SELECT max(id) FROM thread_summaries").fetchone()[0] or 0
    for id_ in generator.sample(range(1, last + 1), min(last, SAMPLED_SUMMARIES)):
        row = conn.execute(
            "SELECT messages, runs, body, count, newest_at, oldest_at, first_words, has_files, has_errors "
            "FROM thread_summaries WHERE id = ? AND count <= ?",
            (id_, MAX_SUMMARIZED_MESSAGES),
        ).fetchone()
        if row is None:
            continue
        messages, runs, body, *stored = row
        try:
            computed = _summarize(bodies, messages, runs)
        except (sqlite3.DatabaseError, ValueError):
            continue
        values = (
            computed.count, computed.newest_at, computed.oldest_at, computed.first_words, computed.has_files,
            computed.has_errors,
        )  # fmt: skip
        if values != tuple(stored):
            pack, place = divmod(body, BODIES_PER_PACK)
            yield _damage(
                f"summary of the thread at {place} of pack {pack}", "it is not that of its messages"
            )


def _summarize(bodies: BodyReader, messages: int, runs: int) -> ThreadSummary:
    summary = ThreadSummary()
    for _, text in bodies.listing(messages):
        if (body := parse_object(text)) is not None:
            summary.add_message(body, read_document("message", body), whole_seconds(body))
    for _, text in bodies.listing(runs):
        if (body := parse_object(text)) is not None:
            summary.add_run(body)
    return summary
