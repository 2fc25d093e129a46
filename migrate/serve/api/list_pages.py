"""Pages of a list: which places of a listing a request asks for, and the envelope around their bodies.

`limit`, `order`, `after`, `before` and their errors are those of the services (described; cursors beyond the
list are refused as unknown parameters are).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from migrate.model.entity import JSON
from migrate.serve.api.refusals import ApiRefusal, invalid_value

ORDERS = ("asc", "desc")


@dataclass(frozen=True)
class PageLimit:
    """The largest page that a client may ask for, and the size of a page without `limit`, in rows."""

    maximum: int = 100
    default: int = 20


ROWS_LIMIT = PageLimit()
FILES_LIMIT = PageLimit(10_000, 10_000)


@dataclass(frozen=True)
class PageQuery:
    """The page that a request asks for. `after` and `before` are ids; None where the request has none."""

    limit: int
    ascending: bool
    after: str | None = None
    before: str | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str], limit: PageLimit) -> PageQuery:
        """From the query of a request. Raises `ApiRefusal`."""
        size = _page_size(query.get("limit"), limit)
        order = query.get("order") or "desc"
        if order not in ORDERS:
            raise invalid_value("order", order, ORDERS, "invalid_value")
        return cls(size, order == "asc", query.get("after"), query.get("before"))

    def choose(
        self, places: Sequence[int], after: int | None, before: int | None
    ) -> tuple[Sequence[int], bool]:
        """The places of one page in the order of the page, and whether more follow. `places`: all places of
        the list, ascending; `after` and `before`: the places of the cursors.

        With `before` alone, the page is the one that ends just before the cursor."""
        first, last = (after, before) if self.ascending else (before, after)
        low = 0 if first is None else bisect_right(places, first)
        high = len(places) if last is None else max(low, bisect_left(places, last))
        backwards = self.after is None and self.before is not None
        if self.ascending is not backwards:
            chosen = places[low : min(low + self.limit, high)]
        else:
            chosen = places[max(low, high - self.limit) : high]
        return (chosen if self.ascending else chosen[::-1]), high - low > self.limit


def _page_size(requested: str | None, limit: PageLimit) -> int:
    if not requested:
        return limit.default
    try:
        size = int(requested)
    except ValueError:
        message = "Invalid type for 'limit': expected an integer, but got a string instead."
        raise ApiRefusal(400, message, "limit", "invalid_type") from None
    if 1 <= size <= limit.maximum:
        return size
    side, sign, bound = ("below_min", ">=", 1) if size < 1 else ("above_max", "<=", limit.maximum)
    message = (
        f"Invalid 'limit': integer {side.replace('_', ' ')}imum value. "
        f"Expected a value {sign} {bound}, but got {size} instead."
    )
    raise ApiRefusal(400, message, "limit", f"integer_{side}_value")


def unknown_cursor(name: str, id_: str) -> ApiRefusal:
    """A cursor that is no object of the list."""
    return ApiRefusal(400, f"Invalid '{name}': no object with id '{id_}' in this list.", name)


@dataclass(frozen=True)
class ListEnvelope:
    """The JSON around the rows of a page. `head`: the text before the first row; `tail`: makes the members
    behind the last row, from the ids of the first and the last one and whether more rows follow."""

    head: str
    tail: Callable[[JSON, JSON, bool], dict[str, JSON]]


# Of assistants and most others; on an empty page both ids are null (recorded 2025-04).
COMMON_ENVELOPE = ListEnvelope(
    '{"object":"list","data":[',
    lambda first, last, has_more: {"first_id": first, "last_id": last, "has_more": has_more},
)
# Of agents and conversations; an empty page has no ids (recorded 2026-03).
PROJECT_ENVELOPE = ListEnvelope(
    '{"data":[',
    lambda first, last, has_more: {
        **({} if first is None else {"first_id": first, "last_id": last}),
        "has_more": has_more,
        "object": "list",
    },
)
# Of the files of classic agents, which have no pages (described).
UNPAGED_ENVELOPE = ListEnvelope('{"object":"list","data":[', lambda _first, _last, _has_more: {})
