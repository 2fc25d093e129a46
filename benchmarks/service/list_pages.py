"""The pages of a listing: which rows a query requests, and the JSON around them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from benchmarks.estate import number_of_id

Query = dict[str, str]


def query_of(text: str) -> Query:
    """The parameters of a request."""
    return dict(parse_qsl(text)) if text else {}


def page_positions(query: Query, count: int) -> tuple[range, bool]:
    """The requested positions in the requested order, and whether there are more rows after them."""
    limit = int(query.get("limit", 20))
    forward = query.get("order", "desc") == "asc"
    after = number_of_id(query["after"]) if "after" in query else None
    if forward:
        start = 0 if after is None else after + 1
        stop = min(count, start + limit)
        return range(start, stop), stop < count
    start = count - 1 if after is None else after - 1
    stop = max(-1, start - limit)
    return range(start, stop, -1), stop >= 0


def envelope(rows: bytes, ids: tuple[str, str] | None, has_more: bool) -> bytes:
    """The JSON of a page. `ids`: the ids of its first and last row."""
    ends = b'"first_id":"%s","last_id":"%s"' % tuple(map(str.encode, ids)) if ids else EMPTY
    return b'{"object":"list","data":[%s],%s,"has_more":%s}' % (rows, ends, b"true" if has_more else b"false")


EMPTY = b'"first_id":null,"last_id":null'


def page(query: Query, count: int, rows: Callable[[range], bytes], id_: Callable[[int], str]) -> bytes:
    """One page of a list of `count` rows."""
    positions, has_more = page_positions(query, count)
    if not positions:
        return envelope(b"", None, False)
    return envelope(rows(positions), (id_(positions[0]), id_(positions[-1])), has_more)
