"""The two operations that nearly all resources have: a page of the list, and one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from migrate.archive.snapshots.listing_by_place import PlacedListing
from migrate.serve.api.answers import ApiAnswer, json_answer
from migrate.serve.api.body_texts import body_text, change_in_order, with_ids
from migrate.serve.api.list_pages import PageQuery, unknown_cursor
from migrate.serve.api.lookups import (
    NOT_READ_REASON,
    ApiCall,
    Ids,
    asked_ids,
    listing_gap,
    locate,
    locate_owners,
    other_ids_of,
    place_in_listing,
    scope_places,
)
from migrate.serve.api.page_pieces import PageRows, page_pieces
from migrate.serve.api.refusals import (
    INCOMPLETE_HEADER,
    ApiRefusal,
    header_text,
    incomplete_listing,
    invalid_value,
    not_in_archive,
)
from migrate.serve.api.resources import Resource

# Names the optional content that a reading did not get, because the service did not send it.
HIDDEN_HEADER = "x-archive-hidden"


def read_object(call: ApiCall, resource: Resource, asked: Ids) -> ApiAnswer:
    """One object. Raises `ApiRefusal`."""
    found = locate(call, resource, asked)
    change = change_in_order(resource.shown, with_ids(asked_ids(resource, asked, found.ids)))
    return json_answer(body_text(found.text(), change), hidden_headers(call, resource.kind))


def list_objects(call: ApiCall, resource: Resource, asked: Ids) -> ApiAnswer:
    """A page of a list. `asked`: the ids of the owners in the address. Raises `ApiRefusal`."""
    _check_parameters(call, resource)
    owners = locate_owners(call, resource, (*asked, ""))
    parent = owners[0] if owners else ""
    listing = call.listing(resource.kind, parent)
    gap = listing_gap(call, resource.kind, listing)
    if listing is None or (gap and not call.partial):
        raise incomplete_listing(gap or NOT_READ_REASON)
    scope = scope_places(call, resource, listing, owners)
    places = _filtered(call, resource, listing, range(len(listing)) if scope is None else scope)
    chosen, has_more = _chosen(call, resource, _Scoped(listing, parent, scope, gap), places)
    change = change_in_order(resource.shown, with_ids(asked_ids(resource, (*asked, ""), owners)))
    page = PageRows(call.estate.shown.id, resource.kind, parent, chosen, has_more, resource.envelope, change)
    rows = page.read(listing, 0)
    if len(rows) < len(chosen):
        call.take_time()
    incomplete = {INCOMPLETE_HEADER: header_text(gap)} if gap else {}
    return ApiAnswer(
        page_pieces(call.access, page, rows), {**incomplete, **hidden_headers(call, resource.kind)}
    )


def hidden_headers(call: ApiCall, kind: str) -> dict[str, str]:
    """A header with the optional content that the snapshot did not get."""
    hidden = (call.reader.info.shown.get("hidden") or {}).get(kind)
    return {HIDDEN_HEADER: header_text(", ".join(map(str, hidden)))} if hidden else {}


def _check_parameters(call: ApiCall, resource: Resource) -> None:
    if resource.parameters is None:
        return
    for name in call.query.keys() - resource.parameters:
        raise ApiRefusal(400, f"Unknown query parameter: '{name}'.", name, "unknown_parameter")


def _filtered(
    call: ApiCall, resource: Resource, listing: PlacedListing, places: Sequence[int]
) -> Sequence[int]:
    """The places of the rows that the filters in the query leave, ascending."""
    for name, row_filter in resource.filters.items():
        value = call.query.get(name)
        if not value:
            continue
        if row_filter.values and value not in row_filter.values:
            raise invalid_value(name, value, row_filter.values)
        places = call.memory.filters.places(listing, row_filter.path, value, call.is_hasty)
    return places


@dataclass(frozen=True)
class _Scoped:
    """A list: its listing, the places of it that belong to the list (None: all), and why the archive may lack
    some of it."""

    listing: PlacedListing
    parent: str
    scope: Sequence[int] | None
    gap: str


def _chosen(
    call: ApiCall, resource: Resource, rows: _Scoped, places: Sequence[int]
) -> tuple[Sequence[int], bool]:
    """The places of the page that the query asks for, and whether more follow."""
    if resource.limit is None:
        return places[::-1], False
    query = PageQuery.from_query(call.query, resource.limit)
    after, before = (
        None if id_ is None else _cursor_place(call, resource, rows, name, id_)
        for name, id_ in (("after", query.after), ("before", query.before))
    )
    return query.choose(places, after, before)


def _cursor_place(call: ApiCall, resource: Resource, rows: _Scoped, name: str, id_: str) -> int:
    """The place of the object that a cursor names, by any of its ids."""
    key = resource.kind, rows.parent, id_
    for candidate in chain((id_,), other_ids_of(call, key)):
        place = place_in_listing(call, rows.listing, candidate, rows.scope)
        if place is not None:
            return place
    if rows.gap:
        raise not_in_archive(f"The archive does not have the object of '{name}', {id_}: {rows.gap}.", name)
    raise unknown_cursor(name, id_)
