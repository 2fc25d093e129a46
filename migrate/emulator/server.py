"""Start and stop an emulated service on a loopback address, in a thread of its own or until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from migrate.emulator.apis import Api, azure_openai, foundry, openai
from migrate.emulator.app import EmulatedService, Request
from migrate.emulator.faults.middleware import FaultMiddleware
from migrate.emulator.faults.parser import read_faults
from migrate.emulator.faults.rule import CLOSE_CONNECTION
from migrate.emulator.options import Options, ServiceName
from migrate.emulator.resources.inventory import fill_inventory
from migrate.emulator.saved_state import load
from migrate.emulator.state import Estate

APIS: dict[ServiceName, tuple[Api, ...]] = {
    "azure-openai": azure_openai.APIS,
    "openai": (openai.API,),
    "foundry": foundry.APIS,
}
# The path in the URL that clients are given: OpenAI's SDK expects the version in it, Azure's does not.
BASE_PATHS: dict[ServiceName, str] = {"azure-openai": "", "openai": "/v1", "foundry": foundry.PROJECT}
START_TIMEOUT_S, STOP_TIMEOUT_S = 10.0, 5.0
TICK_S = 0.1  # as uvicorn: the date in the headers is renewed, and a signal is seen

AppWrapper = Callable[[Any], Any]  # takes the ASGI application of the service and returns one around it


class _Protocol(H11Protocol):
    """Adds to the scope of each request a function that ends its connection, which faults use."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        service = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await service({**scope, CLOSE_CONNECTION: self._close_connection}, receive, send)

        self.app = app

    def _close_connection(self, at_once: bool) -> None:
        if at_once:
            self.transport.abort()
        else:
            self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn without the features that a rehearsal does not need, and without its pauses at the end."""

    def __init__(self, app: Any) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None

    async def main_loop(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ending.wait(), TICK_S)

    def end(self) -> None:
        """Stop at once, not at the next tick. May be called by another thread."""
        self.should_exit = True
        if self._loop and self._ending:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._ending.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.tasks:  # a request is being answered
            await super().shutdown(sockets)
            return
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. The protocol is given because asyncio turns Nagle's delay off only then; with the
    delay every answer took 40 ms."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows the option would allow another program to use the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


class Emulator:
    """A running service and its estate. Use it as a context manager, or call start() and stop()."""

    def __init__(self, options: Options | None = None, *, wrap: AppWrapper | None = None) -> None:
        self.options = options or Options()
        self.estate = Estate()
        self.skipped = load(self.options.state, self.estate) if self.options.state else []
        fill_inventory(self.estate, self.options)
        self._service = EmulatedService(self.estate, APIS[self.options.service], self.options)
        faults = read_faults(self.options.faults) if self.options.faults else ()
        self.faults = FaultMiddleware(faults, self._service)
        app = self.faults if self.options.faults else self._service
        self._port: int | None = None
        self._server = _Server(wrap(app) if wrap else app)
        self._thread: threading.Thread | None = None

    @property
    def requests(self) -> list[Request]:
        """The requests so far, if `Options.record` is set."""
        return self._service.requests

    @property
    def url(self) -> str:
        """The address for clients. Raises `RuntimeError` before `start()`."""
        if self._port is None:
            raise RuntimeError("the emulator has not been started")
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"http://{host}:{self._port}{BASE_PATHS[self.options.service]}"

    def start(self) -> Emulator:
        """Listen and answer in a thread. Raises `OSError` if the port is not free."""
        listener = _listen(self.options.host, self.options.port)
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="emulator", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the emulator did not start")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        """End the service and close the content of its files."""
        self._server.end()
        if self._thread:
            self._thread.join(STOP_TIMEOUT_S)
        self.estate.close()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(options: Options, on_started: Callable[[Emulator], object] = lambda _: None) -> None:
    """Run until Ctrl-C. `on_started` is called with the running emulator, to print its address."""
    with Emulator(options) as emulator:
        on_started(emulator)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
