"""The text of a page: one piece where its rows are small, else several, each read while it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from migrate.errors import ArchiveDamaged
from migrate.model.entity import JSON
from migrate.serve.api.body_texts import BodyChange, body_text, dump_json
from migrate.serve.api.list_pages import ListEnvelope
from migrate.serve.api.row_filters import parse_body
from migrate.serve.connections import ArchiveAccess

# Characters of one piece.
PIECE_CHARS = 1 << 21


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


@dataclass
class _Ends:
    """The ids of the first and the last row that were sent."""

    ids: list[JSON] = field(default_factory=lambda: [None, None])

    def note(self, number: int, count: int, text: str) -> None:
        for end, position in enumerate((0, count - 1)):
            if number == position:
                body = parse_body(text)
                self.ids[end] = body.get("id") if isinstance(body, dict) else None


def page_pieces(access: ArchiveAccess, page: PageRows) -> Iterator[bytes]:
    """The page as JSON. The archive is not open between two pieces."""
    ends, count, number = _Ends(), len(page.places), 0
    piece = [page.envelope.head]
    while number < count:
        size = 0
        with access.reader(page.snapshot) as reader:
            listing = reader.placed_listing(page.kind, page.parent)
            if listing is None:
                raise ArchiveDamaged(f"snapshot {page.snapshot} does not have the list any more")
            for text in listing.texts(page.places[number:]):
                sent = body_text(text, page.change)
                ends.note(number, count, sent)
                piece.append(f",{sent}" if number else sent)
                number += 1
                size += len(sent)
                if size > PIECE_CHARS:
                    break
        if number < count:
            yield "".join(piece).encode()
            piece = []
    tail = dump_json(page.envelope.tail(ends.ids[0], ends.ids[1], page.has_more))
    piece.append(f"],{tail[1:]}" if len(tail) > 2 else "]}")
    yield "".join(piece).encode()
