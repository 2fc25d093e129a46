"""Slow and odd clients: connections end in time, nothing is printed, others are answered meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from migrate.archive.database import Archive
from migrate.errors import BadUsage
from migrate.serve import server as server_module
from migrate.serve.connections import ArchiveAccess
from migrate.serve.server import ArchiveServer, ImpatientProtocol
from migrate.serve.settings import ServeSettings
from tests.archive.filling import filled, write
from tests.serve.client import KEY, Client, served

# Seconds after which a test gives up.
PATIENCE_S = 5.0


@pytest.fixture
def short_timeouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A server that waits a fifth of a second, and takes five connections."""
    monkeypatch.setattr(ImpatientProtocol, "request_s", 0.2)
    monkeypatch.setattr(ImpatientProtocol, "stalled_s", 0.2)
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 5)
    monkeypatch.setattr(server_module, "MAX_REFUSED_CONNECTIONS", 5)
    monkeypatch.setattr(server_module, "KEEP_ALIVE_S", 0.2)
    filled(tmp_path / "estate.db", b"x" * 30_000_000)
    with served(tmp_path / "estate.db") as client:
        yield client


def opened(client: Client, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", client.port), timeout=PATIENCE_S)
    connection.sendall(sent)
    return connection


def ends(connection: socket.socket) -> bool:
    """Whether the server closes a connection within the time of a test."""
    began = time.monotonic()
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    finally:
        connection.close()
    return time.monotonic() - began < PATIENCE_S


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: localhost\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 100_000,
        b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\x00\xff",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ],
    ids=range(12),
)
def test_a_request_that_does_not_come_to_an_end_does(
    short_timeouts: Client, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    connection = opened(short_timeouts, sent)
    assert ends(connection)
    assert short_timeouts.send("/snapshots/1/").status == 200
    assert capfd.readouterr() == ("", "")


def test_a_client_that_sends_a_byte_at_a_time_is_not_waited_for(short_timeouts: Client) -> None:
    connection = opened(short_timeouts, b"GET / HTTP/1.1\r\n")
    began = time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() - began < PATIENCE_S:
            connection.sendall(b"x: y\r\n")
            time.sleep(0.02)
    connection.close()
    assert time.monotonic() - began < PATIENCE_S


def test_many_idle_connections_end_and_then_others_are_answered(short_timeouts: Client) -> None:
    idle = [opened(short_timeouts) for _ in range(8)]
    refused = short_timeouts.send("/snapshots/1/")
    assert refused.status == 503
    assert all(map(ends, idle))
    assert short_timeouts.send("/snapshots/1/").status == 200


def test_connections_beyond_the_limit_are_closed_at_once(short_timeouts: Client) -> None:
    idle = [opened(short_timeouts) for _ in range(12)]
    idle[-1].settimeout(PATIENCE_S)
    assert ends(idle.pop())
    assert all(map(ends, idle))


def test_a_client_that_takes_nothing_is_cut_off_when_the_server_ends(tmp_path: Path) -> None:
    filled(tmp_path / "estate.db", b"x" * 30_000_000)
    with served(tmp_path / "estate.db") as client:
        path = "/snapshots/1/files/file-a/content"
        head = f"GET {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {client.cookie}\r\n\r\n"
        slow = opened(client, head.encode())
        assert slow.recv(15).startswith(b"HTTP/1.1 200")
    assert ends(slow)


def test_a_taken_port_is_one_clear_sentence(client: Client, tmp_path: Path) -> None:
    filled(tmp_path / "estate.db")
    with ArchiveAccess(tmp_path / "estate.db", connections=1) as access:
        settings = ServeSettings(tmp_path / "estate.db", KEY, port=client.port)
        with pytest.raises(BadUsage, match=f"port {client.port} of 127.0.0.1 is taken") as error:
            ArchiveServer(settings, access).start()
        assert "--port" in error.value.todo


@pytest.mark.parametrize("host", ["no such host", "203.0.113.7", "x" * 300])
def test_a_host_that_is_not_here_is_refused(tmp_path: Path, host: str) -> None:
    filled(tmp_path / "estate.db")
    settings = ServeSettings(tmp_path / "estate.db", KEY, host=host)
    with ArchiveAccess(tmp_path / "estate.db", connections=1) as access:
        server = ArchiveServer(settings, access)
        with pytest.raises(BadUsage, match="cannot listen on"):
            server.start()


def test_allowed_names_are_those_of_this_machine_and_those_that_were_given() -> None:
    given = frozenset({"Archive.Example.com."})
    settings = ServeSettings(Path("estate.db"), KEY, host="127.0.0.9", allowed_hosts=given)
    assert settings.hosts == {"127.0.0.1", "localhost", "::1", "127.0.0.9", "archive.example.com"}
    assert "0.0.0.0" not in ServeSettings(Path("estate.db"), KEY, host="0.0.0.0").hosts


def test_a_writer_is_not_waited_for_and_its_snapshot_appears(tmp_path: Path) -> None:
    path = tmp_path / "estate.db"
    filled(path)
    with served(path) as client:
        with Archive.open(path, write=True) as archive:
            with archive.transaction():
                assert "Snapshot 1" in client.page("/snapshots/")
            write(archive, tag="second")
            assert "second" in client.page("/snapshots/")
        assert "Snapshot 2" in client.page("/snapshots/2/")
