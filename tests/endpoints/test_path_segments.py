"""Every id is one segment of a path, whatever it contains; an impossible one is a reported failure."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

import pytest

from migrate.endpoints.addresses import path_segment
from migrate.endpoints.interface import Writer
from migrate.endpoints.routes import ASSISTANTS_ROUTES, FOUNDRY_ROUTES, route_path
from migrate.errors import RequestFailed
from migrate.model.input_limits import MAX_ID
from tests.endpoints.connected_service import TYPES, connected, connected_without_retries
from tests.endpoints.scripted_server import RecordedRequest, Reply, in_turn, listing

ODD = {
    "two dots": "..", "a dot": ".", "three dots": "...", "a slash": "a/b", "a way up": "../assistants",
    "a query": "a?limit=1", "a fragment": "a#b", "a percent": "a%2Fb", "dots in percent": "%2e%2e",
    "a blank": "a b",
    "a line break": "a\nb", "a NUL": "a\0b", "an umlaut": "ü", "a semicolon": "a;b=c", "a backslash": "a\\b",
    "an address": "http://127.0.0.1:9/x", "two slashes": "//evil.example/x", "an at": "user@host",
    "braces": "{parent}",
    "a right to left": "a\u202eb", "an emoji": "\U0001f600",
}  # fmt: skip
UNUSABLE = {"half a pair": "a\ud800b", "nothing": "", "very long": "a" * (MAX_ID.maximum + 1)}

REQUESTS: dict[str, Callable[[Writer, str], object]] = {
    "an object": lambda w, id_: w.get("vector_store", id_),
    "a thread": lambda w, id_: w.get("thread", id_),
    "an assistant": lambda w, id_: w.get("assistant", id_),
    "its messages": lambda w, id_: list(w.pages("message", id_)),
    "the newest of them": lambda w, id_: list(w.newest("message", id_)),
    "files of a store": lambda w, id_: list(w.pages("vector_store_file", id_)),
    "a file in a store": lambda w, id_: w.get("vector_store_file", id_, "vs_1"),
    "parsed text": lambda w, id_: w.parsed("vs_1", id_),
    "content": lambda w, id_: _content(w, id_),
    "a change": lambda w, id_: w.update("vector_store", id_, {}),
    "a deletion": lambda w, id_: w.delete("vector_store", id_),
    "files into it": lambda w, id_: w.attach(id_, [{"file_id": "a"}, {"file_id": "b"}]),
    "messages into it": lambda w, id_: w.append(id_, [{"role": "user", "content": "x"}]),
}


def _content(writer: Writer, id_: str) -> bytes:
    with writer.content(id_) as chunks:
        return b"".join(chunks)


@pytest.mark.parametrize("what", ODD)
def test_a_segment_is_the_id_and_nothing_else(what: str) -> None:
    quoted = path_segment(ODD[what])
    assert unquote(quoted) == ODD[what]
    assert not set(quoted) & set("/?#\\ ;")
    assert quoted not in (".", "..")


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("routes", [ASSISTANTS_ROUTES, FOUNDRY_ROUTES])
def test_every_route_has_as_many_segments_as_it_should(routes: dict[str, object], what: str) -> None:
    for kind in routes:
        plain = route_path(kind, "x", "x", "x", routes)  # type: ignore[arg-type]
        odd = route_path(kind, ODD[what], ODD[what], ODD[what], routes)  # type: ignore[arg-type]
        assert odd.count("/") == plain.count("/")
        assert [part for part in odd.split("/")[1:] if unquote(part) != ODD[what]] == [
            part for part in plain.split("/")[1:] if part != "x"
        ]


@pytest.mark.exhaustive(12)
@pytest.mark.parametrize("how", REQUESTS)
@pytest.mark.parametrize("type_", TYPES)
def test_what_is_sent_has_the_id_as_one_segment(type_: str, how: str) -> None:
    def answer(asked: RecordedRequest) -> Reply:
        return Reply(body={**listing(), "id": unquote(asked.path.rpartition("/")[2])})

    with connected(type_, answer) as (writer, server):
        REQUESTS[how](connected_without_retries(writer), "plain")
        (usual,) = {asked.path for asked in server.asked if "plain" in asked.path}
        for odd in ODD.values():
            server.asked.clear()
            REQUESTS[how](writer, odd)
            paths = [asked.path for asked in server.asked]
            assert usual.replace("plain", path_segment(odd)) in paths, (odd, paths)


@pytest.mark.exhaustive(40)
@pytest.mark.parametrize("what", UNUSABLE)
@pytest.mark.parametrize("how", REQUESTS)
@pytest.mark.parametrize("type_", TYPES)
def test_an_id_without_a_form_is_a_failed_request_and_nothing_is_sent(
    type_: str, how: str, what: str
) -> None:
    with connected(type_, in_turn(Reply(body=listing()))) as (writer, server):
        with pytest.raises(RequestFailed, match="cannot be requested"):
            REQUESTS[how](writer, UNUSABLE[what])
        assert server.asked == []
