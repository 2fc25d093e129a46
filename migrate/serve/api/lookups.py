"""Find an object, or a list, in the snapshot that answers, or say why it is not there.

An object that the service did not have is 404, as the service says it. What the reading did not see is
another answer (`refusals.not_in_archive`): no client may take it for deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from migrate.archive.pack_cache import PackCache
from migrate.archive.snapshots.history import absence_gap, describe_other_snapshot
from migrate.archive.snapshots.listing_by_place import PlacedListing
from migrate.archive.snapshots.reader import SnapshotReader
from migrate.errors import ArchiveDamaged
from migrate.model.entity import NOT_FOUND_REASON
from migrate.serve.api.id_aliases import AliasKey, IdAliases
from migrate.serve.api.refusals import ApiRefusal, not_in_archive
from migrate.serve.api.resources import RUN_STEP_RESOURCE, Resource
from migrate.serve.api.row_filters import NeedsTime, RowFilters
from migrate.serve.connections import ArchiveAccess, ServedEstate

GONE_REASON = "deleted while the snapshot was read"
NOT_READ_REASON = "the snapshot was taken without it"

Ids = tuple[str, ...]


# Bytes of unpacked bodies that are kept for the requests that the thread of the server itself answers: some
# 20,000 messages, those that were read last.
MAX_KEPT_BYTES = 1 << 24


@dataclass(frozen=True)
class ApiMemory:
    """What is kept from request to request. `packs`: what the thread of the server itself has read. With a
    cache of that size for worker threads too, `serve` took 131 MB instead of 79: the memory allocator keeps a
    separate area for each thread."""

    filters: RowFilters = field(default_factory=RowFilters)
    aliases: IdAliases = field(default_factory=IdAliases)
    packs: PackCache = field(default_factory=lambda: PackCache(MAX_KEPT_BYTES))


@dataclass(frozen=True)
class ApiCall:
    """One request to one estate. `partial`: the client takes a list of which the archive has a part.
    `is_hasty`: nothing may be done that takes more than a moment; `NeedsTime` is raised instead."""

    access: ArchiveAccess
    estate: ServedEstate
    reader: SnapshotReader
    query: Mapping[str, str]
    partial: bool
    memory: ApiMemory
    is_hasty: bool = False
    # Kind and owner -> listing, for those that were looked for.
    _listings: dict[tuple[str, str], PlacedListing | None] = field(default_factory=dict)

    def listing(self, kind: str, parent: str) -> PlacedListing | None:
        """A listing of the snapshot, or None; looked for once."""
        key = kind, parent
        if key not in self._listings:
            self._listings[key] = self.reader.listing_by_place(kind, parent)
        return self._listings[key]

    def take_time(self) -> None:
        """Called before something that may take long. Raises `NeedsTime` for a request in haste."""
        if self.is_hasty:
            raise NeedsTime


@dataclass(frozen=True)
class Located:
    """An object. `ids`: its owners' ids and its own, as the archive has them."""

    listing: PlacedListing
    place: int
    ids: Ids

    def text(self) -> str:
        """Its stored body."""
        return next(self.listing.texts((self.place,)))


def locate(call: ApiCall, resource: Resource, asked: Ids) -> Located:
    """The object that an address names, by its own ids or by those of a move. `asked`: the ids in the
    address. Raises `ApiRefusal`."""
    owners = locate_owners(call, resource, asked)
    parent = owners[0] if owners else ""
    listing = call.listing(resource.kind, parent)
    if listing is not None:
        key = resource.kind, parent, asked[-1]
        scope = scope_places(call, resource, listing, owners)
        for id_ in chain((asked[-1],), other_ids_of(call, key)):
            place = place_in_listing(call, listing, id_, scope)
            if place is not None:
                if id_ != asked[-1]:
                    call.memory.aliases.keep(call.estate.number, key, id_)
                return Located(listing, place, (*owners, id_))
    raise absent_refusal(call, resource, asked, parent, listing)


def other_ids_of(call: ApiCall, key: AliasKey) -> Iterator[str]:
    """The ids of an object by moves, looked for when the first one is asked for."""
    call.take_time()
    yield from call.memory.aliases.candidates(call.reader.conn, call.estate.number, key)


def locate_owners(call: ApiCall, resource: Resource, asked: Ids) -> Ids:
    """The ids of the owners as the archive has them; the last one of `asked` is not looked for. Where the
    archive has a list of the owner, the owner exists. Raises `ApiRefusal`."""
    if resource.owner is None:
        return ()
    if resource is not RUN_STEP_RESOURCE and call.listing(resource.kind, asked[-2]) is not None:
        return asked[:-1]
    return locate(call, resource.owner, asked[:-1]).ids


def scope_places(
    call: ApiCall, resource: Resource, listing: PlacedListing, owners: Ids
) -> Sequence[int] | None:
    """The places of a listing that belong to a list; None where all of them do. The steps of all runs of a
    thread are one listing."""
    if resource is not RUN_STEP_RESOURCE:
        return None
    path = (RUN_STEP_RESOURCE.owner_key,)
    return call.memory.filters.places(listing, path, owners[-1], call.is_hasty)


def place_in_listing(
    call: ApiCall, listing: PlacedListing, id_: str, scope: Sequence[int] | None
) -> int | None:
    """The place of an object in a list, or None. Raises `ArchiveDamaged` where the list has two objects with
    that id: a page that begins behind one of them could leave out others."""
    places = [place for place in listing.places_of(id_) if scope is None or place in scope]
    if len(places) > 1:
        raise ArchiveDamaged(
            f"a listing of snapshot {call.reader.info.id} has the id {id_} {len(places)} times"
        )
    return places[0] if places else None


def listing_gap(call: ApiCall, kind: str, listing: PlacedListing | None) -> str:
    """Why the archive may not have all of a list, or ''."""
    if listing is None:
        return NOT_READ_REASON
    if listing.row.state == "gone":
        return listing.row.reason or GONE_REASON
    return absence_gap(call.reader.info, kind, listing.row.state, listing.row.reason)


def absent_refusal(
    call: ApiCall, resource: Resource, asked: Ids, parent: str, listing: PlacedListing | None
) -> ApiRefusal:
    """The refusal of an object that the snapshot does not have."""
    refusal = resource.absent(*asked[-2:] if resource.owner else asked)
    missing = call.reader.missing_object(resource.kind, asked[-1], parent)
    if missing is not None:
        gap = "" if missing.reason.startswith(NOT_FOUND_REASON) else missing.reason
    elif listing is not None and listing.row.state == "gone":
        gap = ""
    else:
        gap = listing_gap(call, resource.kind, listing)
    if not gap:
        return refusal
    call.take_time()
    elsewhere = describe_other_snapshot(call.reader, asked[-1])
    return not_in_archive(
        f"{refusal.message.rstrip('.')} in the archive, and it may exist: {gap}{elsewhere}.", refusal.param
    )


def asked_ids(resource: Resource, asked: Ids, own: Ids) -> dict[str, str]:
    """Key of a body -> id in the address, for each id that is another one than the archive has. `own`: as
    `asked`, or one less for the rows of a list."""
    changed = {}
    if len(own) == len(asked) and own[-1] != asked[-1]:
        changed["id"] = asked[-1]
    level: Resource | None = resource
    for number in reversed(range(len(asked) - 1)):
        if level is not None and level.owner_key and own[number] != asked[number]:
            changed[level.owner_key] = asked[number]
        level = level.owner if level else None
    return changed
