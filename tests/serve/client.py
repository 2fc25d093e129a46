"""A served archive and a client that sends exactly what a test says."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.serve.connections import ArchiveAccess
from migrate.serve.server import ArchiveServer
from migrate.serve.settings import ServeSettings

KEY = "a-key-of-a-test-0123456789"


@dataclass(frozen=True)
class Answer:
    """Status, headers in lower case and text of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def is_page(self) -> bool:
        return "<!doctype html>" in self.text and "Traceback" not in self.text


@dataclass
class Client:
    """Sends requests to a server; with `cookie` as a browser that has opened the pages."""

    server: ArchiveServer
    cookie: str = ""
    certificate: Path | None = None

    @property
    def port(self) -> int:
        return int(self.server.url.rsplit(":", 1)[1].rstrip("/"))

    def send(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request; names of headers have _ for -."""
        connection = self.connection()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie and "cookie" not in headers:
            sent["cookie"] = self.cookie
        with closing(connection):
            connection.request(method, path, body, sent)
            with connection.getresponse() as answer:
                names = {name.lower(): value for name, value in answer.getheaders()}
                return Answer(answer.status, names, answer.read())

    def connection(self) -> http.client.HTTPConnection:
        """A connection, with TLS where the server has a certificate."""
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=trust)

    def page(self, path: str, status: int = 200) -> str:
        """Check the status and return the text of a page."""
        answer = self.send(path)
        assert answer.status == status, f"{path}: {answer.status}\n{answer.text[:3000]}"
        assert answer.is_page, answer.text[:3000]
        return answer.text


@contextmanager
def served(path: Path, certificate: Path | None = None, **settings: Any) -> Iterator[Client]:
    """A running server of an archive, and a client that has opened the pages."""
    given = ServeSettings(path, KEY, **{"wrong_key_delay_s": 0.0, **settings})
    with ArchiveAccess(path, given.snapshot, connections=3) as access, ArchiveServer(given, access) as server:
        client = Client(server, certificate=certificate)
        cookie = client.send(f"/?key={KEY}").headers["set-cookie"].partition(";")[0]
        yield Client(server, cookie, certificate)
