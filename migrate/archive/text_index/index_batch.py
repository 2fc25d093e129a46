"""What is added to the index in one transaction, as rows.

Each table gets its rows by few statements: SQLite releases the interpreter lock of Python while a statement
runs, so another thread can prepare the next batch meanwhile. For a statement that has one row it would be
released and taken back once for each row, and each time the other thread may keep it for 5 ms.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from migrate.archive.text_index.segment_times import pack_times
from migrate.model.index_words import IndexColumns

# Parameters that one statement may have.
MAX_PARAMETERS = 30_000 if sqlite3.sqlite_version_info >= (3, 32) else 999
# All texts and names are one value, and each is a part of it, by the place of its first byte and its length:
# SQLite ends a JSON string at its first NUL.
WORDS_SQL = (
    "INSERT INTO text_words (rowid, text, name) SELECT json_extract(value, '$[0]'), "
    "CAST(substr(:texts, json_extract(value, '$[1]'), json_extract(value, '$[2]')) AS TEXT), "
    "CAST(substr(:texts, json_extract(value, '$[3]'), json_extract(value, '$[4]')) AS TEXT) "
    "FROM json_each(:documents)"
)


class SegmentDraft:
    """Documents of neighbours in a pack that will be one segment. `columns`: of each document, None where it
    has no words."""

    def __init__(self, pack: int, place: int) -> None:
        self.pack, self.place = pack, place
        self.columns: list[IndexColumns | None] = []
        self.times: list[int] = []

    @property
    def end(self) -> int:
        return self.place + len(self.times)


class IndexBatch:
    """Rows of the tables of an index. `next_document`: the number that the next document will have; `number`:
    that of the batch in its order.

    `objects` are those for which there is a number, `documents` those that have words; `threads` are those of
    which everything is in this batch or an earlier one, `found_threads` those that will follow. `characters`:
    of texts as objects have them, `text_bytes` as the index gets them."""

    def __init__(self, next_document: int, number: int = 1) -> None:
        self.next_document, self.number = next_document, number
        self.objects = self.threads = self.found_threads = self.characters = 0
        self.segments: list[tuple[Any, ...]] = []
        self.summaries: list[tuple[Any, ...]] = []
        self.assistants: list[tuple[str, int]] = []
        self.pairs: list[tuple[str, str, int]] = []
        # Of each document: its number, then first byte, counted from 1, and length of its text and of its
        # name. Without a name the length is None, and SQLite makes NULL of it.
        self._documents: list[tuple[int, int, int | None, int, int | None]] = []
        self._texts = bytearray()

    @property
    def documents(self) -> int:
        return len(self._documents)

    @property
    def text_bytes(self) -> int:
        return len(self._texts)

    @property
    def is_empty(self) -> bool:
        return not (self.objects or self.threads or self.summaries)

    def add_segment(self, kind: int, parent_id: int, draft: SegmentDraft) -> None:
        """Give numbers to the documents of a segment."""
        known = [at for at in draft.times if at]
        oldest, newest = (min(known), max(known)) if known else (0, 0)
        times = pack_times(draft.times, oldest)
        first, count = self.next_document, len(draft.times)
        self.segments.append((first, count, kind, parent_id, draft.pack, draft.place, oldest, newest, times))
        for number, columns in enumerate(draft.columns, first):
            if columns:
                self._documents.append((number, *self._add_text(columns[0]), *self._add_text(columns[1])))
        self.next_document += count
        self.objects += count

    def _add_text(self, text: str | None) -> tuple[int, int | None]:
        """Its first byte and its length."""
        first, added = len(self._texts) + 1, None if text is None else text.encode()
        self._texts += added or b""
        return first, None if added is None else len(added)

    def write(self, conn: sqlite3.Connection) -> None:
        """Add all rows. Called inside a transaction."""
        _insert(conn, "INSERT INTO text_segments VALUES", self.segments)
        _insert(conn, "INSERT INTO thread_summaries VALUES", self.summaries)
        _insert(conn, "INSERT OR IGNORE INTO thread_assistants VALUES", self.assistants)
        _insert(conn, "INSERT OR IGNORE INTO metadata_pairs VALUES", self.pairs)
        if self._documents:
            conn.execute(WORDS_SQL, {"texts": self._texts, "documents": json.dumps(self._documents)})


def _insert(conn: sqlite3.Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows, as many of them as possible by one statement."""
    if not rows:
        return
    marks = f"({','.join('?' * len(rows[0]))})"
    step = MAX_PARAMETERS // len(rows[0])
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        conn.execute(f"{sql} {','.join([marks] * len(part))}", [value for row in part for value in row])
