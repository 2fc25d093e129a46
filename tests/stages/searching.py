"""Estates with words, and what the full-text index finds in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migrate.archive import Archive
from migrate.archive.snapshots.reader import SnapshotReader, list_snapshots
from migrate.model.results.text_search import SearchPage, TextHit
from migrate.model.search_query import parse_search_query
from migrate.stages.query.text_search import search_index
from tests.archive.filling import Body, Listing


def message(id_: str, text: Any, role: str = "user", at: int | None = None, **more: Any) -> Body:
    """A message with one text."""
    part = {"type": "text", "text": {"value": text, "annotations": []}}
    return {"id": id_, "role": role, "created_at": at, "content": [part], **more}


def estate(threads: dict[str, list[Body]], **rest: list[Body]) -> list[Listing]:
    """Listings of an estate: messages by thread, and bodies by other kinds. Threads are as old as their names
    say."""
    return [
        *((kind, "", bodies) for kind, bodies in rest.items()),
        ("thread", "", [{"id": id_, "created_at": 100 + n} for n, id_ in enumerate(threads)]),
        *(("message", id_, bodies) for id_, bodies in threads.items()),
    ]


def snapshot(archive: Archive, number: int = 0) -> SnapshotReader:
    """The snapshot of a number, or the newest."""
    infos = list_snapshots(archive.conn)
    return SnapshotReader(archive.conn, next(i for i in infos if i.id == number) if number else infos[-1])


def page(archive: Archive, query: str, number: int = 0, limit: int = 100, offset: int = 0) -> SearchPage:
    return search_index(snapshot(archive, number), parse_search_query(query), limit, offset)


def hits(archive: Archive, query: str, number: int = 0) -> tuple[TextHit, ...]:
    return page(archive, query, number).hits


def found(archive: Archive, query: str, number: int = 0) -> list[str]:
    """Ids of what is found, sorted."""
    return sorted(hit.id for hit in hits(archive, query, number))


def marked(found: Iterable[TextHit]) -> list[list[str]]:
    """The marked words of each hit."""
    return [[text for text, is_word in hit.excerpt if is_word] for hit in found]
