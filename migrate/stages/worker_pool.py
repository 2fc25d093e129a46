"""A bounded pool of threads that fetch, and one thread that writes what they emit.

Workers block when the writer falls behind, so memory stays flat whatever the size of the estate.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Generic, TypeVar

_ItemT = TypeVar("_ItemT")


def run_parallel(
    workers: int, items: Iterable[_ItemT], work: Callable[[_ItemT], None], stop: threading.Event | None = None
) -> None:
    """Do `work` for every item. The first exception stops the rest and is raised; `stop` is set then,
    for work that takes long to notice."""
    with ThreadPoolExecutor(workers, thread_name_prefix="parallel-worker") as pool:
        under_way: set[Future[None]] = set()
        try:
            for item in items:
                under_way.add(pool.submit(work, item))
                if len(under_way) >= 2 * workers:
                    under_way = _raise_first_error(under_way)
            while under_way:
                under_way = _raise_first_error(under_way)
        except BaseException:
            if stop:
                stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _raise_first_error(under_way: set[Future[None]]) -> set[Future[None]]:
    done, left = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return left


_EventT = TypeVar("_EventT")

MIN_BATCH_EVENTS = 8
# Where fewer wait: seconds in which what arrives joins what came first, for fewer and larger groups.
BATCH_WAIT_S = 0.02


class PoolShutdown(Exception):
    """The writer has stopped; a worker ends quietly."""


class _TaskEnd:
    """A task ended; `error` is what it died of, if anything."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class WorkerPool(Generic[_EventT]):
    """Runs tasks on `workers` threads; `batches` gives what they bring to the calling thread.

    `spawn` may be called by the thread that reads `batches`, before and while reading.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._tasks: queue.SimpleQueue[tuple[Any, ...] | None]
        # What is to be done. Of a large estate that is several calls for each thread in it, so a task is
        # nothing more: a future of the standard pool takes ten times the memory.
        self._tasks = queue.SimpleQueue()
        self._queue: queue.Queue[_EventT | _TaskEnd] = queue.Queue(maxsize=2 * workers)
        self._stop = threading.Event()
        self._open = 0
        self._failed: BaseException | None = None

    def submit(self, task: Callable[..., None], *given: object) -> None:
        """Run a task on some worker; an exception in it is raised from `batches`."""
        self._open += 1
        self._tasks.put((task, *given))
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._work, name=f"pool-worker-{len(self._threads)}")
            self._threads.append(thread)
            thread.start()

    def emit(self, event: _EventT) -> None:
        """Hand something to the writer; waits while it is busy. Called by workers."""
        self._put(event)

    def batches(self, most: int) -> Iterator[Iterator[_EventT]]:
        """Everything the tasks bring, until none is left, in groups: what waits together, at most so many.
        Each group must be read to its end; only between groups is anything waited for."""
        while self._open:
            first = self._queue.get()
            if self._queue.qsize() < MIN_BATCH_EVENTS < self._open:
                time.sleep(BATCH_WAIT_S)
            yield self._together(first, most)
            if self._failed is not None:
                raise self._failed

    def _together(self, item: _EventT | _TaskEnd, most: int) -> Iterator[_EventT]:
        for left in reversed(range(most)):
            if isinstance(item, _TaskEnd):
                self._open -= 1
                self._failed = self._failed or item.error
            else:
                yield item
            try:
                if self._failed is not None or not left:
                    return
                item = self._queue.get_nowait()
            except queue.Empty:
                return

    def __enter__(self) -> WorkerPool[_EventT]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            if not self._stop.is_set():
                self._run(*task)

    def _run(self, task: Callable[..., None], *given: object) -> None:
        error: BaseException | None = None
        try:
            task(*given)
        except PoolShutdown:
            return
        except BaseException as raised:
            error = raised
        try:
            self._put(_TaskEnd(error))
        except PoolShutdown:
            return

    def _put(self, item: _EventT | _TaskEnd) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
                return
            except queue.Full:
                continue
        raise PoolShutdown
