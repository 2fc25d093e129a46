"""Progress on standard error: a live line on a terminal, a line every few seconds otherwise, and a
summary."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from migrate.cli import print_message, safe_text
from migrate.stages.progress import Progress

# A rate is the mean of this time.
RATE_WINDOW_S = 20.0
# Time between two samples of the counts.
SAMPLE_INTERVAL_S = 0.5
BYTES = "bytes"
# A lower rate of bytes is not shown.
MIN_SHOWN_BYTES_PER_S = 50_000
# Time between two progress lines: on a terminal, and without one.
DISPLAY_INTERVALS_S = (0.2, 10.0)
# How a wait begins during which the remaining time is unknown.
NO_ANSWER = "no answer"
# Of a terminal that does not report its width.
DEFAULT_COLUMNS = 80


@dataclass
class Counts:
    """Counts of what is done and expected, with samples for rates. `final`: names whose total is final."""

    done: dict[str, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    final: set[str] = field(default_factory=set)
    _samples: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)

    def add_sample(self, now: float) -> None:
        """Remember the counts at a time, in seconds."""
        if self._samples and now - self._samples[-1][0] < SAMPLE_INTERVAL_S:
            return
        self._samples.append((now, dict(self.done)))
        while len(self._samples) > 2 and now - self._samples[1][0] >= RATE_WINDOW_S:
            self._samples.popleft()

    def rates(self, now: float) -> dict[str, float]:
        """Count per second of each name that changed within the window."""
        if not self._samples or now <= self._samples[0][0]:
            return {}
        start, before = self._samples[0]
        added = {name: number - before.get(name, 0) for name, number in self.done.items()}
        return {name: number / (now - start) for name, number in added.items() if number > 0}

    def remaining_s(self, now: float) -> float | None:
        """Seconds until everything expected is done; None while a total or a rate is unknown."""
        if not self.expected or self.expected.keys() - self.final:
            return None
        rates = self.rates(now)
        missing = {name: n - self.done.get(name, 0) for name, n in self.expected.items()}
        missing = {name: n for name, n in missing.items() if n > 0}
        if not missing or missing.keys() - rates.keys():
            return None
        return max(n / rates[name] for name, n in missing.items())

    def text(self) -> str:
        """Every count, with its total if one is expected."""
        names = dict.fromkeys([*self.expected, *self.done])
        return ", ".join(map(self._count_text, names))

    def _count_text(self, name: str) -> str:
        done, total = self.done.get(name, 0), self.expected.get(name)
        if total is None:
            return f"{name} {amount_text(name, done)}"
        more = "" if name in self.final else " so far"
        return f"{name} {amount_text(name, done)} of {amount_text(name, total)}{more}"


def amount_text(name: str, number: float) -> str:
    """A number; bytes in MB."""
    return f"{number / 1e6:,.1f} MB" if name == BYTES else f"{number:,.0f}"


def rates_text(rates: dict[str, float]) -> str:
    """The highest rate of objects, and the rate of bytes."""
    objects = {name: rate for name, rate in rates.items() if name != BYTES}
    shown = []
    if objects:
        name = max(objects, key=lambda key: objects[key])
        rate = objects[name]
        shown.append(f"{rate:,.0f} {name}/s" if rate >= 10 else f"{rate:.1f} {name}/s")
    if rates.get(BYTES, 0.0) >= MIN_SHOWN_BYTES_PER_S:
        shown.append(f"{rates[BYTES] / 1e6:,.1f} MB/s")
    return ", ".join(shown)


def duration_text(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


class StderrProgress(Progress):
    """Counts what is done. Its own thread shows the line regularly, also while nothing changes."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, live: bool | None = None, threaded: bool = True
    ) -> None:
        self._clock, self._threaded = clock, threaded
        self._live = sys.stderr.isatty() if live is None else live
        self._lock = threading.RLock()
        self._counts = Counts()
        self._started = self._shown_at = clock()
        self._counts.add_sample(self._started)
        self._watched: list[Callable[[], str]] = []
        self._last_message = ""
        self._line_visible = self._summarized = self._no_answer = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, text: str) -> None:
        with self._lock:
            if text != self._last_message:
                self._wipe()
                print_message(text)
            self._last_message = text

    def show_line(self, text: str) -> None:
        """Show a line above the live one, even if it repeats the line before."""
        with self._lock:
            self._wipe()
            print_message(text)

    def count(self, what: str, done: int = 1) -> None:
        if done:
            with self._lock:
                self._counts.done[what] = self._counts.done.get(what, 0) + done
                self._start_thread()

    def expect(self, what: str, total: int) -> None:
        if total:
            with self._lock:
                self._counts.expected[what] = self._counts.expected.get(what, 0) + total
                self._counts.final.discard(what)
                self._start_thread()

    def total_known(self, what: str) -> None:
        with self._lock:
            self._counts.final.add(what)

    def watch(self, waiting: Callable[[], str]) -> None:
        with self._lock:
            self._watched = [waiting, *self._watched[:3]]
            self._start_thread()

    def tick(self) -> None:
        """Show the line, if the interval has passed."""
        with self._lock:
            now = self._clock()
            self._counts.add_sample(now)
            line = self._line(now)
            outage_began = NO_ANSWER in line and not self._no_answer  # shown at once
            self._no_answer = NO_ANSWER in line
            early = now - self._shown_at < DISPLAY_INTERVALS_S[0 if self._live else 1]
            if (early and not outage_began) or not line:
                return
            self._shown_at = now
            if self._live:
                click.echo(f"\r\x1b[2K{line[: _columns() - 1]}", nl=False, err=True, color=True)
                self._line_visible = True
            else:
                click.echo(line, err=True)

    def close(self) -> None:
        """Remove the live line, and show a summary."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        with self._lock:
            self._thread = None
            self._stop.clear()
            self._wipe()
            if self._counts.done and not self._summarized:
                print_message(self._summary())
            self._summarized = True

    def _start_thread(self) -> None:
        self._summarized = False
        if self._threaded and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(DISPLAY_INTERVALS_S[0] if self._live else 1.0):
            self.tick()

    def _line(self, now: float) -> str:
        counts = self._counts
        waiting = next(filter(None, (ask() for ask in self._watched)), "")
        remaining = None if waiting.startswith(NO_ANSWER) else counts.remaining_s(now)
        # The most important part comes first: a narrow terminal shows only the start.
        parts = [
            waiting,
            "" if remaining is None else f"{duration_text(remaining)} left",
            rates_text(counts.rates(now)),
            counts.text(),
        ]
        text = ", ".join(filter(None, parts))
        return _one_line(f"{now - self._started:6.1f} s  {text}") if text else ""

    def _summary(self) -> str:
        took = max(self._clock() - self._started, 0.001)
        rates = rates_text({name: number / took for name, number in self._counts.done.items()})
        return _one_line(f"{took:,.1f} s in all: {Counts(self._counts.done).text()}, {rates}")

    def _wipe(self) -> None:
        if self._line_visible:
            click.echo("\r\x1b[2K", nl=False, err=True, color=True)
            self._line_visible = False


def _one_line(text: str) -> str:
    return safe_text(text).replace("\n", " ").replace("\t", " ")


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or DEFAULT_COLUMNS
    except (OSError, ValueError):
        return DEFAULT_COLUMNS
