"""Faults of the answer: a redirect, no answer, a very long one, one that arrives byte by byte."""

from __future__ import annotations

import http.client
import json
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from migrate.emulator import Emulator, Options

KEY = "secret-of-this-test"
PATH = "/openai/assistants?api-version=2025-03-01-preview"

Ask = Callable[..., http.client.HTTPResponse]
Start = Callable[..., Ask]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(**row: Any) -> Ask:
            file = tmp_path / "faults.json"
            file.write_text(json.dumps({"fault": [row]}), encoding="utf-8")
            emulator = stack.enter_context(Emulator(Options(key=KEY, faults=file)))

            def ask(method: str = "GET", body: str | None = None) -> http.client.HTTPResponse:
                connection = http.client.HTTPConnection(urlsplit(emulator.url).netloc, timeout=10)
                stack.callback(connection.close)
                connection.request(method, PATH, body, {"api-key": KEY})
                return connection.getresponse()

            ask.emulator = emulator  # type: ignore[attr-defined]
            return ask

        yield started


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_client_is_redirected_and_nothing_is_carried_out(start: Start, method: str, code: int) -> None:
    ask = start(what="redirect", code=code, to="http://127.0.0.1:9/elsewhere")
    answer = ask(method, json.dumps({"model": "gpt-4o"}) if method == "POST" else None)
    assert (answer.status, answer.headers["location"]) == (code, "http://127.0.0.1:9/elsewhere")
    assert not list(ask.emulator.estate.assistants)  # type: ignore[attr-defined]


def test_the_client_is_redirected_to_the_same_address(start: Start) -> None:
    assert start(what="redirect")().headers["location"] == PATH


def test_the_service_does_not_answer_for_some_time(start: Start) -> None:
    ask = start(what="silent", silence=0.05)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask()


def test_a_silent_service_lets_a_client_leave_and_stops(start: Start) -> None:
    ask = start(what="silent")
    parts = urlsplit(ask.emulator.url)  # type: ignore[attr-defined]
    with socket.create_connection((parts.hostname, parts.port)) as client:
        client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\napi-key: {KEY}\r\n\r\n".encode())
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)


@pytest.mark.parametrize("packing", ["none", "gzip"])
def test_an_answer_has_the_configured_size(start: Start, packing: str) -> None:
    answer = start(what="flood", bytes=3 << 20, packing=packing)()
    content = answer.read()
    if packing == "gzip":
        assert len(content) < 20_000
        content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content)
    assert 3 << 20 < len(content) < 5 << 20
    assert content.startswith(b'{"object": "list", "data": [{"id": "aaa')


def test_an_answer_arrives_byte_by_byte_and_is_complete(start: Start) -> None:
    answer = start(what="drip", pause=0)()
    assert json.loads(answer.read())["data"] == []
    assert answer.headers["content-length"]
