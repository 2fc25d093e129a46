"""The threads of one snapshot with their summaries, sorted by the newest message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.snapshots.listings import root_manifest
from migrate.archive.text_index.documents import THREAD_KINDS
from migrate.model.results.text_search import ThreadFilters

# Whether the listings below a thread `t` are those of the snapshot, and whether the snapshot has it in this
# state. The parameters are `ThreadListing.parameters`, of the first without the number of the list.
LISTINGS_IN_SNAPSHOT = " AND ".join(
    f"t.{column} = coalesce((SELECT manifest_id FROM listed WHERE snapshot_id = ? AND kind_id = ? "
    "AND parent_id = t.parent_id), 0)"
    for column in ("messages", "runs", "run_steps")
)
THREAD_IN_SNAPSHOT = (
    "EXISTS (SELECT 1 FROM spans s INDEXED BY spans_pack "
    f"WHERE s.pack_id = t.body / {BODIES_PER_PACK} AND s.manifest_id = ? "
    f"AND s.place <= t.body % {BODIES_PER_PACK} AND s.place + s.count > t.body % {BODIES_PER_PACK}) "
    f"AND {LISTINGS_IN_SNAPSHOT}"
)
SUMMARY_COLUMNS = (
    "t.id, t.body, t.newest_at, t.sorted_at, t.count, t.first_words, t.assistants, t.has_files, t.has_errors"
)
# Up to so many threads that fit a filter are sorted. Where there are more, all are gone through in order.
MAX_SORTED_THREADS = 2_000


class SummaryRow(NamedTuple):
    """The summary of a thread. `body`: number of its body; `messages`: how many it has; times are seconds
    since 1970, 0 where not known; `assistants`: ids as JSON."""

    id: int
    body: int
    newest_at: int
    sorted_at: int
    messages: int
    first_words: str
    assistants: str
    has_files: int
    has_errors: int

    @property
    def assistant_ids(self) -> list[str]:
        ids: list[str] = json.loads(self.assistants)
        return ids


class ThreadListing:
    """The list of threads of a snapshot that the index has."""

    def __init__(self, conn: SqlConnection, snapshot: int) -> None:
        self._conn = conn
        kinds = dict(conn.execute("SELECT name, id FROM kinds").fetchall())
        self.manifest = root_manifest(conn, snapshot, "thread")
        self.parameters: tuple[int, ...] = (
            self.manifest,
            *(number for kind in THREAD_KINDS for number in (snapshot, kinds.get(kind, 0))),
        )

    def sorted_rows(
        self, filters: ThreadFilters, newest_first: bool, after: tuple[int, int] | None = None
    ) -> Iterator[SummaryRow]:
        """Threads by the time of their newest message, behind a pair of that time and a row's number."""
        sql, parameters = _filter_sql(filters)
        conditions = [*sql, THREAD_IN_SNAPSHOT]
        parameters += self.parameters
        order, sign = ("DESC", "<") if newest_first else ("ASC", ">")
        if after is not None:
            conditions.append(f"(t.sorted_at, t.id) {sign} (?, ?)")
            parameters += after
        by = "" if self._is_selective(filters) else "INDEXED BY thread_summaries_sorted "
        rows = self._conn.execute(
            f"SELECT {SUMMARY_COLUMNS} FROM thread_summaries t {by}WHERE {' AND '.join(conditions)} "
            f"ORDER BY t.sorted_at {order}, t.id {order}",
            parameters,
        )
        yield from map(SummaryRow._make, rows)

    def listed_rows(self, filters: ThreadFilters, start: int) -> Iterator[tuple[int, SummaryRow]]:
        """Threads in the order of their listing from a position on, each with its position. All that fit are
        sorted first."""
        sql, parameters = _filter_sql(filters)
        position = f"s.ordinal + t.body % {BODIES_PER_PACK} - s.place"
        conditions = " AND ".join([*sql, LISTINGS_IN_SNAPSHOT, f"{position} >= ?"])
        rows = self._conn.execute(
            f"SELECT {position}, {SUMMARY_COLUMNS} FROM thread_summaries t "
            f"CROSS JOIN spans s INDEXED BY spans_pack ON s.pack_id = t.body / {BODIES_PER_PACK} "
            f"AND s.manifest_id = ? AND s.place <= t.body % {BODIES_PER_PACK} "
            f"AND s.place + s.count > t.body % {BODIES_PER_PACK} WHERE {conditions} ORDER BY 1",
            (self.manifest, *parameters, *self.parameters[1:], start),
        )
        for place, *columns in rows:
            yield place, SummaryRow(*columns)

    def find(self, body: int, filters: ThreadFilters) -> SummaryRow | None:
        """The summary of the thread with this body, if it fits."""
        sql, parameters = _filter_sql(filters)
        conditions = " AND ".join([*sql, THREAD_IN_SNAPSHOT, "t.body = ?"])
        row = self._conn.execute(
            f"SELECT {SUMMARY_COLUMNS} FROM thread_summaries t WHERE {conditions} LIMIT 1",
            (*parameters, *self.parameters, body),
        ).fetchone()
        return SummaryRow(*row) if row else None

    def first_words(self, thread: str) -> str:
        """The first words of the thread with this id, masked; '' where there are none."""
        return first_value(
            self._conn,
            "SELECT t.first_words FROM thread_summaries t INDEXED BY thread_summaries_parent "
            "WHERE t.parent_id = (SELECT id FROM parents WHERE object_id = ?) "
            f"AND {THREAD_IN_SNAPSHOT} LIMIT 1",
            (thread, *self.parameters),
            "",
        )

    def _is_selective(self, filters: ThreadFilters) -> bool:
        """Whether a filter leaves so few threads that sorting them is faster than going through all."""
        for sql, parameters in _selections(filters):
            found = f"SELECT count(*) FROM (SELECT 1 FROM ({sql}) LIMIT {MAX_SORTED_THREADS})"
            if self._conn.execute(found, parameters).fetchone()[0] < MAX_SORTED_THREADS:
                return True
        return False


def sqlite_glob(pattern: str) -> str:
    """A pattern of file names as SQLite writes it."""
    return pattern.replace("[!", "[^")


def _selections(filters: ThreadFilters) -> Iterator[tuple[str, list[object]]]:
    """Statements that select the ids, or the bodies, of threads that fit a filter."""
    if filters.assistant:
        yield "SELECT summary_id FROM thread_assistants WHERE assistant_id = ?", [filters.assistant]
    for key, pattern in filters.meta:
        sql = "SELECT body FROM metadata_pairs WHERE key = ? AND value GLOB ?"
        yield sql, [key, sqlite_glob(pattern)]


def _filter_sql(filters: ThreadFilters) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    parameters: list[object] = []
    for sql, values in _selections(filters):
        column = "t.id" if "summary_id" in sql else "t.body"
        conditions.append(f"{column} IN ({sql})")
        parameters += values
    for column, wanted in (("has_files", filters.has_files), ("has_errors", filters.has_errors)):
        if wanted is not None:
            conditions.append(f"t.{column} = ?")
            parameters.append(int(wanted))
    if filters.after is not None:
        conditions.append("t.sorted_at >= ?")
        parameters.append(max(filters.after, 1))
    if filters.before is not None:
        conditions.append("t.sorted_at BETWEEN 1 AND ?")
        parameters.append(filters.before - 1)
    return conditions, parameters
