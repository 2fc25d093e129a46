"""Find exactly one text, a page of hits at a time: each page ends after some hits, or after some time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrate.archive.hashes import storable_text
from migrate.archive.snapshots.reader import SnapshotReader, scan_for_text
from migrate.codecs import CODECS
from migrate.errors import BadUsage
from migrate.model.results.archive import StoredBody
from migrate.model.results.text_search import TextHit
from migrate.model.secrets import mask_text
from migrate.model.thread_summary import agent_of_body, whole_seconds
from migrate.stages.query.list_cursor import read_list_cursor, write_list_cursor
from migrate.stages.query.message_parts import role_of
from migrate.stages.query.named_objects import NamedObjects
from migrate.stages.query.search import SEARCHED_FIELDS, fields_with, mark_text
from migrate.stages.query.thread_words import words_of_thread

# Seconds after which a page ends, whatever it has found. It looks at some 200,000 objects a second.
SECONDS_OF_PAGE = 1.0
# What a cursor of such a search begins with.
CURSOR_NAME = "text"


@dataclass(frozen=True)
class LiteralPage:
    """Some hits in the order of the listings. `next_cursor`: from where the next page continues, '' where
    every object was looked at. `seen`: how many objects were looked at so far, of `total`."""

    hits: tuple[TextHit, ...]
    next_cursor: str
    seen: int
    total: int


def search_literal_page(
    snapshot: SnapshotReader,
    text: str,
    kind: str = "",
    after: str = "",
    limit: int = 20,
    clock: Callable[[], float] = time.monotonic,
) -> LiteralPage:
    """The objects that contain a text, upper and lower case being equal. `kind`: of one kind only; `after`:
    the `next_cursor` of the page before. All fields of one object are on one page, so there may be more than
    `limit` hits. Raises `BadUsage` for a kind that is not searched, and for a cursor of another list."""
    if kind and kind not in SEARCHED_FIELDS:
        raise BadUsage(
            f"exactly one text is not searched in kind {kind[:40]!r}",
            todo=f"choose one of {', '.join(SEARCHED_FIELDS)}",
        )
    kinds = [kind] if kind else list(SEARCHED_FIELDS)
    rank, parent, position, seen_before = _read_place(after, len(kinds))
    seen = seen_before
    counts = snapshot.counts()
    total = sum(counts.get(one, 0) for one in kinds)
    deadline = clock() + SECONDS_OF_PAGE
    reader = _HitReader(snapshot, text.casefold())
    hits: list[TextHit] = []
    for number in range(rank, len(kinds)):
        start = (parent, position) if number == rank else ("", 0)
        for place, body in scan_for_text(snapshot, kinds[number], text, start):
            # Each page looks at one object at least: a very long one may take more than the time of a page.
            if seen > seen_before and (len(hits) >= limit or clock() > deadline):
                cursor = write_list_cursor(CURSOR_NAME, number, *place, seen)
                return LiteralPage(tuple(hits), cursor, seen, total)
            seen += 1
            if body is not None:
                hits += reader.read(kinds[number], place, body)
    return LiteralPage(tuple(hits), "", seen, total)


class _HitReader:
    """Makes hits of objects that may contain the text."""

    def __init__(self, snapshot: SnapshotReader, needle: str) -> None:
        self._snapshot, self._needle = snapshot, needle
        self._decode = CODECS[snapshot.info.type].decode
        self._names = NamedObjects(snapshot)
        self._words: dict[str, str] = {}

    def read(self, kind: str, place: tuple[str, int], body: StoredBody) -> Iterator[TextHit]:
        """A hit for each field that contains the text."""
        parent, position = place
        entity = self._decode(kind, body, parent, None)[0]
        is_message = kind == "message"
        for field, excerpt in fields_with(kind, entity, self._needle):
            yield TextHit(
                kind=kind,
                id=entity.id,
                parent=parent,
                name=self._names.author(agent_of_body(body)) if is_message else mask_text(entity.name),
                field=field,
                at=whole_seconds(body) or None,
                role=mask_text(role_of(entity)) if is_message else "",
                number=position + 1 if is_message else 0,
                excerpt=mark_text(excerpt, self._needle),
                first_words=self._words_of(parent) if is_message else "",
            )

    def _words_of(self, thread: str) -> str:
        if thread not in self._words:
            self._words[thread] = words_of_thread(self._snapshot, thread)
        return self._words[thread]


def _read_place(cursor: str, kinds: int) -> tuple[int, str, int, int]:
    """Number of the kind, parent, position, and how many objects were looked at before. Raises `BadUsage`."""
    if not cursor:
        return 0, "", 0, 0
    match read_list_cursor(cursor, CURSOR_NAME):
        case [int(rank), str(parent), int(position), int(seen)] if 0 <= rank < kinds and position >= 0:
            return rank, storable_text(parent), position, max(seen, 0)
    raise BadUsage("the cursor does not belong to this search", todo="begin with the first page")
