"""What filters by thread, assistant and metadata leave of a snapshot: threads, and single objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from migrate.archive.connections import SqlConnection
from migrate.archive.hashes import body_key_range
from migrate.archive.packs import BODIES_PER_PACK
from migrate.archive.text_index.documents import THREAD_KINDS
from migrate.archive.text_index.thread_states import THREAD_IN_SNAPSHOT, ThreadListing, sqlite_glob
from migrate.model.search_query import SearchQuery

# Up to so many threads or objects are searched by their ranges of documents. Where there are more, all hits
# are gone through.
MAX_NARROW_SCOPE = 500
# Ranges with fewer documents between them are searched as one.
MAX_RANGE_GAP = 500

# First and last number of some documents.
DocumentRange = tuple[int, int]


class Scope(NamedTuple):
    """What a filter leaves: everything below these parents, and these bodies, by their numbers."""

    parents: list[int]
    bodies: list[int]


class ScopeReader:
    """Finds what filters leave of one snapshot. `thread_kinds`: numbers of the kinds below threads."""

    def __init__(self, conn: SqlConnection, snapshot: int, kinds: Mapping[str, int]) -> None:
        self._conn, self._snapshot = conn, snapshot
        self._threads = ThreadListing(conn, snapshot)
        self.thread_kinds = [kinds[kind] for kind in THREAD_KINDS if kind in kinds]

    def read(self, query: SearchQuery) -> list[Scope]:
        """A scope for each filter that is given. `query`: with ids of threads and assistants."""
        scopes = []
        if query.threads:
            scopes.append(Scope(self._parent_numbers(query.threads), self._bodies_of(query.threads)))
        if query.assistants:
            of_assistant = (
                "t.id IN (SELECT summary_id FROM thread_assistants "
                "WHERE assistant_id IN (SELECT value FROM json_each(?)))"
            )
            parents = self._parents_where(of_assistant, json.dumps(query.assistants))
            scopes.append(Scope(parents, self._bodies_of(query.assistants)))
        for key, pattern in query.meta:
            rows = self._conn.execute(
                "SELECT body FROM metadata_pairs WHERE key = ? AND value GLOB ?", (key, sqlite_glob(pattern))
            )
            bodies = [row[0] for row in rows]
            parents = self._parents_where("t.body IN (SELECT value FROM json_each(?))", json.dumps(bodies))
            scopes.append(Scope(parents, bodies))
        return scopes

    def ranges(self, scopes: Sequence[Scope]) -> list[DocumentRange]:
        """The ranges of documents of the narrowest scope, the highest numbers first. Empty where no scope
        is narrow."""
        narrow = min(scopes, key=lambda scope: len(scope.parents) + len(scope.bodies), default=None)
        if narrow is None or max(len(narrow.parents), len(narrow.bodies)) > MAX_NARROW_SCOPE:
            return []
        found = [*self._ranges_below(narrow.parents), *self._ranges_of(narrow.bodies)]
        return merge_ranges(found) or [(0, -1)]

    def _parents_where(self, condition: str, parameter: str) -> list[int]:
        """Numbers of the threads of the snapshot that fit."""
        rows = self._conn.execute(
            f"SELECT DISTINCT t.parent_id FROM thread_summaries t WHERE {condition} AND {THREAD_IN_SNAPSHOT}",
            (parameter, *self._threads.parameters),
        )
        return [row[0] for row in rows]

    def _parent_numbers(self, ids: Sequence[str]) -> list[int]:
        sql = "SELECT id FROM parents WHERE object_id IN (SELECT value FROM json_each(?))"
        return [row[0] for row in self._conn.execute(sql, (json.dumps(ids),))]

    def _bodies_of(self, ids: Sequence[str]) -> list[int]:
        """Numbers of the bodies of these ids, in any snapshot."""
        sql = "SELECT body FROM known WHERE key BETWEEN ? AND ?"
        return [row[0] for id_ in ids for row in self._conn.execute(sql, body_key_range(id_))]

    def _ranges_below(self, parents: Sequence[int]) -> list[DocumentRange]:
        return self._conn.execute(
            "SELECT DISTINCT g.first, g.first + g.count - 1 FROM listed l "
            "CROSS JOIN spans s ON s.manifest_id = l.manifest_id CROSS JOIN text_segments g "
            "ON g.pack_id = s.pack_id AND g.parent_id = l.parent_id WHERE l.snapshot_id = ? "
            "AND l.kind_id IN (SELECT value FROM json_each(?)) "
            "AND l.parent_id IN (SELECT value FROM json_each(?))",
            (self._snapshot, json.dumps(self.thread_kinds), json.dumps(parents)),
        ).fetchall()

    def _ranges_of(self, bodies: Sequence[int]) -> list[DocumentRange]:
        return self._conn.execute(
            f"SELECT g.first + b.value % {BODIES_PER_PACK} - g.place, "
            f"g.first + b.value % {BODIES_PER_PACK} - g.place FROM json_each(?) b CROSS JOIN text_segments g "
            f"ON g.pack_id = b.value / {BODIES_PER_PACK} AND g.place <= b.value % {BODIES_PER_PACK} "
            f"AND g.place + g.count > b.value % {BODIES_PER_PACK}",
            (json.dumps(bodies),),
        ).fetchall()


def merge_ranges(ranges: Iterable[DocumentRange]) -> list[DocumentRange]:
    """Ranges that do not overlap, the highest numbers first; near ones are joined."""
    merged: list[DocumentRange] = []
    for first, last in sorted(ranges):
        if merged and first - merged[-1][1] <= MAX_RANGE_GAP:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged[::-1]
