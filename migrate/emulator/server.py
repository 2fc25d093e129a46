"""The HTTP server: listens on an address, runs an ASGI application, and stops at once."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from migrate.emulator import saved_state
from migrate.emulator.apis import Api, azure_openai, foundry, openai
from migrate.emulator.app import EmulatedService, Request
from migrate.emulator.faults.middleware import Faults
from migrate.emulator.faults.parser import read
from migrate.emulator.faults.rule import CUT
from migrate.emulator.options import Options, ServiceName
from migrate.emulator.resources import deployments
from migrate.emulator.state import Estate

TICK = 0.01  # uvicorn looks ten times less often whether it should stop: too slow for tests


class Protocol(H11Protocol):
    """Lays into the scope of each request a way to end its connection, for faults."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        service = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await service({**scope, CUT: self._cut}, receive, send)

        self.app = app

    def _cut(self, at_once: bool) -> None:
        if at_once:
            self.transport.abort()
        else:
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn with everything off that a rehearsal does not need, and without its pauses at the end."""

    def __init__(self, app: Any) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Protocol,
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

    async def main_loop(self) -> None:
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            await asyncio.sleep(TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.tasks:  # somebody is being answered
            await super().shutdown(sockets)
            return
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)


def listen(host: str, port: int) -> socket.socket:
    """asyncio turns Nagle's delay off only where the protocol is named; with it, every answer took 40 ms."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows it would share the port with a stranger
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


APIS: dict[ServiceName, tuple[Api, ...]] = {
    "azure-openai": (azure_openai.DATED_API, azure_openai.V1_API),
    "openai": (openai.API,),
    "foundry": foundry.APIS,
}
# What a client calls the service's address: the SDK of OpenAI wants the version in it, Azure's does not.
BASE_PATHS: dict[ServiceName, str] = {"azure-openai": "", "openai": "/v1", "foundry": foundry.PROJECT}
START_SECONDS, STOP_SECONDS = 10.0, 5.0

Wrapper = Callable[[Any], Any]  # an ASGI application around ours, for faults


class Emulator:
    """A running service with its estate. Use it as a context, or call start() and stop()."""

    def __init__(self, options: Options | None = None, *, wrap: Wrapper | None = None) -> None:
        self.options = options or Options()
        self.estate = Estate()
        self.skipped = saved_state.load(self.options.state, self.estate) if self.options.state else []
        deployments.stock(self.estate, self.options)
        self._cloud = EmulatedService(self.estate, APIS[self.options.service], self.options)
        self.faults = Faults(read(self.options.faults) if self.options.faults else (), self._cloud)
        service = self.faults if self.options.faults else self._cloud
        self._port: int | None = None
        self._server = Server(wrap(service) if wrap else service)
        self._thread: threading.Thread | None = None

    @property
    def requests(self) -> list[Request]:
        """What was asked so far, if `Options.record` is set."""
        return self._cloud.requests

    @property
    def url(self) -> str:
        if self._port is None:
            raise RuntimeError("the emulator has not been started")
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"http://{host}:{self._port}{BASE_PATHS[self.options.service]}"

    def start(self) -> Emulator:
        listener = listen(self.options.host, self.options.port)
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="emulator", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the emulator did not start")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread:
            self._thread.join(STOP_SECONDS)
        self.estate.close()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(options: Options, ready: Callable[[Emulator], object] = lambda _: None) -> None:
    """Runs until Ctrl-C; `ready` is told the running emulator, so that it can say the address."""
    with Emulator(options) as cloud:
        ready(cloud)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return
