"""Objects of a snapshot for pages: one by its id, or a part of a listing. Without credentials, as `show`."""

from __future__ import annotations

from dataclasses import dataclass

from migrate.codecs import CODECS
from migrate.model import JSON, Entity
from migrate.model.masked_values import mask_body
from migrate.serve.page_request import PageRequest

# Objects of a page of a table, and characters of their JSON: it ends with the object that exceeds them.
ROWS_PER_PAGE, MAX_ROWS_CHARS = 100, 1_000_000


class OptionalFields(dict[str, JSON]):
    """Fields by name; None for one that an object does not have."""

    def __missing__(self, name: str) -> JSON:
        return None


@dataclass(frozen=True)
class ShownObject:
    """One object: decoded, and its body as it was stored. Both without credentials. `derived`: objects that
    have no body of their own and follow from it."""

    entity: Entity
    body: dict[str, JSON]
    derived: tuple[Entity, ...] = ()

    @property
    def fields(self) -> OptionalFields:
        """What its owner set."""
        return OptionalFields(self.entity.fields)

    @property
    def facts(self) -> OptionalFields:
        """What the service set."""
        return OptionalFields(self.entity.facts)


@dataclass(frozen=True)
class ObjectRows:
    """A part of a listing, the newest first. `first`: the number of the first row, from 1. `gap`: why the
    listing is not complete, or ''."""

    rows: tuple[ShownObject, ...]
    first: int
    total: int
    gap: str

    @property
    def last(self) -> int:
        """The number of the last row."""
        return self.first + len(self.rows) - 1

    @property
    def previous(self) -> int | None:
        """The number of the first row of the page before, None where this is the first page."""
        return max(1, self.first - ROWS_PER_PAGE) if self.first > 1 else None

    @property
    def next(self) -> int | None:
        """The number of the first row of the next page, None where this is the last one."""
        return self.last + 1 if self.last < self.total else None


def find_shown_object(request: PageRequest, kind: str) -> ShownObject:
    """The object of a kind that the address names. Raises `PageNotFound`, which says whether another snapshot
    has it."""
    for found_kind, parent, body in request.snapshot.find(request.id):
        if found_kind == kind:
            return _shown(request, kind, parent, body)
    raise request.not_found(kind.replace("_", " "))


def read_rows(request: PageRequest, kind: str, parent: str = "") -> ObjectRows:
    """The rows of a listing from the one that the query names (`from`), the newest first."""
    bodies = request.snapshot.listing_bodies(kind, parent)
    total = len(bodies)
    first = min(max(request.number("from", 1), 1), max(total, 1))
    places = range(total - first, max(total - first - ROWS_PER_PAGE, -1), -1)
    rows: list[ShownObject] = []
    room = MAX_ROWS_CHARS
    for place in places:
        text = bodies.text(place)
        rows.append(_shown(request, kind, parent, bodies.load(text)))
        room -= len(text)
        if room < 0:
            break
    state, reason = request.snapshot.listing_state(kind, parent)
    gap = "" if state == "complete" and not reason else reason or state or "not asked for"
    return ObjectRows(tuple(rows), first if rows else 0, total, gap)


def _shown(request: PageRequest, kind: str, parent: str, body: dict[str, JSON]) -> ShownObject:
    masked = mask_body(body)
    entity, *derived = CODECS[request.snapshot.info.type].decode(kind, masked, parent, None)
    return ShownObject(entity, masked, tuple(derived))
