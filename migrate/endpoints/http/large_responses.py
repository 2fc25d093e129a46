"""Large answers are read and parsed by one thread after the other: memory is bounded by the size of one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from migrate.endpoints.http.deadlines import WHOLE_ANSWER_TIMEOUT_S

_turn = threading.Lock()


class _OfThread(threading.local):
    held = False


_here = _OfThread()


def take_turn() -> None:
    """The answer that this thread reads is large: wait until no other one is."""
    if not _here.held:
        _here.held = _turn.acquire(timeout=WHOLE_ANSWER_TIMEOUT_S)


@contextmanager
def one_answer() -> Iterator[None]:
    """Around a request and the parsing of its answer: whoever took the turn gives it back."""
    try:
        yield
    finally:
        if _here.held:
            _here.held = False
            _turn.release()
