"""Progress on stderr: a live line on a terminal, a line now and then without one, a summary at the end."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from migrate.cli import clean, tell
from migrate.stages.progress import Progress

# Seconds that a rate looks back.
WINDOW = 20.0
# Seconds between two moments that are remembered.
APART = 0.5
BYTES = "bytes"
# Bytes a second that are worth a word.
LEAST = 50_000


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


# Seconds between two tellings: on a terminal, and without one.
EVERY = (0.2, 10.0)
# Where this is waited for, nobody knows how much time is left.
NO_ANSWER = "no answer"
# Of a terminal that does not say how wide it is.
WIDTH = 80


class StderrProgress(Progress):
    """Counts what is done; a thread of its own tells it, at a humane pace, also while nothing moves."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, live: bool | None = None, beating: bool = True
    ) -> None:
        self._clock, self._beating = clock, beating
        self._live = sys.stderr.isatty() if live is None else live
        self._lock = threading.RLock()
        self._counts = Counts()
        self._started = self._told = clock()
        self._counts.note(self._started)
        self._watched: list[Callable[[], str]] = []
        self._said = ""
        self._shown = self._summed = self._silent = False
        self._stop = threading.Event()
        self._beat: threading.Thread | None = None

    def say(self, text: str) -> None:
        with self._lock:
            if text != self._said:
                self._wipe()
                tell(text)
            self._said = text

    def show_line(self, text: str) -> None:
        """A line above the live one: a line of the log, also where it repeats the one before."""
        with self._lock:
            self._wipe()
            tell(text)

    def count(self, what: str, done: int = 1) -> None:
        if done:
            with self._lock:
                self._counts.done[what] = self._counts.done.get(what, 0) + done
                self._go()

    def expect(self, what: str, total: int) -> None:
        if total:
            with self._lock:
                self._counts.expected[what] = self._counts.expected.get(what, 0) + total
                self._counts.settled.discard(what)
                self._go()

    def total_known(self, what: str) -> None:
        with self._lock:
            self._counts.settled.add(what)

    def watch(self, waiting: Callable[[], str]) -> None:
        with self._lock:
            self._watched = [waiting, *self._watched[:3]]
            self._go()

    def tick(self) -> None:
        """Tell how far it is, if it is time to."""
        with self._lock:
            now = self._clock()
            self._counts.note(now)
            line = self._line(now)
            fell_silent = NO_ANSWER in line and not self._silent  # worth a line at once
            self._silent = NO_ANSWER in line
            if (now - self._told < EVERY[0 if self._live else 1] and not fell_silent) or not line:
                return
            self._told = now
            if self._live:
                click.echo(f"\r\x1b[2K{line[: _width() - 1]}", nl=False, err=True, color=True)
                self._shown = True
            else:
                click.echo(line, err=True)

    def close(self) -> None:
        """End the live line, and say in one line what was done."""
        self._stop.set()
        if self._beat:
            self._beat.join()
        with self._lock:
            self._beat = None
            self._stop.clear()
            self._wipe()
            if self._counts.done and not self._summed:
                tell(self._summary())
            self._summed = True

    def _go(self) -> None:
        self._summed = False
        if self._beating and self._beat is None:
            self._beat = threading.Thread(target=self._run, name="progress", daemon=True)
            self._beat.start()

    def _run(self) -> None:
        while not self._stop.wait(EVERY[0] if self._live else 1.0):
            self.tick()

    def _line(self, now: float) -> str:
        counts = self._counts
        waiting = next(filter(None, (ask() for ask in self._watched)), "")
        left = None if waiting.startswith(NO_ANSWER) else counts.left(now)
        rate = fastest(counts.rates(now))
        # What matters most comes first: a narrow terminal shows the beginning.
        parts = [waiting, "" if left is None else f"{span(left)} left", rate, counts.told()]
        told = ", ".join(filter(None, parts))
        return _one_line(f"{now - self._started:6.1f} s  {told}") if told else ""

    def _summary(self) -> str:
        took = max(self._clock() - self._started, 0.001)
        rate = fastest({what: number / took for what, number in self._counts.done.items()})
        done = Counts(self._counts.done).told()
        return _one_line(f"{took:,.1f} s in all: {done}, {rate}")

    def _wipe(self) -> None:
        if self._shown:
            click.echo("\r\x1b[2K", nl=False, err=True, color=True)
            self._shown = False


def _one_line(text: str) -> str:
    return clean(text).replace("\n", " ").replace("\t", " ")


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH
