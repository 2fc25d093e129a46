"""Run the threads of this program on one processor for as long as they work.

They take turns at the interpreter anyway. Handing it from one processor to another costs a fifth of the time
that a snapshot takes (docs/performance.md); staying on one costs nothing while another program has the rest.
Nor does one that wakes interrupt the one that runs: it could only wait for the interpreter. See sched(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeAlias

# Seconds. Looking takes one to three thousandths.
TRIM_INTERVAL_S = 0.25


class MemoryTrimmer:
    """Gives back what is free, where it is time to and the system knows how."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def trim_if_due(self) -> None:
        """Called often, by the thread that waits for the others."""
        now = time.monotonic()
        if now - self._last >= TRIM_INTERVAL_S:
            self._last = now
            _malloc_trim()(0)


@cache
def _malloc_trim() -> Callable[[int], int]:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, TypeError, AttributeError):  # another system, another C library
        return lambda keep: 0
    return trim


# Where Linux says on which processor a thread was last: see proc(5), field 39.
THREAD_STAT_FILE = Path("/proc/thread-self/stat")
# Its place behind the name of the program.
PROCESSOR_FIELD = 36

Undo: TypeAlias = Callable[[], None]


@contextmanager
def pin_to_one_cpu() -> Iterator[None]:
    """Threads that are started within share the processor that this one runs on, and take turns there. Where
    that cannot be said, nothing changes."""
    with _apply_if_allowed(_pin_to_current_cpu), _apply_if_allowed(_use_batch_scheduling):
        yield


def _pin_to_current_cpu() -> Undo:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {_current_cpu()})
    return lambda: os.sched_setaffinity(0, allowed)


def _use_batch_scheduling() -> Undo:
    if os.sched_getscheduler(0) != os.SCHED_OTHER:  # somebody chose another one
        return _no_undo
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    return lambda: os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _no_undo() -> None:
    pass


@contextmanager
def _apply_if_allowed(change: Callable[[], Undo]) -> Iterator[None]:
    """What a change does, until the block ends."""
    undo: Undo = _no_undo
    with contextlib.suppress(AttributeError, OSError, ValueError, IndexError):  # not Linux, or not allowed
        undo = change()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            undo()


def _current_cpu() -> int:
    return int(THREAD_STAT_FILE.read_text().rpartition(")")[2].split()[PROCESSOR_FIELD])
