"""The API over an archive on loopback, and raw requests to it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.serve.connections import ArchiveAccess
from migrate.serve.server import ArchiveServer
from migrate.serve.settings import ServeSettings
from tests.e2e.running import KEYS

KEY = KEYS["SOURCE_KEY"]
VERSION = "api-version=2025-03-01-preview"


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

    url: str

    def send(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        """One request with the key; the path is sent as it is. Names of headers have _ for -."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=20)
        sent = {"api-key": KEY, **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def azure(self, path: str, query: str = "", **headers: str) -> Reply:
        """A request to a dated path of Azure OpenAI that is answered."""
        return self.ok(f"/openai/{path}?{VERSION}{query and f'&{query}'}", **headers)

    def ok(self, path: str, **headers: str) -> Reply:
        reply = self.send(path, **headers)
        assert reply.status == 200, (reply.status, reply.body)
        return reply

    def refused(self, path: str, status: int, method: str = "GET", **headers: str) -> Reply:
        reply = self.send(path, method, **headers)
        assert reply.status == status, (reply.status, reply.body)
        assert reply.message
        return reply


@contextmanager
def serving_api(path: Path, **settings: Any) -> Iterator[ServedApi]:
    """The API over an archive."""
    given = ServeSettings(path, KEY, **{"wrong_key_delay_s": 0.0, **settings})
    with ArchiveAccess(path, given.snapshot, connections=3) as access, ArchiveServer(given, access) as server:
        yield ServedApi(server.url.rstrip("/"))
