"""Ctrl-C and SIGTERM end the server in silence, whatever its tasks do when they are cancelled."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from migrate.mcp import server as module

POSIX = pytest.mark.skipif(os.name != "posix", reason="event loops handle signals on POSIX only")


class BrokenSession:
    """A server whose session fails when it is cancelled, as the SDK does while a message comes in."""

    def create_initialization_options(self) -> None:
        """No options."""

    async def run(self, *_: Any) -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise ConnectionError("the stream is closed") from None


@pytest.fixture(autouse=True)
def _no_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def open_streams(_: int) -> AsyncIterator[tuple[None, None]]:
        yield None, None

    monkeypatch.setattr(module, "open_streams", open_streams)


async def serve(on_ready: Callable[[], None]) -> None:
    session: Any = BrokenSession()
    await module._serve_streams(session, 1, on_ready)


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_session_that_fails_while_it_ends_is_no_failure(number: signal.Signals) -> None:
    def send_signal() -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)

    asyncio.run(serve(send_signal))


def test_a_session_that_fails_by_itself_is_a_failure() -> None:
    async def fail() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_soon(task.cancel)
        await serve(lambda: None)

    with pytest.raises(ConnectionError):
        asyncio.run(fail())
