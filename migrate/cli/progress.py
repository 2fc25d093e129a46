"""Progress on stderr: a live line on a terminal, a line now and then without one."""

from __future__ import annotations

import sys
import threading
import time

import click

from migrate.cli import clean
from migrate.stages.progress import Progress

EVERY = (0.2, 10.0)
"""Seconds between two tellings: on a terminal, and without one."""


class Spoken(Progress):
    """Counts what is done and tells it, at a humane pace."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[str, int] = {}
        self._live = sys.stderr.isatty()
        self._started = self._told = time.monotonic()
        self._said = ""
        self._shown = False

    def say(self, text: str) -> None:
        with self._lock:
            if text != self._said:
                self._wipe()
                click.echo(clean(text), err=True)
            self._said = text

    def count(self, what: str, done: int = 1) -> None:
        if not done:
            return
        with self._lock:
            self._done[what] = self._done.get(what, 0) + done
            now = time.monotonic()
            if now - self._told < EVERY[0 if self._live else 1]:
                return
            self._told = now
            line = self._line(now)
            if self._live:
                click.echo(f"\r\x1b[2K{line[:100]}", nl=False, err=True)
                self._shown = True
            else:
                click.echo(line, err=True)

    def _line(self, now: float) -> str:
        parts = [f"{what} {number:,}" for what, number in self._done.items()]
        return f"{now - self._started:6.1f} s  {', '.join(parts)}"

    def close(self) -> None:
        """Leave a clean line behind."""
        with self._lock:
            self._wipe()

    def _wipe(self) -> None:
        if self._shown:
            click.echo("\r\x1b[2K", nl=False, err=True)
            self._shown = False
