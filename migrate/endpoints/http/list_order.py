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
from migrate.model.entity import creation_time
from migrate.model.page_cursor import RESTART_FROM_FIRST_PAGE

UNKNOWN = 0.0
COMPARED = 100
"""Rows at the end of a listing that are compared with the server's newest: one page."""


class Trend(Enum):
    """Which way the times of rows go. EVEN: all alike, or told by none."""

    RISING = auto()
    FALLING = auto()
    MIXED = auto()
    EVEN = auto()

    def joined(self, other: Trend) -> Trend:
        """Of two stretches, one behind the other."""
        if self is other or other is Trend.EVEN:
            return self
        return other if self is Trend.EVEN else Trend.MIXED


@dataclass
class Times:
    """The times of a listing's rows, one after the other."""

    trend: Trend = Trend.EVEN
    last: float = UNKNOWN

    def add(self, rows: Iterable[Body]) -> Trend:
        """The trend with these rows at the end."""
        for row in rows:
            time = moment(row)
            if time == UNKNOWN:
                continue
            if self.last != UNKNOWN and time != self.last:
                self.trend = self.trend.joined(Trend.RISING if time > self.last else Trend.FALLING)
            self.last = time
        return self.trend


def moment(row: Body) -> float:
    """When a row was made; for an agent, whose row tells none, when its newest version was. `UNKNOWN` where
    nothing is told (items of conversations)."""
    found = creation_time(row, UNKNOWN)
    if found == UNKNOWN and isinstance(versions := row.get("versions"), dict):
        latest = versions.get("latest")
        found = creation_time(latest, UNKNOWN) if isinstance(latest, dict) else UNKNOWN
    return found


@dataclass(frozen=True)
class Question:
    """A listing whose order is to be proved. `is_content`: its order says something (who spoke first), so
    an unknown one is an error. `newest` asks the server for its newest rows, newest first."""

    kind: str
    asked: str
    is_content: bool
    newest: Callable[[], list[Body]]
    resumed: bool = False

    def unproved(self, why: str) -> PaginationError:
        """The error of a listing whose order cannot be told."""
        return PaginationError(f"GET {self.asked}: which row came first cannot be told: {why}")


@dataclass
class Sorting:
    """How one server sorts, as far as it has shown. Threads may share it."""

    _shown: dict[str, Trend] = field(default_factory=dict)
    """Kind -> RISING or FALLING: how a listing came that was asked for oldest first, and whose times told."""
    _obeys: dict[str, bool] = field(default_factory=dict)
    """Kind -> whether `order` makes a difference, once asked."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def oldest_first(self, pages: Iterator[Page], question: Question) -> Iterator[Page]:
        """The pages of a listing that was asked for oldest first. Raises `PaginationError` where the order
        cannot be told and is content."""
        first = next(pages, None)
        if first is None:
            return
        times = Times()
        trend = times.add(first.bodies)
        if trend is Trend.EVEN and question.is_content and first.cursor:
            # Where the service does not say that this was all, only the next page tells.
            second = next(pages, None)
            first = first if second else Page(first.bodies)
            pages = chain([second], pages) if second else pages
        if trend is Trend.EVEN and question.is_content and (len(first.bodies) > 1 or first.cursor):
            trend = self._even(question, first)
        if trend is Trend.FALLING:
            yield from self._turned(chain([first], pages), question)
            return
        tail = deque((str(row["id"]) for row in first.bodies), maxlen=COMPARED)
        yield first
        for page in pages:
            times.add(page.bodies)
            tail.extend(str(row["id"]) for row in page.bodies)
            yield page
        self._settle(question, times.trend, tail)

    def newest_first(self, pages: Iterator[Page]) -> Iterator[Page]:
        """The pages of a listing that was asked for newest first; turned round where its times rise."""
        first = next(pages, None)
        if first is None:
            return
        if Times().add(first.bodies) is Trend.RISING:
            packed = [_packed(page.bodies) for page in chain([first], pages)]
            yield from (Page(rows) for rows in _backwards(packed))
            return
        yield first
        yield from pages

    def _turned(self, pages: Iterable[Page], question: Question) -> Iterator[Page]:
        """A listing that came newest first, oldest first: all of it is read before any of it is given."""
        times, packed, tail = Times(), [], deque[str](maxlen=COMPARED)
        for page in pages:
            times.add(page.bodies)
            tail.extend(str(row["id"]) for row in page.bodies)
            packed.append(_packed(page.bodies))
        self._settle(question, times.trend, tail)
        if question.resumed and times.trend is not Trend.MIXED:
            raise question.unproved("it ignores `order`, and a part of it was read before")
        given = map(_unpacked, packed) if times.trend is Trend.MIXED else _backwards(packed)
        for number, rows in enumerate(given, 1):
            yield Page(rows, RESTART_FROM_FIRST_PAGE if number < len(packed) else "")

    def _even(self, question: Question, first: Page) -> Trend:
        """The order of a listing that begins with rows whose times do not tell: RISING or FALLING."""
        with self._lock:
            shown = self._shown.get(question.kind)
            if shown is not None and not (shown is Trend.FALLING and question.resumed):
                return shown
            if question.kind not in self._obeys:
                ids = [str(row["id"]) for row in first.bodies]
                newest = [str(row["id"]) for row in question.newest()]
                whole = not first.cursor and not question.resumed
                self._obeys[question.kind] = _follows(ids, newest) if whole else newest[:1] != ids[:1]
            obeys = self._obeys[question.kind]
        if not obeys:
            raise question.unproved("the server ignores `order`, and the rows tell no time, or all the same")
        return Trend.RISING

    def _settle(self, question: Question, trend: Trend, tail: deque[str]) -> None:
        """Keep what a whole listing has shown. Times that rise and fall prove nothing: then the server's
        newest rows must be the end of the listing, read backwards."""
        if trend is Trend.MIXED and question.is_content:
            if not _follows(list(tail), [str(row["id"]) for row in question.newest()]):
                raise question.unproved(
                    "its times rise and fall, and asked for newest first it is no other way"
                )
        elif trend in (Trend.RISING, Trend.FALLING):
            with self._lock:
                self._shown.setdefault(question.kind, trend)


def _follows(end: list[str], newest: list[str]) -> bool:
    """Whether the newest rows are the end of a listing, backwards; rows may have been added meanwhile."""
    added = newest.index(end[-1]) if end[-1] in newest else len(newest)
    back = newest[added : added + len(end)]
    same = back == end[::-1][: len(back)] and not set(newest[:added]) & set(end)
    return same and len(back) >= min(2, len(end))


def _packed(rows: list[Body]) -> bytes:
    """Rows in little memory: a listing that has to be turned round may be long."""
    return zlib.compress(json.dumps(rows).encode(), 1)


def _unpacked(packed: bytes) -> list[Body]:
    found: list[Body] = json.loads(zlib.decompress(packed))
    return found


def _backwards(packed: list[bytes]) -> Iterator[list[Body]]:
    return (_unpacked(rows)[::-1] for rows in reversed(packed))
