"""Large answers are read and parsed by one thread after the other: memory is bounded by the size of one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from migrate.endpoints.http.deadlines import WHOLE_ANSWER_TIMEOUT_S

_lock = threading.Lock()


class _ThreadState(threading.local):
    is_held = False


_thread = _ThreadState()


def wait_for_large_response() -> None:
    """The answer that this thread reads is large: wait until no other one is."""
    if not _thread.is_held:
        _thread.is_held = _lock.acquire(timeout=WHOLE_ANSWER_TIMEOUT_S)


@contextmanager
def one_large_response() -> Iterator[None]:
    """Around a request and the parsing of its answer: whoever took the turn gives it back."""
    try:
        yield
    finally:
        if _thread.is_held:
            _thread.is_held = False
            _lock.release()
