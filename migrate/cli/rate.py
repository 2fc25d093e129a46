"""Counts at moments in, what they say out: how fast lately, how much is left, for how long."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW = 20.0
"""Seconds that a rate looks back."""
APART = 0.5
"""Seconds between two moments that are remembered."""
BYTES = "bytes"
LEAST = 50_000
"""Bytes a second that are worth a word."""


@dataclass
class Counts:
    """What is done, what was announced, and how it went lately."""

    done: dict[str, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    _moments: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)

    def note(self, now: float) -> None:
        """Remember how much is done at a moment."""
        if self._moments and now - self._moments[-1][0] < APART:
            return
        self._moments.append((now, dict(self.done)))
        while len(self._moments) > 2 and now - self._moments[1][0] >= WINDOW:
            self._moments.popleft()

    def rates(self, now: float) -> dict[str, float]:
        """How many a second of what moved lately."""
        if not self._moments or now <= self._moments[0][0]:
            return {}
        then, before = self._moments[0]
        moved = {what: number - before.get(what, 0) for what, number in self.done.items()}
        return {what: number / (now - then) for what, number in moved.items() if number > 0}

    def left(self, now: float) -> float | None:
        """Seconds until everything that was announced is done; None while a total or a rate is unknown."""
        if not self.expected or self.expected.keys() - self.settled:
            return None
        rates = self.rates(now)
        waiting = {what: n - self.done.get(what, 0) for what, n in self.expected.items()}
        waiting = {what: n for what, n in waiting.items() if n > 0}
        if not waiting or waiting.keys() - rates.keys():
            return None
        return max(n / rates[what] for what, n in waiting.items())

    def told(self) -> str:
        """Every count, with its total where one was announced."""
        names = dict.fromkeys([*self.expected, *self.done])
        return ", ".join(self._one(what) for what in names)

    def _one(self, what: str) -> str:
        done, total = self.done.get(what, 0), self.expected.get(what)
        if total is None:
            return f"{what} {amount(what, done)}"
        more = "" if what in self.settled else " so far"
        return f"{what} {amount(what, done)} of {amount(what, total)}{more}"


def amount(what: str, number: float) -> str:
    """A number with its unit, if its name is not one."""
    return f"{number / 1e6:,.1f} MB" if what == BYTES else f"{number:,.0f}"


def fastest(rates: dict[str, float]) -> str:
    """The rate of what moves most, and of bytes."""
    objects = {what: rate for what, rate in rates.items() if what != BYTES}
    shown = []
    if objects:
        what = max(objects, key=lambda name: objects[name])
        shown.append(f"{_few(objects[what])} {what}/s")
    if rates.get(BYTES, 0.0) >= LEAST:
        shown.append(f"{rates[BYTES] / 1e6:,.1f} MB/s")
    return ", ".join(shown)


def span(seconds: float) -> str:
    """A time for people: seconds, then minutes, then hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def _few(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
