"""A listing in, its pages out: never takes a failed page for the end, never circles on a server that
ignores `after`.

The end is said by `has_more: false`. Where a service leaves `has_more` out (Foundry's files), the end is
an empty page or one that only repeats. A page that repeats although more was promised is an error, and
so is an empty page that promises more: what lies behind it cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate.endpoints.interface import Body, Page
from migrate.endpoints.seen import Seen
from migrate.errors import PagingBroken, RequestFailed


def walk(fetch: Callable[[str], Body], asked: str, after: str = "") -> Iterator[Page]:
    """Every page of a listing. `fetch` takes a cursor ('' for the start); rows seen twice are dropped."""
    seen = Seen()
    while True:
        envelope = fetch(after)
        rows = envelope.get("data")
        if not isinstance(rows, list):
            raise RequestFailed(f"GET {asked} answered without a `data` list")
        if not all(isinstance(row, dict) and row.get("id") for row in rows):
            raise RequestFailed(f"GET {asked} answered with a row that is no object or has no id")
        more = envelope.get("has_more")
        fresh = [row for row in rows if seen.new(str(row["id"]))]
        if more and not rows:
            raise PagingBroken(f"GET {asked} promises more but gives an empty page after {after!r}")
        if more and not fresh:
            raise PagingBroken(f"GET {asked} repeats its rows: the server ignores `after`")
        last = str(rows[-1].get("id") or envelope.get("last_id") or "") if rows else ""
        ended = more is False or not fresh
        if not ended and not last:
            raise PagingBroken(f"GET {asked} gives no id to continue after")
        if fresh:
            yield Page(fresh, "" if ended else last)
        if ended:
            return
        after = last
