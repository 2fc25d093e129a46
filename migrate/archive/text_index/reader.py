"""Find documents of one snapshot by their words, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from migrate.archive.connections import SqlConnection, first_value
from migrate.archive.hashes import BODY_SHA_BITS
from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.snapshots.listings import root_manifest
from migrate.archive.text_index.documents import THREAD_KINDS
from migrate.archive.text_index.segment_times import unpack_time
from migrate.archive.text_index.thread_scopes import Scope, ScopeReader
from migrate.model import KINDS
from migrate.model.index_words import file_word, kind_word, role_word
from migrate.model.search_query import SearchQuery, SearchTerm

# Numbers of ranges of documents that are searched one by one: for each of them, ranking counts all documents
# that have a word.
MAX_RANKED_RANGES = 4
# Weight of a word in a name, relative to one in a text.
NAME_WEIGHT = 8.0
# The beginning of a word must have so many letters to be ranked: of a shorter one there are too many words.
MIN_RANKED_PREFIX = 3
ALL_KINDS = tuple(KINDS)


class FoundDocument(NamedTuple):
    """A document of a snapshot. `rank`: the smaller, the better. The object is at a place in a pack; of the
    text of a file, `place` is its row in `text_files`."""

    number: int
    rank: float
    kind: str
    parent_id: int
    pack: int
    place: int


# A found document as it is in the index: rank, its number with a minus, numbers of its kind and parent, pack
# and place. So they sort as tuples: the best ones first, of equal ones the newest.
FoundRow = tuple[float, int, int, int, int, int]

# The object of a document `f` in its segment `g`, as a place in its pack and as the number of its body.
PLACE_SQL = "(g.place + f.rowid - g.first)"
BODY_SQL = f"(g.pack_id * {BODIES_PER_PACK} + {PLACE_SQL})"
# Whether the snapshot has it. Its parameters are `IndexReader._in_snapshot`.
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
        self._conn, self._snapshot, self._last = conn, snapshot, last_document
        rows = conn.execute("SELECT name, id FROM kinds").fetchall()
        self._kinds = dict(rows)
        self._names = {number: name for name, number in rows}
        self._scopes = ScopeReader(conn, snapshot, self._kinds)
        self._in_snapshot = (snapshot, root_manifest(conn, snapshot, "file"), endpoint)

    def find(self, query: SearchQuery) -> Iterator[FoundRow]:
        """The documents that fit, those with the highest numbers first. `query`: with ids, not names."""
        scopes = self._scopes.read(query)
        ranges = self._scopes.ranges(scopes) or [(1, self._last)]
        conditions = self._conditions(query, scopes)
        has_dates = query.after is not None or query.before is not None
        rank = _rank_sql(query) if len(ranges) <= MAX_RANKED_RANGES else "0.0"
        sql = (
            f"SELECT {rank}, -f.rowid, g.kind_id, g.parent_id, g.pack_id, "
            f"CASE WHEN g.pack_id >= 0 THEN {PLACE_SQL} ELSE g.place END"
            f"{', g.first, g.oldest_at, g.times' if has_dates else ''} "
            "FROM text_words f CROSS JOIN text_segments g "
            "ON g.first = (SELECT max(x.first) FROM text_segments x WHERE x.first <= f.rowid) "
            f"WHERE text_words MATCH ? AND f.rowid BETWEEN ? AND ? AND {conditions.sql} ORDER BY f.rowid DESC"
        )
        for first, last in ranges:
            parameters = (match_expression(query), first, min(last, self._last), *conditions.parameters)
            rows = self._conn.execute(sql, parameters)
            if not has_dates:
                yield from rows
                continue
            for *row, start, oldest, times in rows:
                if _is_between(query, unpack_time(times, oldest, -row[1] - start)):
                    yield tuple(row)

    def document(self, row: FoundRow) -> FoundDocument:
        """A document that `find` returned."""
        rank, number, kind, parent, pack, place = row
        return FoundDocument(-number, rank, self._names[kind], parent, pack, place)

    def find_all(self, expression: str, limit: int) -> list[FoundDocument] | None:
        """The objects that fit a query of FTS5, without any order; None where there are more than `limit`.
        Texts of files are left out."""
        found: list[FoundDocument] = []
        sql = (
            f"SELECT f.rowid, g.kind_id, g.parent_id, g.pack_id, {PLACE_SQL} "
            "FROM text_words f CROSS JOIN text_segments g "
            "ON g.first = (SELECT max(x.first) FROM text_segments x WHERE x.first <= f.rowid) "
            f"WHERE text_words MATCH ? AND f.rowid <= ? AND g.pack_id >= 0 AND {IN_SNAPSHOT_SQL}"
        )
        for number, kind, parent, pack, place in self._conn.execute(
            sql, (expression, self._last, *self._in_snapshot)
        ):
            if len(found) == limit:
                return None
            found.append(FoundDocument(number, 0.0, self._names[kind], parent, pack, place))
        return found

    def words_with(self, text: str, at_end: bool, limit: int) -> list[str] | None:
        """The words that contain some letters, or end with them; None where there are more than `limit`."""
        pattern = f"%{text}" if at_end else f"%{text}%"
        rows = self._conn.execute("SELECT term FROM text_vocabulary WHERE term LIKE ?", (pattern,))
        words = [row[0] for row in rows.fetchmany(limit + 1)]
        return words if len(words) <= limit else None

    def has_word(self, word: str) -> bool:
        """Whether any document of the archive has a word, or a mark of `index_words`."""
        row = self._conn.execute("SELECT 1 FROM text_vocabulary WHERE term = ?", (word,)).fetchone()
        return row is not None

    def parent(self, number: int) -> str:
        """The id of a parent by its number; '' of an object that has none."""
        return first_value(self._conn, "SELECT object_id FROM parents WHERE id = ?", (number,), "")

    def _conditions(self, query: SearchQuery, scopes: Sequence[Scope]) -> _Conditions:
        # The cheap ones first.
        conditions = _Conditions()
        if query.after is not None or query.before is not None:
            self._add_dates(conditions, query)
        if query.kinds:
            numbers = [self._kinds.get(kind, 0) for kind in query.kinds]
            conditions.add("g.kind_id IN (SELECT value FROM json_each(?))", json.dumps(numbers))
        for scope in scopes:
            conditions.add(
                "(g.kind_id IN (SELECT value FROM json_each(?)) "
                "AND g.parent_id IN (SELECT value FROM json_each(?)) "
                f"OR g.pack_id >= 0 AND {BODY_SQL} IN (SELECT value FROM json_each(?)))",
                json.dumps(self._scopes.thread_kinds), json.dumps(scope.parents), json.dumps(scope.bodies),
            )  # fmt: skip
        conditions.add(IN_SNAPSHOT_SQL, *self._in_snapshot)
        return conditions

    def _add_dates(self, conditions: _Conditions, query: SearchQuery) -> None:
        """Only documents of segments that have a time between the dates."""
        after = max(query.after or 0, 1)
        sql, parameters = "newest_at >= ?", [after]
        if query.before is not None:
            sql, parameters = f"{sql} AND oldest_at < ?", [after, query.before]
        first, last = self._conn.execute(
            f"SELECT min(first), max(first + count - 1) FROM text_segments WHERE {sql}", parameters
        ).fetchone()
        conditions.add("f.rowid BETWEEN ? AND ?", first or 0, last or -1)


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


def match_expression(query: SearchQuery) -> str:
    """The query of FTS5 for the words, and for the filters that are words of the index."""
    parts = [_phrase(term) for term in query.terms]
    if query.roles:
        parts.append(_any_word(map(role_word, query.roles)))
    if query.files:
        parts.append(_any_word(map(file_word, query.files)))
    # Nearly every document is of a thread: there, the kind is looked up for each document that is found.
    if not parts or (query.kinds and not set(query.kinds) & set(THREAD_KINDS)):
        parts.append(_any_word(map(kind_word, query.kinds or ALL_KINDS)))
    found = " AND ".join(parts)
    excluded = " OR ".join(map(_phrase, query.excluded))
    return f"({found}) NOT ({excluded})" if excluded else found


def _phrase(term: SearchTerm) -> str:
    # Folded words have no quotation mark.
    return f'"{" ".join(term.words)}"{" *" if term.is_prefix else ""}'


def _any_word(words: Iterable[str]) -> str:
    return f"({' OR '.join(f'{chr(34)}{word}{chr(34)}' for word in words)})"


def _rank_sql(query: SearchQuery) -> str:
    short = any(term.is_prefix and len(term.words[-1]) < MIN_RANKED_PREFIX for term in query.terms)
    return f"bm25(text_words, 1.0, {NAME_WEIGHT})" if query.terms and not short else "0.0"


def _is_between(query: SearchQuery, at: int) -> bool:
    is_late_enough = query.after is None or at >= query.after
    return at > 0 and is_late_enough and (query.before is None or at < query.before)
