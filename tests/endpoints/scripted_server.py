"""A server on loopback that gives prepared answers and records each request with its headers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROJECT = "/api/projects/demo"


@dataclass(frozen=True)
class RecordedRequest:
    """One received request; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """One answer; `cut` closes the connection without any, and a header of '' is left out."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


Answer = Callable[[RecordedRequest], Reply]


class Server(ThreadingHTTPServer):
    """Answers through `answer` and keeps every request in `asked`."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[RecordedRequest] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect early."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        """The address of the project that the server plays."""
        return f"{self.origin}{PROJECT}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        size = int(self.headers.get("content-length") or 0)
        asked = RecordedRequest(
            self.command,
            parts.path,
            {name: values[0] for name, values in parse_qs(parts.query).items()},
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(size),
        )
        self.server.asked.append(asked)
        reply = self.server.answer(asked)
        if reply.cut:
            self.close_connection = True
            return
        plain = isinstance(reply.body, bytes)
        raw = reply.body if plain else json.dumps(reply.body).encode()
        said = {"content-length": str(len(raw)), "content-type": "text/html" if plain else "application/json"}
        self.send_response(reply.status)
        for name, value in {**said, **reply.headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    """A running server."""
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def in_turn(*replies: Reply) -> Answer:
    """Give these answers one after the other, and the last one for all further requests."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def listing(*ids: str, more: bool | None = False, **envelope: Any) -> dict[str, Any]:
    """A page of a listing, with the ids of its ends."""
    said = {} if more is None else {"has_more": more}
    ends = {"first_id": ids[0], "last_id": ids[-1]} if ids else {}
    return {"object": "list", "data": [{"id": id_, "name": id_} for id_ in ids], **ends, **said, **envelope}
