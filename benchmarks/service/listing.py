"""A query and a number of rows in, the places that a page holds out, and the page's envelope."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from benchmarks.estate import number_of

Query = dict[str, str]


def query_of(text: str) -> Query:
    """The parameters of a request."""
    return dict(parse_qsl(text)) if text else {}


def places(query: Query, count: int) -> tuple[range, bool]:
    """The places that were asked for, in the order asked for, and whether there are more behind them."""
    limit = int(query.get("limit", 20))
    forward = query.get("order", "desc") == "asc"
    after = number_of(query["after"]) if "after" in query else None
    if forward:
        start = 0 if after is None else after + 1
        stop = min(count, start + limit)
        return range(start, stop), stop < count
    start = count - 1 if after is None else after - 1
    stop = max(-1, start - limit)
    return range(start, stop, -1), stop >= 0


def envelope(rows: bytes, ids: tuple[str, str] | None, more: bool) -> bytes:
    """A page in the envelope of lists; `ids` are those of its first and last row."""
    ends = b'"first_id":"%s","last_id":"%s"' % tuple(map(str.encode, ids)) if ids else EMPTY
    return b'{"object":"list","data":[%s],%s,"has_more":%s}' % (rows, ends, b"true" if more else b"false")


EMPTY = b'"first_id":null,"last_id":null'


def page(query: Query, count: int, rows: Callable[[range], bytes], id_: Callable[[int], str]) -> bytes:
    """One page of a list of `count` rows."""
    wanted, more = places(query, count)
    if not wanted:
        return envelope(b"", None, False)
    return envelope(rows(wanted), (id_(wanted[0]), id_(wanted[-1])), more)
