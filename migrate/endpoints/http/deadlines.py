"""How long an answer may take: from the outside of a request, read by read, whatever the server does.

A timeout of one read begins anew with each byte that comes. A server that sends a byte a minute, or one
interim answer after the other, would hold a worker for ever: so what is waited for is summed up for the
whole answer. Only time spent waiting for the network counts, not that of the program itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2

# A machine that is there takes a connection at once, also across the world.
CONNECT_TIMEOUT_S = 10.0
# Until the answer to a read begins: as long as it takes until a service counts as gone (`outage.py`).
ANSWER_TIMEOUT_S = 60.0
# Until the answer to a write begins: an upload of 512 MB is answered when the service has stored it.
WRITE_ANSWER_TIMEOUT_S = 120.0
# Until the answer to the first question begins, for one row: an address may simply be wrong.
PROBE_TIMEOUT_S = 20.0
# Until an answer in JSON has come whole; the largest that is taken needs 1.2 megabits a second for it.
WHOLE_ANSWER_TIMEOUT_S = 900.0
# Over so much waiting the speed is looked at.
SLOW_WINDOW_S = 60.0
# An answer that is slower over a window is given up.
MIN_BYTES_PER_S = 100
# An answer begins within so many bytes: h11 bounds one header block, and this the number of interim ones.
MAX_HEADER_BYTES = 1 << 20


class ReadMeter:
    """The waiting of one request. `clock` gives seconds."""

    def __init__(self, answer_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limit = answer_s
        self._waited = self._window = 0.0
        self._bytes = self._window_bytes = 0
        self._body = False

    def body(self, whole_s: float | None) -> None:
        """The answer began; its body may take so long in all, or (None) as long as it is not too slow."""
        self._body = True
        self._limit = float("inf") if whole_s is None else whole_s
        self._waited = self._window = 0.0
        self._bytes = self._window_bytes = 0

    def wait(self, receive: Callable[[float | None], bytes], timeout: float | None) -> bytes:
        """One read. Raises `httpcore2.ReadTimeout` when there was enough waiting."""
        left = self._limit - self._waited
        if left <= 0:
            raise httpcore2.ReadTimeout(self._timeout_text())
        began = self._clock()
        given = left if timeout is None else min(timeout, left)
        try:
            data = receive(None if given == float("inf") else given)
        except httpcore2.ReadTimeout:
            raise httpcore2.ReadTimeout(self._timeout_text(self._clock() - began)) from None
        took = self._clock() - began
        self._waited += took
        self._window += took
        self._bytes += len(data)
        self._window_bytes += len(data)
        if not self._body and self._bytes > MAX_HEADER_BYTES:
            raise httpcore2.RemoteProtocolError("the answer does not begin: more than 1 MiB of headers")
        if self._body and self._window >= SLOW_WINDOW_S:
            if self._window_bytes < MIN_BYTES_PER_S * self._window:
                raise httpcore2.ReadTimeout(
                    f"the answer comes too slowly: {self._window_bytes:,} bytes in {self._window:.0f} s"
                )
            self._window, self._window_bytes = 0.0, 0
        return data

    def _timeout_text(self, more: float = 0.0) -> str:
        seconds = f"{self._waited + more:.0f} s"
        return f"the answer was not whole after {seconds}" if self._body else f"no answer within {seconds}"


class _ThreadState(threading.local):
    meter: ReadMeter | None = None
    answer_timeout_s: float | None = None


_thread = _ThreadState()


def set_meter(meter: ReadMeter) -> None:
    """From now on this thread's reads count for a request."""
    _thread.meter = meter


def answer_timeout_s(method: str) -> float:
    """Seconds until an answer to a request of this thread must begin."""
    if _thread.answer_timeout_s is not None:
        return _thread.answer_timeout_s
    return ANSWER_TIMEOUT_S if method == "GET" else WRITE_ANSWER_TIMEOUT_S


@contextmanager
def answer_timeout(seconds: float | None) -> Iterator[None]:
    """Within the block, answers to this thread must begin within so many seconds (None: as usual)."""
    before, _thread.answer_timeout_s = _thread.answer_timeout_s, seconds
    try:
        yield
    finally:
        _thread.answer_timeout_s = before


class MeteredStream(httpcore2.NetworkStream):
    """A connection whose reads are summed up by the meter of the thread that reads."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if (meter := _thread.meter) is None:
            return self._inner.read(max_bytes, timeout)
        return meter.wait(lambda given: self._inner.read(max_bytes, given), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return MeteredStream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class MeteredBackend(httpcore2.NetworkBackend):
    """Makes connections whose reads are summed up."""

    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        return MeteredStream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options))
