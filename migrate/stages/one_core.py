"""Threads of this program side by side on one processor, for as long as they work.

They take turns at the interpreter anyway. Handing it from one processor to another costs a fifth of the time
that a snapshot takes (docs/performance.md); staying on one costs nothing while another program has the rest.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STAT = Path("/proc/thread-self/stat")
"""Where Linux says on which processor a thread was last: see proc(5), field 39."""
PROCESSOR = 36
"""Its place behind the name of the program."""


@contextmanager
def one_core() -> Iterator[None]:
    """Threads that are started within share the processor that this one runs on. Where that cannot be said,
    nothing changes."""
    try:
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {_processor()})
    except (AttributeError, OSError, ValueError, IndexError):  # not Linux, or not allowed
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, allowed)


def _processor() -> int:
    return int(STAT.read_text().rpartition(")")[2].split()[PROCESSOR])
