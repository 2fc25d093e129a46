"""Search one snapshot by its full-text index: ranked hits with marked words, and filters that fit nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import nsmallest
from itertools import islice

from migrate.archive.bodies import load_body
from migrate.archive.hashes import body_id
from migrate.archive.packs import BodyReader
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.archive.text_index.documents import FILE_PACK, THREAD_KINDS, DocumentReader
from migrate.archive.text_index.reader import FoundDocument, IndexReader
from migrate.archive.text_index.schema import check_fts5, has_text_index, is_current_format
from migrate.archive.text_index.state import last_document
from migrate.archive.text_index.thread_states import ThreadListing
from migrate.errors import BadUsage
from migrate.model.document_texts import TextDocument, read_document
from migrate.model.index_words import role_word
from migrate.model.results.text_search import MAX_RANKED_HITS, SearchPage, TextHit
from migrate.model.search_excerpt import make_excerpt
from migrate.model.search_query import FILTER_NAMES, METADATA_FILTER, SearchQuery
from migrate.model.thread_summary import agent_of_body, whole_seconds
from migrate.stages.object_lookup import ObjectLookup
from migrate.stages.query.named_objects import NamedObjects, own_name

BUILD_ADVICE = "build it, or add what is missing: index ARCHIVE"


def is_indexed(snapshot: SnapshotReader) -> bool:
    """Whether the full-text index of the archive has everything of a snapshot, and can be read here."""
    conn = snapshot.conn
    return (
        has_text_index(conn) and is_current_format(conn) and last_document(conn, snapshot.info.id) is not None
    )


def search_index(snapshot: SnapshotReader, query: SearchQuery, limit: int, offset: int = 0) -> SearchPage:
    """Some hits of a query, the best ones first, beginning with number `offset`, counted from 0.

    Of a query with more than `MAX_RANKED_HITS` hits, only so many of the newest are ranked. Raises `BadUsage`
    where the archive has no index, or not of this snapshot, and where a filter names several objects.
    """
    reader = open_index(snapshot)
    found = list(islice(reader.find(_with_ids(snapshot, query)), MAX_RANKED_HITS + 1))
    is_bounded = len(found) > MAX_RANKED_HITS
    del found[MAX_RANKED_HITS:]
    best = nsmallest(offset + limit, found)
    page = _HitReader(snapshot, reader, query)
    hits = tuple(page.read(reader.document(row)) for row in best[offset:])
    notes = () if found else tuple(unmatched_filter_notes(snapshot, reader, query))
    return SearchPage(len(found), is_bounded, hits, notes)


def open_index(snapshot: SnapshotReader) -> IndexReader:
    """The index for a snapshot. Raises `BadUsage` where it cannot be used."""
    conn, number = snapshot.conn, snapshot.info.id
    check_fts5(conn)
    if not has_text_index(conn):
        raise BadUsage(
            "this archive has no full-text index", "nobody has built it yet", "build it: index ARCHIVE"
        )
    if not is_current_format(conn):
        why = "it was written by another version of this program or of Python"
        raise BadUsage("the full-text index cannot be used here", why, "build it again: index ARCHIVE")
    last = last_document(conn, number)
    if last is None:
        what = f"snapshot {number} is not in the full-text index"
        if snapshot.info.interrupted:
            raise BadUsage(what, "its reading was interrupted", "finish it: run its command again")
        raise BadUsage(what, "it was read after the index was built", BUILD_ADVICE)
    return IndexReader(conn, number, snapshot.endpoint, last)


def _with_ids(snapshot: SnapshotReader, query: SearchQuery) -> SearchQuery:
    """A query with ids in the place of names. Raises `BadUsage` where a name is not that of one object."""
    lookup = ObjectLookup(snapshot.conn, snapshot)

    def ids(texts: Iterable[str], kind: str) -> tuple[str, ...]:
        return tuple(lookup.resolve(text, (kind,)) for text in texts)

    return replace(
        query,
        threads=ids(query.threads, "thread"),
        assistants=ids(query.assistants, "assistant"),
        files=ids(query.files, "file"),
    )


class _HitReader:
    """Reads the objects of a page of hits, with excerpts."""

    def __init__(self, snapshot: SnapshotReader, reader: IndexReader, query: SearchQuery) -> None:
        self._snapshot, self._reader, self._query = snapshot, reader, query
        self._bodies = BodyReader(snapshot.conn)
        self._documents = DocumentReader(snapshot.conn, self._bodies)
        self._threads = ThreadListing(snapshot.conn, snapshot.info.id)
        self._names = NamedObjects(snapshot)
        self._first_words: dict[str, str] = {}

    def read(self, found: FoundDocument) -> TextHit:
        """The hit of a document."""
        if found.pack == FILE_PACK:
            return self._file_hit(found)
        body = load_body(self._bodies.pack(found.pack, found.place + 1)[1][found.place])
        document = read_document(found.kind, body)
        is_message = found.kind == "message"
        parent = self._reader.parent(found.parent_id)
        return self._hit(
            found,
            document,
            id_=body_id(body),
            parent=parent,
            name=self._names.author(agent_of_body(body)) if is_message else own_name(body),
            at=whole_seconds(body) or None,
            number=self._number(found, parent) if is_message else 0,
        )

    def _file_hit(self, found: FoundDocument) -> TextHit:
        document = self._documents.read_file(found.place) or TextDocument()
        id_ = next(iter(document.files), "")
        body = self._snapshot.body_of("file", id_) or {}
        name, at = own_name(body), whole_seconds(body) or None
        return self._hit(found, document, id_=id_, parent="", name=name, at=at, number=0)

    def _hit(
        self,
        found: FoundDocument,
        document: TextDocument,
        *,
        id_: str,
        parent: str,
        name: str,
        at: float | None,
        number: int,
    ) -> TextHit:
        field, excerpt = make_excerpt(document.fields, self._query.terms)
        thread = parent if found.kind in THREAD_KINDS else id_ if found.kind == "thread" else ""
        words = self._words_of_thread(thread)
        return TextHit(found.kind, id_, parent, name, field, at, document.role, number, excerpt, words)

    def _words_of_thread(self, thread: str) -> str:
        if thread and thread not in self._first_words:
            self._first_words[thread] = self._threads.first_words(thread)
        return self._first_words.get(thread, "")

    def _number(self, found: FoundDocument, parent: str) -> int:
        places = self._snapshot.places_of_body(found.kind, parent, found.pack, found.place)
        return places[0] + 1 if places else 0


# A word that looks like a filter; an address of the web does not.
_FILTER_LIKE = re.compile(r"([A-Za-z]+):(?!//)\S")


def unmatched_filter_notes(
    snapshot: SnapshotReader, reader: IndexReader, query: SearchQuery
) -> Iterator[str]:
    """A sentence for each filter that names what is not there, and each word that looks like a filter."""
    for role in query.roles:
        if not reader.has_word(role_word(role)):
            yield f"no message of the archive has the role {role!r}; most have user or assistant"
    lookup = ObjectLookup(snapshot.conn, snapshot)
    filters = (("thread", query.threads), ("assistant", query.assistants), ("file", query.files))
    for kind, values in filters:
        for value in values:
            if lookup.find_one(value, (kind,)) is None:
                yield f"snapshot {snapshot.info.id} has no {kind} {value!r}"
    for term in query.terms:
        if match := _FILTER_LIKE.match(term.text):
            names = ", ".join((*FILTER_NAMES, f"{METADATA_FILTER}KEY"))
            yield f"{match[1]}: is no filter, {term.text!r} was looked for as words; filters are {names}"
