"""Connections, bodies and work in progress are bounded, before a handshake and while answers are taken."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import h11
import pytest

from migrate.serve import listener as listener_module
from migrate.serve import server as server_module
from migrate.serve.settings import load_tls
from migrate.serve.work_budget import (
    API_BYTES,
    CONTENT_BYTES,
    PAGE_BYTES,
    PRINTED_BYTES,
    TooBusy,
    WorkBudget,
    bytes_of_request,
)
from tests.archive.filling import filled
from tests.serve.certificates import make_certificate
from tests.serve.client import KEY, Client, served

PATIENCE_S = 5.0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def with_tls(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A server with TLS that takes four connections, and waits a second for a handshake."""
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 3)
    monkeypatch.setattr(server_module, "MAX_REFUSED_CONNECTIONS", 1)
    monkeypatch.setattr(listener_module, "HANDSHAKE_S", 1.0)
    filled(tmp_path / "estate.db")
    with served(tmp_path / "estate.db", certificate=certificate[0], tls=load_tls(*certificate)) as client:
        yield client


def is_closed(connection: socket.socket, within_s: float) -> bool:
    """Whether the server closes a connection in time."""
    connection.settimeout(within_s)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_connections_are_counted_before_their_handshake(with_tls: Client) -> None:
    opened = [socket.create_connection(("127.0.0.1", with_tls.port)) for _ in range(24)]
    waiting = [connection for connection in opened if not is_closed(connection, 0.1)]
    assert 1 <= len(waiting) <= 4, "one too many is closed at once"
    assert all(is_closed(connection, PATIENCE_S) for connection in waiting), "a handshake has its time"
    for connection in opened:
        connection.close()
    assert with_tls.send("/snapshots/1/").status == 200, "closed ones are not counted any more"


def test_what_is_no_handshake_ends_and_others_are_answered(with_tls: Client) -> None:
    for sent in (
        b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"\x16\x03\x01\xff\xff" + b"\0" * 500,
        b"\0" * 9,
    ):
        with closing(socket.create_connection(("127.0.0.1", with_tls.port))) as connection:
            connection.sendall(sent)
            connection.settimeout(PATIENCE_S)
            while not is_closed(connection, PATIENCE_S):
                pass
    assert with_tls.send("/snapshots/1/").status == 200


def test_an_old_version_of_tls_is_refused(with_tls: Client) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        closing(socket.create_connection(("127.0.0.1", with_tls.port), PATIENCE_S)) as connection,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(connection)


def answer_while_sending(client: Client, head: bytes, size: int) -> tuple[bytes, int]:
    """What a client gets that sends a body of `size` bytes, and how many it could send."""
    with closing(socket.create_connection(("127.0.0.1", client.port), PATIENCE_S)) as connection:
        connection.sendall(head)
        sent, piece = 0, b"10000\r\n%b\r\n" % (b"x" * 65_536) if b"chunked" in head else b"x" * 65_536
        connection.settimeout(PATIENCE_S)
        try:
            while sent < size:
                sent += connection.send(piece)
        except OSError:
            pass
        received = b""
        try:
            while data := connection.recv(65_536):
                received += data
                if not size:  # the connection stays open: the server waits for a body
                    break
        except OSError:
            pass
        return received, sent


