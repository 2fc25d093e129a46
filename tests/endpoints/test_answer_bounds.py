"""An answer has a maximum size, compressed or not, and the message says which limit was exceeded."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from migrate.endpoints.http import guarded_transport, openai_transport
from migrate.endpoints.interface import Writer
from migrate.errors import OutcomeUnknown, RequestFailed, ResponseTooLarge
from migrate.model.input_limits import MAX_ERROR_RESPONSE, MAX_RESPONSE, InputLimit
from tests.endpoints.connected_service import TYPES, connected, connected_without_retries, settings
from tests.endpoints.scripted_server import RecordedRequest, Reply, in_turn

SMALL = InputLimit(200_000, "bytes", "in one answer")
FILL = 1_000_000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of this test: a tenth of what its services send."""
    monkeypatch.setattr(guarded_transport, "MAX_RESPONSE", SMALL)
    monkeypatch.setattr(guarded_transport, "MAX_RESPONSE_READ_CONCURRENTLY", InputLimit(20_000, "bytes", ""))
    monkeypatch.setattr(guarded_transport, "MAX_FILE", InputLimit(300_000, "bytes", "in one file"))


def packed(content: bytes, *ways: str) -> Reply:
    how: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    for way in ways:
        content = how[way](content)
    said = {"content-encoding": ", ".join(ways), "content-type": "application/json"}
    return Reply(body=content, headers={name: value for name, value in said.items() if value})


def page(size: int) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": "a" * size}], "has_more": False}).encode()


LARGE: dict[str, Callable[[], Reply]] = {
    "plain": lambda: packed(page(FILL)),
    "gzip": lambda: packed(page(FILL), "gzip"),
    "deflate": lambda: packed(page(FILL), "deflate"),
    "gzip in gzip": lambda: packed(page(FILL), "gzip", "gzip"),
}


@pytest.mark.parametrize("how", LARGE)
@pytest.mark.parametrize("kind", ["assistant", "file", "vector_store"])
@pytest.mark.parametrize("type_", TYPES)
def test_an_answer_that_is_too_large_is_given_up(type_: str, kind: str, how: str) -> None:
    with connected(type_, in_turn(LARGE[how]())) as (writer, server):
        with pytest.raises(
            ResponseTooLarge, match="not read to its end: more than 200,000 bytes in one answer"
        ):
            list(writer.pages(kind))
        # One request for 100 (or 1,000) rows, one for fewer, one for a single row, and no more.
        assert len(server.asked) <= 4


@pytest.mark.parametrize("type_", TYPES)
def test_a_page_too_large_is_read_in_smaller_ones(type_: str) -> None:
    rows = [{"id": f"id_{n}", "created_at": n, "text": "a" * 10_000} for n in range(30)]

    def answer(asked: RecordedRequest) -> Reply:
        after = asked.query.get("after")
        begin = next((n + 1 for n, row in enumerate(rows) if row["id"] == after), 0)
        shown = rows[begin : begin + int(asked.query["limit"])]
        return Reply(body={"object": "list", "data": shown, "has_more": begin + len(shown) < len(rows)})

    with connected(type_, answer) as (writer, _):
        found = [body["id"] for part in writer.pages("vector_store") for body in part.bodies]
        assert found == [row["id"] for row in rows]


@pytest.mark.parametrize("type_", TYPES)
def test_an_answer_within_the_limit_is_read_packed_or_not(type_: str) -> None:
    for ways in ((), ("gzip",), ("deflate",), ("deflate", "gzip")):
        with connected(type_, in_turn(packed(page(100_000), *ways))) as (writer, _):
            (only,) = writer.pages("assistant")
            assert only.bodies[0]["id"] == "a" * 100_000


@pytest.mark.parametrize("type_", TYPES)
def test_a_write_with_an_answer_too_large_may_have_been_carried_out(type_: str) -> None:
    with connected(type_, in_turn(LARGE["gzip"]())) as (writer, server):
        with pytest.raises(OutcomeUnknown):
            writer.create("thread", {})
        assert len(server.asked) == 1


@pytest.mark.parametrize("type_", TYPES)
def test_an_error_without_end_is_cut_and_keeps_its_status(
    type_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        guarded_transport, "MAX_ERROR_RESPONSE", small_error := InputLimit(1_000, "bytes", "")
    )
    assert small_error is not MAX_ERROR_RESPONSE
    with connected(type_, in_turn(Reply(404, b"no such thing " * 100_000))) as (writer, _):
        for kind in ("assistant", "file"):
            with pytest.raises(RequestFailed, match="no such thing") as no:
                writer.get(kind, "x")
            assert no.value.status == 404


