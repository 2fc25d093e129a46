"""A bounded crew of threads that fetch, and one thread that writes what they bring.

Workers block when the writer falls behind, so memory stays flat whatever the size of the estate.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

Event = TypeVar("Event")


class Stopped(Exception):
    """The writer has stopped; a worker ends quietly."""


class _Done:
    """A task ended; `error` is what it died of, if anything."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Crew(Generic[Event]):
    """Runs tasks on `workers` threads; `events` gives what they bring to the calling thread.

    `spawn` may be called by the thread that reads `events`, before and while reading.
    """

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="crew")
        self._queue: queue.Queue[Event | _Done] = queue.Queue(maxsize=2 * workers)
        self._stop = threading.Event()
        self._open = 0

    def spawn(self, task: Callable[[], None]) -> None:
        """Run a task on some worker; an exception in it is raised from `events`."""
        self._open += 1
        self._pool.submit(self._run, task)

    def bring(self, event: Event) -> None:
        """Hand something to the writer; waits while it is busy. Called by workers."""
        self._put(event)

    def events(self) -> Iterator[Event]:
        """Everything the tasks bring, until none is left."""
        while self._open:
            event = self._queue.get()
            if not isinstance(event, _Done):
                yield event
                continue
            self._open -= 1
            if event.error is not None:
                raise event.error

    def __enter__(self) -> Crew[Event]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, task: Callable[[], None]) -> None:
        error: BaseException | None = None
        try:
            task()
        except Stopped:
            return
        except BaseException as raised:
            error = raised
        try:
            self._put(_Done(error))
        except Stopped:
            return

    def _put(self, item: Event | _Done) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
                return
            except queue.Full:
                continue
        raise Stopped
