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
    """The items of the iterator that `make` returns, in order; one more is made before it is asked for.

    `make` is called in the thread. It gets a function that raises `IterationStopped` after the block has
    ended, also with an error: long work calls it often. What the iterator raises is raised here. After the
    block the thread has ended.
    """
    results: queue.Queue[tuple[Made | None, BaseException | None]] = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def check_stopped() -> None:
        if stopped.is_set():
            raise IterationStopped

    def put(item: Made | None, error: BaseException | None) -> None:
        while True:
            check_stopped()
            try:
                return results.put((item, error), timeout=WAIT_S)
            except queue.Full:
                continue

    def work() -> None:
        try:
            try:
                for item in make(check_stopped):
                    put(item, None)
                put(None, None)
            except IterationStopped:
                raise
            except BaseException as error:
                put(None, error)
        except IterationStopped:
            pass

    thread = threading.Thread(target=work, name="index", daemon=True)
    thread.start()
    try:
        yield _received(results)
    finally:
        stopped.set()
        thread.join()


def _received(results: queue.Queue[tuple[Made | None, BaseException | None]]) -> Iterator[Made]:
    while True:
        try:
            item, error = results.get(timeout=WAIT_S)  # without a limit, Ctrl-C would wait on Windows
        except queue.Empty:
            continue
        if error is not None:
            raise error
        if item is None:
            return
        yield item
