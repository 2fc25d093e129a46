"""Search: words and filters by the index, or exactly one text, which needs none; what was found is marked."""

from __future__ import annotations

from starlette.responses import Response

from migrate.errors import BadUsage
from migrate.model import KINDS
from migrate.model.results.text_search import SearchPage, TextHit
from migrate.model.search_query import parse_search_query
from migrate.serve.page_request import PageRequest
from migrate.serve.pages.object_address import object_address
from migrate.stages.query.literal_page import LiteralPage, search_literal_page
from migrate.stages.query.search import SEARCHED_FIELDS
from migrate.stages.query.text_search import is_indexed, search_index

HITS_PER_PAGE = 20
# Pages that can be opened: only so many hits are ranked.
MAX_OFFSET = 10_000
# Field of the form -> the filter of the query that it adds.
FORM_FILTERS = ("kind", "role", "assistant", "thread", "after", "before", "file")
# Value of `how` in the address: the text is looked for as it is.
AS_IT_IS = "text"


def search_page(request: PageRequest) -> Response:
    """The form, and what is found."""
    indexed = is_indexed(request.snapshot)
    if not indexed or request.query.get("how") == AS_IT_IS:
        return _literal_page(request, indexed)
    query = _with_filters(request, request.query.get("q", "").strip())
    found: SearchPage | None = None
    refusal: BadUsage | None = None
    offset = min(max(request.number("from", 1), 1), MAX_OFFSET) - 1
    if query:
        try:
            found = search_index(request.snapshot, parse_search_query(query), HITS_PER_PAGE, offset)
        except BadUsage as error:  # shown above the form, so that it can be corrected
            refusal = error
    return request.answer(
        "search.html.j2",
        "search",
        text=query,
        found=found,
        refusal=refusal,
        hits=_with_addresses(request, found),
        first=offset + 1,
        last=offset + len(found.hits) if found else 0,
        previous=max(1, offset + 1 - HITS_PER_PAGE) if offset else None,
        next=_next(found, offset),
        kinds=list(KINDS),
    )


def _literal_page(request: PageRequest, indexed: bool) -> Response:
    """The search for exactly one text."""
    text, kind = request.query.get("q", ""), request.query.get("kind", "")
    cursor = request.query.get("cursor", "")
    found: LiteralPage | None = None
    refusal: BadUsage | None = None
    if text.strip():
        try:
            found = search_literal_page(request.snapshot, text, kind, cursor, HITS_PER_PAGE)
        except BadUsage as error:
            refusal = error
    return request.answer(
        "search_text.html.j2",
        "search",
        text=text,
        kind=kind,
        kinds=list(SEARCHED_FIELDS),
        found=found,
        refusal=refusal,
        indexed=indexed,
        hits=_with_addresses(request, found),
        is_first=not cursor,
    )


def _with_addresses(
    request: PageRequest, found: SearchPage | LiteralPage | None
) -> list[tuple[TextHit, str]]:
    return [(hit, hit_address(request, hit)) for hit in found.hits] if found else []


def hit_address(request: PageRequest, hit: TextHit) -> str:
    """The page that shows a hit, at its place."""
    if hit.kind == "vector_store_file" and request.snapshot.find(hit.id):
        return request.links.file(hit.id)
    return object_address(request.snapshot, hit.kind, hit.id, hit.parent)


def _with_filters(request: PageRequest, text: str) -> str:
    """The query, with the filters of the form in its language."""
    parts = [text]
    for name in FORM_FILTERS:
        if value := request.query.get(name, "").strip().replace('"', ""):
            parts.append(f'{name}:"{value}"')
    return " ".join(filter(None, parts))


def _next(found: SearchPage | None, offset: int) -> int | None:
    if found is None:
        return None
    following = offset + len(found.hits) + 1
    return following if found.hits and following <= min(found.count, MAX_OFFSET) else None