def post(path: str, length: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\napi-key: {KEY}\r\ncontent-type: application/json\r\n"
        f"{length}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("length", [f"content-length: {10 << 20}", "transfer-encoding: chunked"])
@pytest.mark.parametrize("path", ["/openai/threads?api-version=2025-03-01-preview", "/snapshots/1/", "/"])
def test_a_large_body_is_refused_and_not_read(
    client: Client, path: str, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[int] = []
    take = h11.Connection.receive_data

    def count(self: h11.Connection, data: bytes) -> None:
        parsed.append(len(data))
        take(self, data)

    monkeypatch.setattr(h11.Connection, "receive_data", count)
    received, _ = answer_while_sending(client, post(path, length), 10 << 20)
    assert received.startswith(b"HTTP/1.1 405"), received[:200]
    assert sum(parsed) < 2_000_000, "what follows the refusal is not taken apart"
    assert client.send("/snapshots/1/").status == 200


def test_what_is_no_chunk_is_refused_without_a_trace(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    head = post("/openai/threads", "transfer-encoding: chunked")
    received, _ = answer_while_sending(client, head + b"no chunk\r\n" * 9, 0)
    assert received.startswith((b"HTTP/1.1 400", b"HTTP/1.1 405"))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_an_endless_body_is_cut_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_DISCARDED_BYTES", 1 << 20)
    began = time.monotonic()
    _, sent = answer_while_sending(client, post("/openai/threads", "content-length: 900000000"), 900_000_000)
    assert sent < 50_000_000
    assert time.monotonic() - began < PATIENCE_S


@pytest.mark.parametrize(
    "headers", [{"content-length": "70000"}, {"transfer-encoding": "chunked"}, {"content-length": "9" * 30}]
)
def test_a_reading_request_brings_no_large_body(client: Client, headers: dict[str, str]) -> None:
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    asked = "GET /openai/assistants?api-version=2025-03-01-preview HTTP/1.1"
    head = f"{asked}\r\nhost: localhost\r\napi-key: {KEY}\r\n{lines}\r\n\r\n"
    received, _ = answer_while_sending(client, head.encode(), 0)
    assert received.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))


def test_a_refused_small_body_leaves_the_connection_open(client: Client) -> None:
    body = json.dumps({"role": "user", "content": "x" * 1_000}).encode()
    head = post("/openai/threads?api-version=2025-03-01-preview", f"content-length: {len(body)}")
    with closing(socket.create_connection(("127.0.0.1", client.port), PATIENCE_S)) as connection:
        for _ in range(3):
            connection.sendall(head)
            answer = http.client.HTTPResponse(connection, method="POST")
            answer.begin()
            assert answer.status == 405, "the answer does not wait for the body"
            assert json.loads(answer.read())["error"]
            connection.sendall(body)


def test_an_answer_is_handed_over_in_pieces(client: Client) -> None:
    text = client.page("/snapshots/1/")
    assert client.send("/snapshots/1/").headers["content-length"] == str(len(text.encode()))
    from migrate.serve import gate

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def answer(size: int) -> None:
        sender = gate._AnswerSender(send, 0.0)  # type: ignore[arg-type]
        await sender({"type": "http.response.start", "status": 200, "headers": []})
        await sender({"type": "http.response.body", "body": bytes(range(256)) * size, "more_body": False})

    for size in (0, 1, 255, 256, 257, 1_000):
        sent.clear()
        asyncio.run(answer(size))
        pieces = [bytes(message["body"]) for message in sent[1:]]  # type: ignore[call-overload]
        assert b"".join(pieces) == bytes(range(256)) * size
        assert all(len(piece) <= gate.SENT_BYTES for piece in pieces)
        assert [message["more_body"] for message in sent[1:]] == [True] * (len(pieces) - 1) + [False]


def test_work_waits_for_its_turn_first_come_first_served() -> None:
    async def scene() -> None:
        budget = WorkBudget(10, max_wait_s=0.05)
        order: list[str] = []

        async def work(name: str, size: int, gate: asyncio.Event) -> None:
            async with budget.take(size):
                order.append(name)
                await gate.wait()

        gates = {name: asyncio.Event() for name in "abcde"}
        tasks = {
            name: asyncio.create_task(work(name, size, gates[name]))
            for name, size in (("a", 6), ("b", 6), ("c", 1))
        }
        await asyncio.sleep(0)
        assert order == ["a"], "what came later does not pass what waits"
        tasks["b"].cancel()
        await asyncio.sleep(0.01)
        assert order == ["a", "c"], "one that is gone is not waited for"
        with pytest.raises(TooBusy):
            async with budget.take(9):
                pass
        for gate in gates.values():
            gate.set()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        async with budget.take(99):  # larger than everything: alone
            with pytest.raises(TooBusy):
                async with budget.take(1):
                    pass
        async with budget.take(10):
            pass

    asyncio.run(scene())


def test_the_budget_is_estimated_by_the_address() -> None:
    table = {
        ("/static/base.css", b""): 0,
        ("/snapshots/1/threads", b""): PAGE_BYTES,
        ("/snapshots/1/threads/t", b"all=1"): PRINTED_BYTES,
        ("/snapshots/1/threads/t", b"q=%FF&;&all=1"): PRINTED_BYTES,
        ("/snapshots/1/files/f/content", b""): CONTENT_BYTES,
        ("/v1/files/f/content", b""): CONTENT_BYTES,
        ("/openai/assistants", b"all=1"): API_BYTES,
    }
    for (path, query), size in table.items():
        assert bytes_of_request(path, query) == size, path


def test_a_server_without_room_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(self: WorkBudget, size: int) -> None:
        raise TooBusy

    monkeypatch.setattr(WorkBudget, "_wait", busy)
    page = client.send("/snapshots/1/")
    assert (page.status, page.headers["retry-after"], page.is_page) == (503, "5", True)
    answer = client.send("/openai/assistants?api-version=2025-03-01-preview", api_key=KEY)
    assert answer.status == 503
    assert json.loads(answer.body)["error"]
