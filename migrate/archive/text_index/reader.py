"""Find documents of one snapshot by their words, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import BODY_SHA_BITS, body_key_range
from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.text_index.documents import THREAD_KINDS
from migrate.archive.text_index.segment_times import unpack_time
from migrate.archive.text_index.thread_states import THREAD_IN_SNAPSHOT, ThreadListing, sqlite_glob
from migrate.model import KINDS
from migrate.model.index_words import file_word, kind_word, role_word
from migrate.model.search_query import SearchTerm

# How much more a word in a name counts than one in a text.
NAME_WEIGHT = 8.0
# The beginning of a word must have so many letters to be ranked: of a shorter one there are too many words.
MIN_RANKED_PREFIX = 3
ALL_KINDS = tuple(KINDS)


@dataclass(frozen=True)
class DocumentFilters:
    """Which documents are found. `terms` must all occur, `excluded` must not. The others are empty for any:
    `kinds`; `roles`; `threads`, `assistants` and `files` by their ids; `after` and `before` in seconds since
    1970; `meta` as pairs of a key and a pattern."""

    terms: tuple[SearchTerm, ...] = ()
    excluded: tuple[SearchTerm, ...] = ()
    kinds: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    threads: tuple[str, ...] | None = None
    assistants: tuple[str, ...] | None = None
    files: tuple[str, ...] | None = None
    after: int | None = None
    before: int | None = None
    meta: tuple[tuple[str, str], ...] = ()


class FoundDocument(NamedTuple):
    """A document of a snapshot. `rank`: the smaller, the better. The object is at a place in a pack; of the
    text of a file, `place` is its row in `text_files`."""

    number: int
    rank: float
    kind: str
    parent_id: int
    pack: int
    place: int


# The object of a document `f` in its segment `g`, as a place in its pack and as the number of its body.
PLACE_SQL = "(g.place + f.rowid - g.first)"
BODY_SQL = f"(g.pack_id * {BODIES_PER_PACK} + {PLACE_SQL})"
# Whether the snapshot has it. The parameters are those of `_IndexSql.in_snapshot`.
IN_SNAPSHOT_SQL = f"""(CASE WHEN g.pack_id >= 0 THEN EXISTS (
      SELECT 1 FROM listed l CROSS JOIN spans s INDEXED BY spans_pack
      ON s.pack_id = g.pack_id AND s.manifest_id = l.manifest_id
      WHERE l.snapshot_id = ? AND l.kind_id = g.kind_id AND l.parent_id = g.parent_id
      AND s.place <= {PLACE_SQL} AND s.place + s.count > {PLACE_SQL})
    ELSE EXISTS (
      SELECT 1 FROM text_files t CROSS JOIN known n
      ON n.key BETWEEN t.id_key AND t.id_key + {(1 << BODY_SHA_BITS) - 1}
      CROSS JOIN spans s INDEXED BY spans_pack
      ON s.pack_id = n.body / {BODIES_PER_PACK} AND s.manifest_id = ?
      WHERE t.id = g.place AND t.endpoint_id = ?
      AND s.place <= n.body % {BODIES_PER_PACK} AND s.place + s.count > n.body % {BODIES_PER_PACK}) END)"""


class IndexReader:
    """Reads the index for one snapshot, which it has."""

    def __init__(self, conn: SqlConnection, snapshot: int, endpoint: int, last_document: int) -> None:
        self._conn, self._last = conn, last_document
        rows = conn.execute("SELECT name, id FROM kinds").fetchall()
        self._kinds = dict(rows)
        self._names = {number: name for name, number in rows}
        self._threads = ThreadListing(conn, snapshot)
        self._in_snapshot = (snapshot, self._root_listing("file", snapshot), endpoint)
        self._snapshot = snapshot

    def find(self, filters: DocumentFilters) -> Iterator[FoundDocument]:
        """The documents that fit, those with the highest numbers first."""
        conditions = _Conditions()
        conditions.add(f"f.rowid BETWEEN ? AND {self._last}", 1)
        conditions.add(IN_SNAPSHOT_SQL, *self._in_snapshot)
        if filters.kinds:
            numbers = [self._kinds.get(kind, 0) for kind in filters.kinds]
            conditions.add("g.kind_id IN (SELECT value FROM json_each(?))", json.dumps(numbers))
        if filters.threads is not None:
            self._add_threads(conditions, filters.threads)
        if filters.assistants is not None:
            self._add_assistants(conditions, filters.assistants)
        for key, pattern in filters.meta:
            self._add_metadata(conditions, key, pattern)
        dated = filters.after is not None or filters.before is not None
        if dated:
            self._add_dates(conditions, filters)
        sql = (
            f"SELECT f.rowid, {_rank_sql(filters)}, g.kind_id, g.parent_id, g.pack_id, "
            f"CASE WHEN g.pack_id >= 0 THEN {PLACE_SQL} ELSE g.place END, g.first, g.oldest_at, "
            f"{'g.times' if dated else 'NULL'} FROM text_words f CROSS JOIN text_segments g "
            "ON g.first = (SELECT max(x.first) FROM text_segments x WHERE x.first <= f.rowid) "
            f"WHERE text_words MATCH ? AND {conditions.sql} ORDER BY f.rowid DESC"
        )
        rows = self._conn.execute(sql, (match_expression(filters), *conditions.parameters))
        for number, rank, kind, parent, pack, place, first, oldest, times in rows:
            if dated and not _is_between(filters, unpack_time(times, oldest, number - first)):
                continue
            yield FoundDocument(number, rank, self._names[kind], parent, pack, place)

    def parent(self, number: int) -> str:
        """The id of a parent by its number; '' of an object that has none."""
        row = self._conn.execute("SELECT object_id FROM parents WHERE id = ?", (number,)).fetchone()
        return str(row[0]) if row else ""

    def _root_listing(self, kind: str, snapshot: int) -> int:
        row = self._conn.execute(
            "SELECT manifest_id FROM scopes WHERE snapshot_id = ? AND kind = ? AND parent_id = ''",
            (snapshot, kind),
        ).fetchone()
        return int(row[0]) if row else 0

    def _add_threads(self, conditions: _Conditions, threads: Sequence[str]) -> None:
        """Only what belongs to these threads, and the threads themselves."""
        parents = _parent_numbers(self._conn, threads)
        first, last = self._document_range(parents)
        bodies = [number for id_ in threads for number in self._bodies_of(id_)]
        if not bodies:
            conditions.add("f.rowid BETWEEN ? AND ?", first, last)
        conditions.add(
            "(g.kind_id IN (SELECT value FROM json_each(?)) "
            "AND g.parent_id IN (SELECT value FROM json_each(?)) "
            f"OR g.pack_id >= 0 AND {BODY_SQL} IN (SELECT value FROM json_each(?)))",
            json.dumps(self._thread_kinds), json.dumps(parents), json.dumps(bodies),
        )  # fmt: skip

    def _add_assistants(self, conditions: _Conditions, assistants: Sequence[str]) -> None:
        """Only what belongs to threads in which one of these assistants answered, and the assistants."""
        bodies = [number for id_ in assistants for number in self._bodies_of(id_)]
        of_assistant = (
            "t.id IN (SELECT summary_id FROM thread_assistants "
            "WHERE assistant_id IN (SELECT value FROM json_each(?)))"
        )
        self._add_thread_condition(conditions, of_assistant, json.dumps(assistants), json.dumps(bodies))

    def _add_metadata(self, conditions: _Conditions, key: str, pattern: str) -> None:
        """Only objects with such metadata, and what belongs to threads with it."""
        pairs = "SELECT body FROM metadata_pairs WHERE key = ? AND value GLOB ?"
        glob = sqlite_glob(pattern)
        found = [row[0] for row in self._conn.execute(pairs, (key, glob))]
        self._add_thread_condition(
            conditions, "t.body IN (SELECT value FROM json_each(?))", json.dumps(found), json.dumps(found)
        )

    def _add_thread_condition(
        self, conditions: _Conditions, condition: str, parameter: str, bodies: str
    ) -> None:
        """Only these bodies, and what belongs to threads `t` that fit."""
        conditions.add(
            f"(g.kind_id IN (SELECT value FROM json_each(?)) AND g.parent_id IN ("
            f"SELECT t.parent_id FROM thread_summaries t WHERE {condition} AND {THREAD_IN_SNAPSHOT}) "
            f"OR g.pack_id >= 0 AND {BODY_SQL} IN (SELECT value FROM json_each(?)))",
            json.dumps(self._thread_kinds), parameter, *self._threads.parameters, bodies,
        )  # fmt: skip

    def _add_dates(self, conditions: _Conditions, filters: DocumentFilters) -> None:
        """Only documents of segments that have a time between the dates."""
        after = max(filters.after or 0, 1)
        sql, parameters = "newest_at >= ?", [after]
        if filters.before is not None:
            sql, parameters = f"{sql} AND oldest_at < ?", [after, filters.before]
        first, last = self._conn.execute(
            f"SELECT min(first), max(first + count - 1) FROM text_segments WHERE {sql}", parameters
        ).fetchone()
        conditions.add("f.rowid BETWEEN ? AND ?", first or 0, last or -1)

    def _document_range(self, parents: Sequence[int]) -> tuple[int, int]:
        """The lowest and the highest number of the documents below some parents."""
        row = self._conn.execute(
            "SELECT min(g.first), max(g.first + g.count - 1) FROM listed l "
            "CROSS JOIN spans s ON s.manifest_id = l.manifest_id CROSS JOIN text_segments g "
            "ON g.pack_id = s.pack_id AND g.parent_id = l.parent_id WHERE l.snapshot_id = ? "
            "AND l.kind_id IN (SELECT value FROM json_each(?)) "
            "AND l.parent_id IN (SELECT value FROM json_each(?))",
            (self._snapshot, json.dumps(self._thread_kinds), json.dumps(parents)),
        ).fetchone()
        return row[0] or 0, row[1] or -1

    def _bodies_of(self, object_id: str) -> list[int]:
        """Numbers of the bodies of an id, in any snapshot."""
        sql = "SELECT body FROM known WHERE key BETWEEN ? AND ?"
        return [row[0] for row in self._conn.execute(sql, body_key_range(object_id))]

    @property
    def _thread_kinds(self) -> list[int]:
        return [self._kinds[kind] for kind in THREAD_KINDS if kind in self._kinds]


class _Conditions:
    """Conditions of a statement, and their parameters in order."""

    def __init__(self) -> None:
        self._sql: list[str] = []
        self.parameters: list[object] = []

    def add(self, sql: str, *parameters: object) -> None:
        self._sql.append(sql)
        self.parameters += parameters

    @property
    def sql(self) -> str:
        return " AND ".join(self._sql)


def match_expression(filters: DocumentFilters) -> str:
    """The query of FTS5 for the words, and for the filters that are words of the index."""
    parts = [_phrase(term) for term in filters.terms]
    if filters.roles:
        parts.append(_any_word(map(role_word, filters.roles)))
    if filters.files is not None:
        parts.append(_any_word(map(file_word, filters.files or ("",))))
    # Nearly every document is of a thread: there, the kind is looked up for each document that is found.
    if not parts or (filters.kinds and not set(filters.kinds) & set(THREAD_KINDS)):
        parts.append(_any_word(map(kind_word, filters.kinds or ALL_KINDS)))
    found = " AND ".join(parts)
    excluded = " OR ".join(map(_phrase, filters.excluded))
    return f"({found}) NOT ({excluded})" if excluded else found


def _phrase(term: SearchTerm) -> str:
    # Folded words have no quotation mark.
    return f'"{" ".join(term.words)}"{" *" if term.is_prefix else ""}'


def _any_word(words: Iterable[str]) -> str:
    return f"({' OR '.join(f'{chr(34)}{word}{chr(34)}' for word in words)})"


def _rank_sql(filters: DocumentFilters) -> str:
    short = any(term.is_prefix and len(term.words[-1]) < MIN_RANKED_PREFIX for term in filters.terms)
    return f"bm25(text_words, 1.0, {NAME_WEIGHT})" if filters.terms and not short else "0.0"


def _is_between(filters: DocumentFilters, at: int) -> bool:
    is_late_enough = filters.after is None or at >= filters.after
    return at > 0 and is_late_enough and (filters.before is None or at < filters.before)


def _parent_numbers(conn: SqlConnection, ids: Sequence[str]) -> list[int]:
    sql = "SELECT id FROM parents WHERE object_id IN (SELECT value FROM json_each(?))"
    return [row[0] for row in conn.execute(sql, (json.dumps(ids),))]
