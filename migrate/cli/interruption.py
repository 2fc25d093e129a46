"""Ctrl-C and SIGTERM: a command ends with what it did and what is left, also when it is pressed twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from migrate.errors import IncompleteResult

STOPPED_EXIT_CODE = 3
# Signals that follow one another faster are one: a key that is held, or two programs that both forward it.
ONE_STOP_S = 1.0
SECOND_STOP_TEXT = b"\nstopping: the requests under way are awaited; once more ends at once, without a list\n"


class StopSignals:
    """Handles Ctrl-C and SIGTERM, with which service managers and `docker stop` end a program.

    The first one raises `KeyboardInterrupt`. Python would raise it again at each further one, while the
    command lists what it did. So the second one only says what is awaited, and the third one ends the program
    at once: what it sent is in the journal, as after a kill."""

    def __init__(self) -> None:
        self._count, self._last = 0, 0.0

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Called in the main thread, between two of its instructions."""
        now = time.monotonic()
        if self._count and now - self._last < ONE_STOP_S:
            return
        self._last = now
        self._count += 1
        if self._count == 1:
            raise KeyboardInterrupt
        if self._count > 2:
            os._exit(STOPPED_EXIT_CODE)
        os.write(2, SECOND_STOP_TEXT)


@contextmanager
def stop_signals() -> Iterator[None]:
    """Handle both signals until the block ends. Elsewhere than in the main thread nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handle = StopSignals().handle
    # Who started the program may have it ignore one of them, as a shell does with a job in the background.
    handled = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def resumable(what: str, why: str, todo: str) -> Iterator[None]:
    """End a step that is stopped with `IncompleteResult`: what happened, why, and how to continue."""
    try:
        yield
    except KeyboardInterrupt:
        raise IncompleteResult(what, why, todo) from None
