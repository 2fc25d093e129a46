"""Puts the rows of a listing into the requested order, or reports that the order cannot be determined.

Some servers ignore the parameter `order` (LiteLLM was seen to return newest first always). So the order is
determined from the creation times of the rows: they rise, fall, do both, or show nothing. If they fall in
a listing that was requested oldest first, the whole listing is read and then reversed. Where the times
show nothing (items of conversations have none, and all may be within one second), another listing of the
same kind may have shown how this server sorts. Otherwise the server is asked, once for each kind, for its
newest rows: they must be the same rows backwards. If the order has a meaning, as for messages, and cannot
be determined, the listing fails with `PaginationError`.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain

from migrate.endpoints.interface import Body, Page
from migrate.errors import PaginationError
from migrate.model.entity import RESTART_FROM_FIRST_PAGE, creation_time
from migrate.model.served_version import newest_form

UNKNOWN_TIME = 0.0
# Rows at the end of a listing that are compared with the newest rows of the server: one page.
MAX_ROWS_COMPARED = 100


class TimeTrend(Enum):
    """The direction of the times of rows. EVEN: all times are equal or unknown."""

    RISING = auto()
    FALLING = auto()
    MIXED = auto()
    EVEN = auto()

    def followed_by(self, following: TimeTrend) -> TimeTrend:
        """The trend of rows with this trend, followed by rows with another."""
        if self is following or following is TimeTrend.EVEN:
            return self
        return following if self is TimeTrend.EVEN else TimeTrend.MIXED


@dataclass
class TimeSequence:
    """The trend of the times of a listing, computed page by page."""

    trend: TimeTrend = TimeTrend.EVEN
    last: float = UNKNOWN_TIME

    def add(self, rows: Iterable[Body]) -> TimeTrend:
        """Add rows at the end; the trend of all rows so far."""
        for row in rows:
            time = row_creation_time(row)
            if time == UNKNOWN_TIME:
                continue
            if self.last != UNKNOWN_TIME and time != self.last:
                self.trend = self.trend.followed_by(
                    TimeTrend.RISING if time > self.last else TimeTrend.FALLING
                )
            self.last = time
        return self.trend


def row_creation_time(row: Body) -> float:
    """When a row was created, in seconds since 1970; for an agent, when its newest version was created.
    `UNKNOWN_TIME` where the service gives no time (items of conversations)."""
    return creation_time(row, creation_time(newest_form(row), UNKNOWN_TIME))


@dataclass(frozen=True)
class OrderedListing:
    """A listing whose order is checked.

    `order_is_content`: the order has a meaning (messages, runs), so an unknown order is an error. `newest`
    requests the newest rows, newest first. `resumed`: reading continues from a cursor."""

    kind: str
    path: str
    order_is_content: bool
    newest: Callable[[], list[Body]]
    resumed: bool = False

    def unknown_order(self, why: str) -> PaginationError:
        """The error for a listing whose order cannot be determined."""
        return PaginationError(f"GET {self.path}: the order of its rows cannot be determined: {why}")


@dataclass
class ListOrder:
    """What the listings of one server have shown about its order. Safe to share between threads."""

    # Kind -> RISING or FALLING, as seen in a listing that was requested oldest first.
    _observed: dict[str, TimeTrend] = field(default_factory=dict)
    # Kind -> whether the parameter `order` makes a difference, after it was tested.
    _respects_order: dict[str, bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def oldest_first(self, pages: Iterator[Page], listing: OrderedListing) -> Iterator[Page]:
        """The pages of a listing that was requested oldest first, in this order. Raises `PaginationError`
        where the order has a meaning and cannot be determined."""
        first = next(pages, None)
        if first is None:
            return
        times = TimeSequence()
        trend = times.add(first.bodies)
        if trend is TimeTrend.EVEN and listing.order_is_content and first.cursor:
            # The service may send a cursor although this was the only page; only the next page shows it.
            second = next(pages, None)
            first = first if second else Page(first.bodies)
            pages = chain([second], pages) if second else pages
        if trend is TimeTrend.EVEN and listing.order_is_content and (len(first.bodies) > 1 or first.cursor):
            trend = self._order_without_times(listing, first)
        if trend is TimeTrend.FALLING:
            yield from self._reversed_listing(chain([first], pages), listing)
            return
        tail = deque((str(row["id"]) for row in first.bodies), maxlen=MAX_ROWS_COMPARED)
        yield first
        for page in pages:
            times.add(page.bodies)
            tail.extend(str(row["id"]) for row in page.bodies)
            yield page
        self._record(listing, times.trend, tail)

    def newest_first(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The pages of a listing that was requested newest first; reversed if its times rise."""
        first = next(pages, None)
        if first is None:
            return
        if TimeSequence().add(first.bodies) is TimeTrend.RISING:
            packed = [_compress(page.bodies) for page in chain([first], pages)]
            yield from (Page(rows) for rows in _reversed_rows(packed))
            return
        yield first
        yield from pages

    def _reversed_listing(self, pages: Iterable[Page], listing: OrderedListing) -> Iterator[Page]:
        """A listing that came newest first, as oldest first. It is read to its end before the first page is
        returned."""
        times, packed, tail = TimeSequence(), [], deque[str](maxlen=MAX_ROWS_COMPARED)
        for page in pages:
            times.add(page.bodies)
            tail.extend(str(row["id"]) for row in page.bodies)
            packed.append(_compress(page.bodies))
        self._record(listing, times.trend, tail)
        if listing.resumed and times.trend is not TimeTrend.MIXED:
            raise listing.unknown_order("the server ignores `order`, and a part of it was read before")
        batches = map(_decompress, packed) if times.trend is TimeTrend.MIXED else _reversed_rows(packed)
        for number, rows in enumerate(batches, 1):
            yield Page(rows, RESTART_FROM_FIRST_PAGE if number < len(packed) else "")

    def _order_without_times(self, listing: OrderedListing, first: Page) -> TimeTrend:
        """RISING or FALLING for a listing whose first rows have equal or unknown times."""
        with self._lock:
            observed = self._observed.get(listing.kind)
            if observed is not None and not (observed is TimeTrend.FALLING and listing.resumed):
                return observed
            if listing.kind not in self._respects_order:
                ids = [str(row["id"]) for row in first.bodies]
                newest = [str(row["id"]) for row in listing.newest()]
                whole = not first.cursor and not listing.resumed
                self._respects_order[listing.kind] = (
                    _ends_with_newest(ids, newest) if whole else newest[:1] != ids[:1]
                )
            respects_order = self._respects_order[listing.kind]
        if not respects_order:
            raise listing.unknown_order(
                "the server ignores `order`, and the times of the rows are missing or equal"
            )
        return TimeTrend.RISING

    def _record(self, listing: OrderedListing, trend: TimeTrend, tail: deque[str]) -> None:
        """Record what a whole listing has shown. Times that rise and fall prove nothing: then the newest
        rows of the server must be the end of the listing, backwards."""
        if trend is TimeTrend.MIXED and listing.order_is_content:
            if not _ends_with_newest(list(tail), [str(row["id"]) for row in listing.newest()]):
                raise listing.unknown_order("its times rise and fall, and the server ignores `order`")
        elif trend in (TimeTrend.RISING, TimeTrend.FALLING):
            with self._lock:
                self._observed.setdefault(listing.kind, trend)


def _ends_with_newest(end: list[str], newest: list[str]) -> bool:
    """Whether the newest rows are the end of a listing, backwards. Rows may have been added since it was
    read."""
    added = newest.index(end[-1]) if end[-1] in newest else len(newest)
    known = newest[added : added + len(end)]
    matches = known == end[::-1][: len(known)] and not set(newest[:added]) & set(end)
    return matches and len(known) >= min(2, len(end))


def _compress(rows: list[Body]) -> bytes:
    """Rows in compressed form: a listing that must be reversed may be long."""
    return zlib.compress(json.dumps(rows).encode(), 1)


def _decompress(packed: bytes) -> list[Body]:
    rows: list[Body] = json.loads(zlib.decompress(packed))
    return rows


def _reversed_rows(packed: list[bytes]) -> Iterator[list[Body]]:
    return (_decompress(rows)[::-1] for rows in reversed(packed))
