"""The HTTP server: listens on an address, runs an ASGI application, and stops at once."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

CUT = "emulator.cut"
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
