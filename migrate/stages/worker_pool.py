"""Pools of worker threads: `run_parallel` for independent items, `WorkerPool` for workers and one writer.

Queues are bounded, so workers wait for a slow writer and memory does not grow with the size of the estate.
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
    workers: int, items: Iterable[_ItemT], work: Callable[[_ItemT], None], stop: threading.Event | None
) -> None:
    """Call `work` for every item. The first exception stops the rest and is raised; `stop` is set then, so
    that long work can end early."""
    with ThreadPoolExecutor(workers, thread_name_prefix="parallel-worker") as pool:
        running: set[Future[None]] = set()
        try:
            for item in items:
                running.add(pool.submit(work, item))
                if len(running) >= 2 * workers:
                    running = _raise_first_error(running)
            while running:
                running = _raise_first_error(running)
        except BaseException:
            if stop:
                stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _raise_first_error(running: set[Future[None]]) -> set[Future[None]]:
    """Wait until an item is done. Returns those that still run."""
    done, running = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return running


_EventT = TypeVar("_EventT")

# Where fewer events are queued, the writer waits before it takes them: larger batches need fewer commits.
MIN_BATCH_EVENTS = 8
BATCH_WAIT_S = 0.02


class PoolShutdown(Exception):
    """The writer stopped, so a worker ends without an error."""


class _TaskEnd:
    """A task ended. `error`: the exception that ended it, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class WorkerPool(Generic[_EventT]):
    """Runs tasks on `workers` threads. `batches` gives their events to the calling thread.

    The thread that reads `batches` may call `submit`, before and while it reads.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._tasks: queue.SimpleQueue[tuple[Any, ...] | None]
        # A large estate has several tasks for each of its threads. A future of the standard pool would need
        # ten times the memory of such a tuple.
        self._tasks = queue.SimpleQueue()
        self._queue: queue.Queue[_EventT | _TaskEnd] = queue.Queue(maxsize=2 * workers)
        self._stop = threading.Event()
        self._open = 0
        self._failed: BaseException | None = None

    def submit(self, task: Callable[..., None], *args: object) -> None:
        """Run a task on a worker. An exception in it is raised by `batches`."""
        self._open += 1
        self._tasks.put((task, *args))
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._work, name=f"pool-worker-{len(self._threads)}")
            self._threads.append(thread)
            thread.start()

    def emit(self, event: _EventT) -> None:
        """Give an event to the writer; waits while its queue is full. Called by workers."""
        self._put(event)

    def batches(self, max_events: int) -> Iterator[Iterator[_EventT]]:
        """All events of the tasks, in batches of those that are queued together, at most `max_events`. Each
        batch must be read to its end; this waits only between batches."""
        while self._open:
            first = self._queue.get()
            if self._queue.qsize() < MIN_BATCH_EVENTS < self._open:
                time.sleep(BATCH_WAIT_S)
            yield self._batch(first, max_events)
            if self._failed is not None:
                raise self._failed

    def _batch(self, item: _EventT | _TaskEnd, max_events: int) -> Iterator[_EventT]:
        for rest in reversed(range(max_events)):
            if isinstance(item, _TaskEnd):
                self._open -= 1
                self._failed = self._failed or item.error
            else:
                yield item
            try:
                if self._failed is not None or not rest:
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

    def _run(self, task: Callable[..., None], *args: object) -> None:
        error: BaseException | None = None
        try:
            task(*args)
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
