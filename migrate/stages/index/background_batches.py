"""Run an iterator in a thread of its own, so that its work overlaps with that of the caller."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Made = TypeVar("Made")
# How long the thread, or the caller, waits before it looks whether the other one has ended.
WAIT_S = 0.2


class IterationStopped(Exception):
    """The caller does not want any more. It is raised in the thread only."""


@contextmanager
def iterate_in_background(
    make: Callable[[Callable[[], None]], Iterator[Made]],
) -> Iterator[Iterator[Made]]:
    """The items of the iterator that `make` returns, in order. The next one is made while the caller has one,
    and no more: items may be large.

    `make` is called in the thread. It gets a function that raises `IterationStopped` after the block has
    ended, also with an error: long work calls it often. What the iterator raises is raised here. After the
    block the thread has ended.
    """
    results: queue.Queue[tuple[Made | None, BaseException | None]] = queue.Queue()
    stopped, wanted = threading.Event(), threading.Semaphore(1)

    def check_stopped() -> None:
        if stopped.is_set():
            raise IterationStopped

    def work() -> None:
        try:
            made = make(check_stopped)
            while True:
                while not wanted.acquire(timeout=WAIT_S):
                    check_stopped()
                item = next(made, None)
                results.put((item, None))
                if item is None:
                    return
                del item
        except BaseException as error:
            if not isinstance(error, IterationStopped):
                results.put((None, error))

    thread = threading.Thread(target=work, name="index", daemon=True)
    thread.start()
    try:
        yield _received(results, wanted)
    finally:
        stopped.set()
        thread.join()


def _received(
    results: queue.Queue[tuple[Made | None, BaseException | None]], wanted: threading.Semaphore
) -> Iterator[Made]:
    while True:
        try:
            item, error = results.get(timeout=WAIT_S)  # without a limit, Ctrl-C would wait on Windows
        except queue.Empty:
            continue
        if error is not None:
            raise error
        if item is None:
            return
        wanted.release()
        yield item
