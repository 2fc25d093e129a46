"""How much may be in progress at once: requests wait for their turn, so that memory stays bounded however
many of them come, and however slowly their answers are taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from migrate.model.input_limits import MIB
from migrate.serve.api import API_PREFIXES

# What all requests in progress may take together.
TOTAL_BYTES = 40 * MIB
# What a request may take, with what is read for it: measured at 2 to 12 MB for a page as long as pages get,
# 25 MB for one to be printed, and below 2 MB for most answers of the API.
PAGE_BYTES, PRINTED_BYTES, COMPARISON_BYTES, API_BYTES = 4 * MIB, 20 * MIB, 8 * MIB, 2 * MIB
# The bytes of a file are read in chunks of 1 MiB, one ahead.
CONTENT_BYTES = 2 * MIB
# Seconds that a request waits for its turn.
MAX_TURN_WAIT_S = 20.0
CONTENT_SUFFIX, COMPARISON_PATH, STATIC_PREFIX = "/content", "/compare", "/static/"


class TooBusy(Exception):
    """A request waited for its turn for too long."""


class WorkBudget:
    """A number of bytes that requests take parts of, first come, first served. For one event loop."""

    def __init__(self, total: int = TOTAL_BYTES, max_wait_s: float = MAX_TURN_WAIT_S) -> None:
        self._free, self._total, self._max_wait_s = total, total, max_wait_s
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def take(self, size: int) -> AsyncIterator[None]:
        """Hold a part as long as the context lasts. Raises `TooBusy`."""
        size = min(size, self._total)
        await self._wait(size)
        try:
            yield
        finally:
            self._free += size
            self._serve_waiting()

    async def _wait(self, size: int) -> None:
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._waiting.append(entry)
        done = False
        try:
            done = bool((await asyncio.wait({turn}, timeout=self._max_wait_s))[0])
            if not done:
                raise TooBusy
        finally:
            if not done:  # it waited for too long, or nobody waits for the answer any more
                if turn.done():
                    self._free += size
                else:
                    self._waiting.remove(entry)
                self._serve_waiting()

    def _serve_waiting(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            size, turn = self._waiting.popleft()
            self._free -= size
            turn.set_result(None)


def bytes_of_request(path: str, query: bytes) -> int:
    """What a request may take, estimated by its address; 0 for what is always small."""
    if path.startswith(STATIC_PREFIX):
        return 0
    if path.endswith(CONTENT_SUFFIX):
        return CONTENT_BYTES
    if path.startswith(API_PREFIXES):
        return API_BYTES
    if path == COMPARISON_PATH:
        return COMPARISON_BYTES
    given: Mapping[str, list[str]] = parse_qs(query.decode("latin-1"), max_num_fields=None)
    return PRINTED_BYTES if "all" in given else PAGE_BYTES


class TurnTaker:
    """The layer of the application in which a request waits for its turn, and keeps it until its answer was
    taken."""

    def __init__(self, app: ASGIApp, budget: WorkBudget) -> None:
        self._app, self._budget = app, budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with self._budget.take(bytes_of_request(scope["path"], scope["query_string"])):
            await self._app(scope, receive, send)
