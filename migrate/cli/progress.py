"""Progress on stderr: a live line on a terminal, a line now and then without one, a summary at the end."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

import click

from migrate.cli import clean, tell
from migrate.cli.rate import Counts, fastest, span
from migrate.stages.progress import Progress

EVERY = (0.2, 10.0)
"""Seconds between two tellings: on a terminal, and without one."""
NO_ANSWER = "no answer"
"""Where this is waited for, nobody knows how much time is left."""
WIDTH = 80
"""Of a terminal that does not say how wide it is."""


class Spoken(Progress):
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

    def settled(self, what: str) -> None:
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