@pytest.mark.parametrize("type_", TYPES)
def test_a_file_without_end_is_given_up(type_: str) -> None:
    reply = Reply(body=b"a" * FILL, headers={"content-length": "", "content-type": "text/plain"})
    with (
        connected(type_, in_turn(reply)) as (writer, _),
        pytest.raises(ResponseTooLarge, match="in one file"),
    ):
        _content(writer)


@pytest.mark.parametrize("type_", TYPES)
def test_a_file_that_unpacks_without_end_is_given_up(type_: str) -> None:
    bomb = in_turn(packed(b"a" * FILL, "gzip"))
    with connected(type_, bomb) as (writer, _), pytest.raises(ResponseTooLarge, match="in one file"):
        _content(writer)


def _content(writer: Writer) -> int:
    with writer.content("file_1") as chunks:
        return sum(map(len, chunks))


@pytest.mark.parametrize("type_", TYPES)
def test_what_claims_to_be_packed_and_is_not_is_a_failed_request(type_: str) -> None:
    lie = Reply(
        body=b'{"data": []}', headers={"content-encoding": "gzip", "content-type": "application/json"}
    )
    many = Reply(body=b"x", headers={"content-encoding": ", ".join(["gzip"] * 500)})
    for reply in (lie, many):
        with connected(type_, in_turn(reply)) as (writer, _):
            for kind in ("assistant", "file"):
                with pytest.raises(RequestFailed):
                    list(connected_without_retries(writer).pages(kind))


def test_an_answer_of_nothing_but_values_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_transport, "MAX_RESPONSE_READ_CONCURRENTLY", InputLimit(1_000, "bytes", ""))
    monkeypatch.setattr(
        openai_transport, "MAX_RESPONSE_VALUES", InputLimit(10_000, "values", "in one answer")
    )
    brackets = in_turn(Reply(body={"data": [[]] * 20_000}))
    with connected("openai", brackets) as (writer, _), pytest.raises(ResponseTooLarge, match="10,000 values"):
        list(writer.pages("assistant"))


def test_the_real_limits_leave_room_for_the_largest_page() -> None:
    assert MAX_RESPONSE.maximum > 100 * 256_000 * 4


BEGIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "headers": (BEGIN, b"x-more: " + b"a" * 1000 + b"\r\n"),
    "one header": (BEGIN + b"x-more: ", b"a" * 4096),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "chunks": (BEGIN + b"transfer-encoding: chunked\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n"),
    "a chunk's extension": (BEGIN + b"transfer-encoding: chunked\r\n\r\n1;x=", b"a" * 4096),
    "trailers": (BEGIN + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x-more: " + b"a" * 1000 + b"\r\n"),
    "a body without a length": (BEGIN + b"connection: close\r\n\r\n", b"a" * 4096),
    "a body of a petabyte": (BEGIN + b"content-length: 1125899906842624\r\n\r\n", b"a" * 4096),
    "a body of negative length": (BEGIN + b"content-length: -1\r\n\r\n", b"a" * 4096),
}


@contextmanager
def sending(begin: bytes, piece: bytes) -> Iterator[tuple[str, list[int]]]:
    """A server that sends a piece repeatedly until the client disconnects: its address, and the number of
    bytes sent to each client."""
    sent: list[int] = []
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def serve_one(client: socket.socket) -> None:
            with client:
                client.settimeout(5)
                try:
                    client.recv(65536)
                    client.sendall(begin)
                    number = len(sent)
                    sent.append(0)
                    while not done.is_set() and sent[number] < 50_000_000:
                        client.sendall(piece)
                        sent[number] += len(piece)
                except OSError:
                    return

        def serve() -> None:
            while not done.is_set():
                try:
                    client, _ = listener.accept()
                except OSError:
                    continue
                threading.Thread(target=serve_one, args=(client,), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", sent
        finally:
            done.set()
            thread.join(5)


@pytest.mark.parametrize("what", ENDLESS)
@pytest.mark.parametrize("type_", ["openai", "foundry"])
def test_an_answer_that_never_ends_is_given_up(type_: str, what: str) -> None:
    from migrate.endpoints.http.client import http_client
    from migrate.endpoints.http.foundry_transport import ProjectTransport, project_client
    from migrate.endpoints.http.openai_transport import OpenAITransport

    with ExitStack() as stack:
        url, sent = stack.enter_context(sending(*ENDLESS[what]))
        given: Any = settings(type_, f"{url}/api/projects/p")
        http = stack.enter_context(http_client(given, writable=False))
        if type_ == "foundry":
            way: Any = ProjectTransport(project_client(given, False, http), given.url)
        else:
            import openai

            client = openai.OpenAI(base_url=given.url, api_key="k", max_retries=0, http_client=http)
            way = OpenAITransport(client, http)
        with pytest.raises(RequestFailed):
            way.request("GET", "/agents", {}, {}, None)
        assert sum(sent) < 20_000_000
