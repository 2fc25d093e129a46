"""An HTTP/1.1 server as one asyncio protocol. It answers after the latency and counts every request."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from typing import Any, Protocol

from benchmarks.service.list_pages import Query, query_of
from benchmarks.service.writable_estate import TooManyMessages

COUNTS = "/benchmark/counts"
PREFIXES = (
    ["openai", "v1"],
    ["openai"],
    ["api", "projects", "demo", "openai", "v1"],
    ["api", "projects", "demo"],
)
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ID = re.compile(r"(?:thread|asst|msg|conv|vs|vsfb)_\w+|(?:assistant|file)-\w+|(?<=agents/)[\w-]+")
NOT_FOUND = b'{"error":{"code":"404","message":"Resource not found"}}'
TOO_MANY = b'{"error":{"code":"invalid_payload","message":"maxItems"}}'


class EstateService(Protocol):
    """Produces the answers of a service."""

    def answer(self, method: str, parts: list[str], query: Query, body: bytes) -> bytes | None: ...


class RequestCounts:
    """Requests by method and route, bytes of bodies sent, and the times of the first and the last request."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.sent = 0
        self.began = self.ended = 0.0

    def to_json(self) -> bytes:
        """The counts as JSON; counting starts again from zero."""
        text = json.dumps(
            {"requests": self.requests, "sent": self.sent, "seconds": round(self.ended - self.began, 3)}
        ).encode()
        self.__init__()  # type: ignore[misc]
        return text


class Connection(asyncio.Protocol):
    """One connection of a client that sends one request at a time."""

    def __init__(self, estate: EstateService, latency: float, counted: RequestCounts) -> None:
        self._estate, self._latency, self._counted = estate, latency, counted
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[: end + 2]
        length = LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < whole:
            return
        body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
        method, target, _ = head[: head.find(b"\r\n")].decode("latin-1").split(" ")
        self._handle(method, target, body)

    def _handle(self, method: str, target: str, body: bytes) -> None:
        path, _, text = target.partition("?")
        if path == COUNTS:
            self._transport.write(_http(200, self._counted.to_json()))
            return
        status, answer = 200, b""
        try:
            answer = self._estate.answer(method, parts_of(path), query_of(text), body) or b""
        except TooManyMessages:
            status, answer = 400, TOO_MANY
        except (IndexError, ValueError):
            answer = b""
        if not answer:
            status, answer = 404, NOT_FOUND
        counted, now = self._counted, time.monotonic()
        counted.requests[route_of(method, path)] += 1
        counted.sent += len(answer)
        counted.began = counted.began or now
        counted.ended = now + self._latency
        asyncio.get_running_loop().call_later(self._latency, self._transport.write, _http(status, answer))


def parts_of(path: str) -> list[str]:
    """The parts of a path after the prefix of the service."""
    parts = path.strip("/").split("/")
    prefix_used = max((prefix for prefix in PREFIXES if parts[: len(prefix)] == prefix), key=len, default=[])
    return parts[len(prefix_used) :]


def route_of(method: str, path: str) -> str:
    """Method and path of a request with `ID` in place of ids."""
    return f"{method} {ID.sub('ID', '/'.join(parts_of(path)))}"


def _http(status: int, body: bytes) -> bytes:
    line = {200: b"200 OK", 400: b"400 Bad Request", 404: b"404 Not Found"}[status]
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        line,
        len(body),
        body,
    )
