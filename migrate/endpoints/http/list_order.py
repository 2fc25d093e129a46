"""The pages of a listing in, the same rows in the order that was asked for out, or an error that names it.

`order` is a request, and servers were seen that ignore it (LiteLLM gives newest first whatever is asked). So
the order is read from the rows themselves: their times rise, fall, do both, or tell nothing. Falling times in
a listing that was asked for oldest first are turned round when all of it is there. Where the times do not
tell (items of conversations have none; all may lie within one second) another listing of the same kind may
have shown how this server sorts; otherwise it is asked once a kind for its newest rows, which must be the
same ones backwards. A listing whose order nobody can tell fails by name where the order is content.
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

UNKNOWN_TIME = 0.0
# Rows at the end of a listing that are compared with the server's newest: one page.
MAX_ROWS_COMPARED = 100


class TimeTrend(Enum):
    """Which way the times of rows go. EVEN: all alike, or told by none."""

    RISING = auto()
    FALLING = auto()
    MIXED = auto()
    EVEN = auto()

    def followed_by(self, other: TimeTrend) -> TimeTrend:
        """Of two stretches, one behind the other."""
        if self is other or other is TimeTrend.EVEN:
            return self
        return other if self is TimeTrend.EVEN else TimeTrend.MIXED


@dataclass
class TimeSequence:
    """The times of a listing's rows, one after the other."""

    trend: TimeTrend = TimeTrend.EVEN
    last: float = UNKNOWN_TIME

    def add(self, rows: Iterable[Body]) -> TimeTrend:
        """The trend with these rows at the end."""
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
    """When a row was created, in seconds since 1970. For an agent, whose row has no time: when its newest
    version was created. `UNKNOWN_TIME` where the service gives none (items of conversations)."""
    found = creation_time(row, UNKNOWN_TIME)
    if found == UNKNOWN_TIME and isinstance(versions := row.get("versions"), dict):
        latest = versions.get("latest")
        found = creation_time(latest, UNKNOWN_TIME) if isinstance(latest, dict) else UNKNOWN_TIME
    return found


@dataclass(frozen=True)
class OrderedListing:
    """A listing whose order must be proved. `order_is_content`: the order has a meaning (who spoke first), so
    an unknown order is an error. `newest` asks the server for its newest rows, newest first."""

    kind: str
    path: str
    order_is_content: bool
    newest: Callable[[], list[Body]]
    resumed: bool = False

    def unknown_order(self, why: str) -> PaginationError:
        """The error of a listing whose order cannot be told."""
        return PaginationError(f"GET {self.path}: which row came first cannot be told: {why}")


@dataclass
class ListOrder:
    """How one server sorts, as far as it has shown. Threads may share it."""

    # Kind -> RISING or FALLING: how a listing came that was asked for oldest first, and whose times told.
    _observed: dict[str, TimeTrend] = field(default_factory=dict)
    # Kind -> whether `order` makes a difference, once asked.
    _respects_order: dict[str, bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def oldest_first(self, pages: Iterator[Page], listing: OrderedListing) -> Iterator[Page]:
        """The pages of a listing that was asked for oldest first. Raises `PaginationError` where the order
        cannot be told and is content."""
        first = next(pages, None)
        if first is None:
            return
        times = TimeSequence()
        trend = times.add(first.bodies)
        if trend is TimeTrend.EVEN and listing.order_is_content and first.cursor:
            # Where the service does not say that this was all, only the next page tells.
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
        """The pages of a listing that was asked for newest first; turned round where its times rise."""
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
        """A listing that came newest first, oldest first: all of it is read before any of it is given."""
        times, packed, tail = TimeSequence(), [], deque[str](maxlen=MAX_ROWS_COMPARED)
        for page in pages:
            times.add(page.bodies)
            tail.extend(str(row["id"]) for row in page.bodies)
            packed.append(_compress(page.bodies))
        self._record(listing, times.trend, tail)
        if listing.resumed and times.trend is not TimeTrend.MIXED:
            raise listing.unknown_order("it ignores `order`, and a part of it was read before")
        given = map(_decompress, packed) if times.trend is TimeTrend.MIXED else _reversed_rows(packed)
        for number, rows in enumerate(given, 1):
            yield Page(rows, RESTART_FROM_FIRST_PAGE if number < len(packed) else "")

    def _order_without_times(self, listing: OrderedListing, first: Page) -> TimeTrend:
        """The order of a listing that begins with rows whose times do not tell: RISING or FALLING."""
        with self._lock:
            shown = self._observed.get(listing.kind)
            if shown is not None and not (shown is TimeTrend.FALLING and listing.resumed):
                return shown
            if listing.kind not in self._respects_order:
                ids = [str(row["id"]) for row in first.bodies]
                newest = [str(row["id"]) for row in listing.newest()]
                whole = not first.cursor and not listing.resumed
                self._respects_order[listing.kind] = (
                    _ends_with_newest(ids, newest) if whole else newest[:1] != ids[:1]
                )
            obeys = self._respects_order[listing.kind]
        if not obeys:
            raise listing.unknown_order(
                "the server ignores `order`, and the rows tell no time, or all the same"
            )
        return TimeTrend.RISING

    def _record(self, listing: OrderedListing, trend: TimeTrend, tail: deque[str]) -> None:
        """Keep what a whole listing has shown. Times that rise and fall prove nothing: then the server's
        newest rows must be the end of the listing, read backwards."""
        if trend is TimeTrend.MIXED and listing.order_is_content:
            if not _ends_with_newest(list(tail), [str(row["id"]) for row in listing.newest()]):
                raise listing.unknown_order(
                    "its times rise and fall, and asked for newest first it is no other way"
                )
        elif trend in (TimeTrend.RISING, TimeTrend.FALLING):
            with self._lock:
                self._observed.setdefault(listing.kind, trend)


def _ends_with_newest(end: list[str], newest: list[str]) -> bool:
    """Whether the newest rows are the end of a listing, backwards; rows may have been added meanwhile."""
    added = newest.index(end[-1]) if end[-1] in newest else len(newest)
    back = newest[added : added + len(end)]
    same = back == end[::-1][: len(back)] and not set(newest[:added]) & set(end)
    return same and len(back) >= min(2, len(end))


def _compress(rows: list[Body]) -> bytes:
    """Rows in little memory: a listing that has to be turned round may be long."""
    return zlib.compress(json.dumps(rows).encode(), 1)


def _decompress(packed: bytes) -> list[Body]:
    found: list[Body] = json.loads(zlib.decompress(packed))
    return found


def _reversed_rows(packed: list[bytes]) -> Iterator[list[Body]]:
    return (_decompress(rows)[::-1] for rows in reversed(packed))
