"""The server: listens on one address until it is stopped, and ends connections that are too slow."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import socket
import threading
import time
from types import TracebackType
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from migrate.serve.app import build_app
from migrate.serve.connections import ArchiveAccess
from migrate.serve.gate import MAX_BODY_BYTES
from migrate.serve.key_guard import KeyGuard
from migrate.serve.listener import ServerLoop, listen_on
from migrate.serve.settings import ServeSettings

# Connections that are answered; a browser opens six. Some more get the status 503, the others are closed.
MAX_CONNECTIONS, MAX_REFUSED_CONNECTIONS = 100, 20
# Seconds for a whole request, and for the client to take something of an answer that is ready.
REQUEST_S, STALLED_S = 15.0, 30.0
KEEP_ALIVE_S = 5
# Bytes of the head of a request.
MAX_HEAD_BYTES = 1 << 16
# Bytes of a body that are thrown away after its request was answered, so that a client that is still sending
# gets the answer. Behind them the connection is cut.
MAX_DISCARDED_BYTES = 16 << 20
# Seconds without any more of such a body, after which the connection is closed.
DISCARD_IDLE_S = 0.5
START_TIMEOUT_S, STOP_TIMEOUT_S = 10.0, 5.0
# uvicorn looks ten times less often whether it should stop, which is long for a person who pressed Ctrl-C.
TICK_S = 0.01


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose request does not arrive in time, or whose client does not read."""

    request_s, stalled_s = REQUEST_S, STALLED_S

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._request_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._discard_timer: asyncio.TimerHandle | None = None
        self._discarded, self._is_cut_off = 0, False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._request_timer = self.loop.call_later(self.request_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._is_discarding(data):
            self._discard(data)
            return
        super().data_received(data)
        is_complete = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
        if is_complete:
            self._end_request_timer()
        elif self._request_timer is None:
            self._request_timer = self.loop.call_later(self.request_s, self.transport.abort)

    def _is_discarding(self, data: bytes) -> bool:
        """Whether a request has its answer and goes on sending a body of which more came than any request
        needs."""
        if not self._is_cut_off:
            cycle: RequestResponseCycle | None = self.cycle
            if cycle is not None and cycle.response_complete and self.conn.their_state is h11.SEND_BODY:
                self._discarded += len(data)
            else:
                self._discarded = 0
            self._is_cut_off = self._discarded > MAX_BODY_BYTES
        return self._is_cut_off

    def _discard(self, data: bytes) -> None:
        """Take what a client still sends, unread, and close the connection when it has stopped: nothing can
        follow on it."""
        self._discarded += len(data)
        if self._discarded > MAX_DISCARDED_BYTES:
            self.transport.abort()
            return
        if self._discard_timer is not None:
            self._discard_timer.cancel()
        self._discard_timer = self.loop.call_later(DISCARD_IDLE_S, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP. An answer that is being made for its beginning is not sent any more."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.stalled_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_stall_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_request_timer()
        self._end_stall_timer()
        if self._discard_timer is not None:
            self._discard_timer.cancel()
        super().connection_lost(exc)

    def _end_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _end_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None


class _Server(uvicorn.Server):
    """uvicorn without its log and without its pauses at the end."""

    async def main_loop(self) -> None:
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            await asyncio.sleep(TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, also with connections whose clients do not take what was written for them."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


class ArchiveServer:
    """A running server of one archive. Use it as a context manager, or call start() and stop()."""

    def __init__(self, settings: ServeSettings, access: ArchiveAccess) -> None:
        """`access`: of the archive; it stays open when the server has stopped."""
        self.settings = settings
        self._keys = KeyGuard(settings.key, settings.wrong_key_delay_s)
        app, tls = build_app(settings, access, self._keys), settings.tls
        config = uvicorn.Config(
            app,
            loop=f"{ServerLoop.__module__}:{ServerLoop.__name__}",
            http=ImpatientProtocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            ssl_context_factory=None if tls is None else (lambda *_: tls),
        )
        self._server = _Server(config)
        self._thread: threading.Thread | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The address of the start, without the key."""
        return f"{self.settings.scheme}://{self.settings.shown_host}:{self._port}/"

    def one_time_url(self) -> str:
        """An address that opens the pages once, in a browser."""
        ticket = secrets.token_urlsafe(32)
        self._keys.add_ticket(ticket)
        return f"{self.url}?key={ticket}"

    def start(self) -> ArchiveServer:
        """Listen, and answer in a thread. Raises `BadUsage` where the address cannot be listened on."""
        limit = MAX_CONNECTIONS + MAX_REFUSED_CONNECTIONS
        listener = listen_on(self.settings.host, self.settings.port, limit)
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(listener,), name="serve", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.002)
        return self

    def stop(self) -> None:
        """End it. Requests that are being answered get a second."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self, listener: socket.socket) -> None:
        self._server.run([listener])

    def __enter__(self) -> ArchiveServer:
        return self.start()

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
