"""The API over an archive on loopback, and raw requests to it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from migrate.serve.api import api_routes
from migrate.serve.connections import ArchiveAccess

FAMILIES = ("azure", "openai", "foundry")


@dataclass(frozen=True)
class Reply:
    """Status, headers in lower case, and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.json["data"]]

    @property
    def message(self) -> str:
        message: str = self.json["error"]["message"]
        return message


@dataclass(frozen=True)
class ServedApi:
    """A running API."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        """One request; the path is sent as it is. Names of headers have _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def ok(self, path: str, **headers: str) -> Reply:
        reply = self.send(path, **headers)
        assert reply.status == 200, reply.body
        return reply

    def refused(self, path: str, status: int, **headers: str) -> Reply:
        reply = self.send(path, **headers)
        assert reply.status == status, (reply.status, reply.body)
        assert reply.message
        return reply


@contextmanager
def serving_api(
    path: Path, families: tuple[str, ...] = FAMILIES, snapshot: int | None = None
) -> Iterator[ServedApi]:
    """The API over an archive, without keys."""
    with ArchiveAccess(path, snapshot, connections=3) as access:
        app = Starlette(routes=api_routes(access, families))
        server = uvicorn.Server(
            uvicorn.Config(
                app, port=0, log_config=None, access_log=False, lifespan="off", loop="asyncio", http="h11"
            )
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.002)
        try:
            yield ServedApi(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(5)
