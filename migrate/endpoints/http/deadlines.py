"""Time limits for a whole answer, however slowly the server sends it.

The timeout of a single read starts again with each byte. A server that sends one byte a minute, or one
interim answer after the other, would block a worker for ever. So the waiting times of all reads of an
answer are added up. Only time spent waiting for the network counts, not the time that the program itself
needs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2

# A machine that can be reached accepts a connection at once, also from the other side of the world.
CONNECT_TIMEOUT_S = 10.0
# Until the answer to a GET begins. The same time after which a service counts as gone (`outage.py`).
ANSWER_TIMEOUT_S = 60.0
# Until the answer to a write begins. An upload of 512 MB is answered after the service has stored it.
WRITE_ANSWER_TIMEOUT_S = 120.0
# Until the answer to a probe begins. A probe requests one row, and the address may simply be wrong.
PROBE_TIMEOUT_S = 20.0
# Until an answer in JSON has come whole; the largest that is taken needs 1.2 megabits a second for it.
WHOLE_ANSWER_TIMEOUT_S = 900.0
# The speed of an answer is checked after each such period of waiting.
SLOW_WINDOW_S = 60.0
# A slower answer is cancelled.
MIN_BYTES_PER_S = 100
# An answer begins within so many bytes: h11 bounds one header block, and this the number of interim ones.
MAX_HEADER_BYTES = 1 << 20


class ReadMeter:
    """Adds up the waiting time of one request. `clock` returns seconds."""

    def __init__(self, answer_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limit = answer_s
        self._waited = self._window = 0.0
        self._bytes = self._window_bytes = 0
        self._body = False

    def body(self, whole_s: float | None) -> None:
        """The body of the answer begins. It may take `whole_s` seconds of waiting, or (None) any time as
        long as it is not too slow."""
        self._body = True
        self._limit = float("inf") if whole_s is None else whole_s
        self._waited = self._window = 0.0
        self._bytes = self._window_bytes = 0

    def wait(self, receive: Callable[[float | None], bytes], timeout: float | None) -> bytes:
        """Read once. Raises `httpcore2.ReadTimeout` when the time limit of the request is reached."""
        remaining = self._limit - self._waited
        if remaining <= 0:
            raise httpcore2.ReadTimeout(self._timeout_text())
        began = self._clock()
        read_timeout = remaining if timeout is None else min(timeout, remaining)
        try:
            data = receive(None if read_timeout == float("inf") else read_timeout)
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

    def _timeout_text(self, last_read_s: float = 0.0) -> str:
        seconds = f"{self._waited + last_read_s:.0f} s"
        return f"the answer was not whole after {seconds}" if self._body else f"no answer within {seconds}"


class _ThreadState(threading.local):
    meter: ReadMeter | None = None
    answer_timeout_s: float | None = None


_thread = _ThreadState()


def set_meter(meter: ReadMeter) -> None:
    """From now on, the reads of this thread are measured by `meter`."""
    _thread.meter = meter


def answer_timeout_s(method: str) -> float:
    """Seconds within which the answer to a request of this thread must begin."""
    if _thread.answer_timeout_s is not None:
        return _thread.answer_timeout_s
    return ANSWER_TIMEOUT_S if method == "GET" else WRITE_ANSWER_TIMEOUT_S


@contextmanager
def answer_timeout(seconds: float | None) -> Iterator[None]:
    """Set the seconds within which answers to this thread must begin, until the block ends (None: the
    default)."""
    before, _thread.answer_timeout_s = _thread.answer_timeout_s, seconds
    try:
        yield
    finally:
        _thread.answer_timeout_s = before


class MeteredStream(httpcore2.NetworkStream):
    """A connection whose reads are measured by the `ReadMeter` of the reading thread."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if (meter := _thread.meter) is None:
            return self._inner.read(max_bytes, timeout)
        return meter.wait(lambda seconds: self._inner.read(max_bytes, seconds), timeout)

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
    """Opens connections as `MeteredStream`."""

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
