"""The text of a page: one piece where its rows are small, else several, each read while it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrate.archive.bodies import load_body
from migrate.archive.snapshots.listing_by_place import PlacedListing
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.errors import ArchiveDamaged
from migrate.model.entity import JSON
from migrate.serve.api.body_texts import BodyChange, body_texts, dump_json
from migrate.serve.api.list_pages import ListEnvelope
from migrate.serve.connections import ArchiveAccess

# Characters of the rows that are in memory at once, unless one row has more.
PIECE_CHARS = 1 << 19


@dataclass(frozen=True)
class PageRows:
    """The rows of one page: their listing, their places in it in the order of the page, and what is changed
    in each of them."""

    snapshot: int
    kind: str
    parent: str
    places: Sequence[int]
    has_more: bool
    envelope: ListEnvelope
    change: BodyChange | None = None

    def read(self, listing: PlacedListing, start: int) -> list[str]:
        """The rows from a number on, as they are sent: as many as one piece may have."""
        texts, size = [], 0
        for text in listing.texts(self.places[start:]):
            texts.append(text)
            size += len(text)
            if size > PIECE_CHARS:
                break
        return body_texts(texts, self.change)

    def listing(self, reader: SnapshotReader) -> PlacedListing:
        """The listing, in an archive that was opened again."""
        listing = reader.listing_by_place(self.kind, self.parent)
        if listing is None:
            raise ArchiveDamaged(f"snapshot {self.snapshot} does not have the list any more")
        return listing


def page_pieces(access: ArchiveAccess, page: PageRows, rows: list[str]) -> Iterator[bytes]:
    """The page as JSON. `rows`: those of the first piece. The archive is not open between two of the
    others."""
    head, first_id, number = page.envelope.head, _id(rows[:1]), len(rows)
    while number < len(page.places):
        yield (head + ",".join(rows)).encode()
        head = ","
        with access.reader(page.snapshot) as reader:
            rows = page.read(page.listing(reader), number)
        number += len(rows)
    tail = dump_json(page.envelope.tail(first_id, _id(rows[-1:]), page.has_more))
    yield (head + ",".join(rows) + (f"],{tail[1:]}" if len(tail) > 2 else "]}")).encode()


def _id(rows: list[str]) -> JSON:
    """The id of a row, if there is one."""
    body = load_body(rows[0]) if rows else None
    return body.get("id") if isinstance(body, dict) else None
