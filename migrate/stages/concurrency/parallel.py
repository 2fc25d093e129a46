"""Runs a function over many items on a few threads, holding only as many as are under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from migrate.stages.concurrency.cpu_affinity import one_core
from migrate.stages.concurrency.malloc_trim import Freed

Item = TypeVar("Item")


def in_parallel(
    workers: int, items: Iterable[Item], work: Callable[[Item], None], stop: threading.Event | None = None
) -> None:
    """Do `work` for every item. The first exception stops the rest and is raised; `stop` is set then,
    for work that takes long to notice."""
    with one_core(), ThreadPoolExecutor(workers, thread_name_prefix="hands") as pool:
        under_way: set[Future[None]] = set()
        freed = Freed()
        try:
            for item in items:
                freed.give_back()
                under_way.add(pool.submit(work, item))
                if len(under_way) >= 2 * workers:
                    under_way = _settle(under_way)
            while under_way:
                under_way = _settle(under_way)
        except BaseException:
            if stop:
                stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _settle(under_way: set[Future[None]]) -> set[Future[None]]:
    done, left = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return left
