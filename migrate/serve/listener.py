"""The listening socket: it takes a limited number of connections, counted before any of them has said
anything, and an event loop that waits only so long for a handshake."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from migrate.errors import BadUsage

# Seconds for the handshake of TLS. asyncio would wait for 60.
HANDSHAKE_S = 10.0


class CountedSocket(socket.socket):
    """The socket of a connection, which says when it is closed."""

    on_close: Callable[[], None] | None = None

    def close(self) -> None:
        """Close it, and say so once."""
        super().close()
        told, self.on_close = self.on_close, None
        if told is not None:
            told()


class LimitedListener(socket.socket):
    """A listening socket that has at most `limit` open connections. Further ones are closed as soon as they
    come: one with TLS takes 340 KB before it has sent a byte, so they must not wait for a handshake."""

    limit = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.open_count = 0
        self._lock = threading.Lock()

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection. Raises `ConnectionAbortedError` for one too many, which is closed then."""
        descriptor, address = self._accept()  # type: ignore[attr-defined]  # as socket.accept does
        accepted = CountedSocket(self.family, self.type, self.proto, fileno=descriptor)
        with self._lock:
            is_taken = self.open_count < self.limit
            self.open_count += is_taken
        if not is_taken:
            accepted.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, "too many connections")
        accepted.on_close = self._forget_one
        return accepted, address

    def _forget_one(self) -> None:
        with self._lock:
            self.open_count -= 1


class ServerLoop(asyncio.SelectorEventLoop):
    """An event loop that accepts connections with `accept` of the listening socket, on every system, and that
    ends a handshake which takes too long."""

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        """As the loop's own, with a limit of time for the handshake."""
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = HANDSHAKE_S
        return await super().create_server(*arguments, **options)


def listen_on(host: str, port: int, limit: int) -> LimitedListener:
    """A listening socket for at most `limit` connections. Raises `BadUsage`. The protocol is given because
    asyncio turns Nagle's delay off only then."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = LimitedListener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise BadUsage(
            f"cannot listen on {host}", str(error), "leave --host out: then it is this machine only"
        ) from None
    listener.limit = limit
    try:
        if os.name == "posix":  # on Windows the option would allow another program to use the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(limit)
    except OSError as error:
        listener.close()
        raise _not_free(host, port, error) from None
    return listener


def _not_free(host: str, port: int, error: OSError) -> BadUsage:
    if error.errno == errno.EADDRINUSE:
        return BadUsage(
            f"port {port} of {host} is taken",
            "another program listens there, maybe another serve",
            "give another one, or --port 0 for any that is free",
        )
    if error.errno == errno.EACCES:
        return BadUsage(
            f"port {port} of {host} may not be used",
            "ports below 1024 belong to the system",
            "give another one: --port 8002",
        )
    return BadUsage(
        f"cannot listen on {host} port {port}", error.strerror or str(error), "give another --host or --port"
    )
