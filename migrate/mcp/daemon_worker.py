"""A thread that runs one function after the other for an event loop, and that never keeps the program from
ending.

The threads of `asyncio` and of the SDK are waited for at the end, so a read from standard input or a long
search would keep Ctrl-C waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


class DaemonWorker:
    """One daemon thread. What it was asked to run last runs last."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def call(self, function: Callable[[], _T]) -> _T:
        """The result of a function that the thread runs. Raises what it raises. A caller that is cancelled
        no longer waits; a job that has not begun by then is not run."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._jobs.put((function, future))
        return await future

    def _run(self) -> None:
        while True:
            function, future = self._jobs.get()
            if future.cancelled():
                continue
            try:
                result, error = function(), None
            except BaseException as raised:  # the caller decides what it means
                result, error = None, raised
            with contextlib.suppress(RuntimeError):  # the loop was closed: no task waits any more
                future.get_loop().call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
