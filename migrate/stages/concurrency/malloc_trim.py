"""Memory that was used and is free, given back to the system now and then.

glibc keeps it: between the large buffers of answers lie small things that stay, so what a program holds would
grow for as long as it runs, though what it uses does not (docs/performance.md). See malloc_trim(3).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

EVERY = 0.25
"""Seconds. Looking takes one to three thousandths."""


class Freed:
    """Gives back what is free, where it is time to and the system knows how."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def give_back(self) -> None:
        """Called often, by the thread that waits for the others."""
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            _trim()(0)


@cache
def _trim() -> Callable[[int], int]:
    try:
        import ctypes  # late: only who works for a quarter of a second needs it

        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (ImportError, OSError, TypeError, AttributeError):  # another system, another C library
        return lambda keep: 0
    return trim
