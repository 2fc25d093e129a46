"""A redirect never sends a request, with its secret, to another origin; no write follows one."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from migrate.endpoints.interface import Writer
from migrate.errors import OutcomeUnknown, RequestFailed
from tests.endpoints.connected_service import SECRET, TYPES, connected, connected_without_retries
from tests.endpoints.scripted_server import RecordedRequest, Reply, Server, in_turn, listing, serving

CODES = (301, 302, 303, 307, 308)

READS: dict[str, Callable[[Writer], object]] = {
    "a page": lambda w: list(w.pages("assistant")),
    "an object": lambda w: w.get("thread", "thread_1"),
    "the newest": lambda w: list(w.newest("message", "thread_1")),
    "the content of a file": lambda w: _content(w),
}
WRITES: dict[str, Callable[[Writer], object]] = {
    "a new assistant": lambda w: w.create("assistant", {"model": "m"}, "desk"),
    "a new thread": lambda w: w.create("thread", {}),
    "messages": lambda w: w.append("thread_1", [{"role": "user", "content": "hello"}]),
    "a change": lambda w: w.update("vector_store", "vs_1", {"name": "n"}),
    "a deletion": lambda w: w.delete("vector_store", "vs_1"),
    "an upload": lambda w: w.upload("a.txt", "assistants", io.BytesIO(b"abc")),
    "files into a store": lambda w: w.attach("vs_1", [{"file_id": "file_1"}]),
}


def _content(writer: Writer) -> bytes:
    with writer.content("file_1") as chunks:
        return b"".join(chunks)


def elsewhere(server: Server) -> dict[str, str]:
    """Addresses of other origins: another port, another name, another scheme, hidden ones."""
    return {
        "another port": f"{server.origin}/stolen",
        "another name": f"http://localhost:{server.server_port}/stolen",
        "another scheme": server.origin.replace("http:", "https:") + "/stolen",
        "without a scheme": f"//127.0.0.1:{server.server_port}/stolen",
        "behind a user": f"http://127.0.0.1:80@127.0.0.1:{server.server_port}/stolen",
    }


@pytest.mark.exhaustive(20)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("what", READS)
@pytest.mark.parametrize("type_", TYPES)
def test_a_read_is_not_sent_to_another_port(type_: str, what: str, code: int) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(serving(in_turn(Reply(body=listing("stolen")))))
        sent_on = Reply(code, headers={"location": f"{other.origin}/stolen"})
        writer, server = stack.enter_context(connected(type_, in_turn(sent_on)))
        with pytest.raises(
            RequestFailed, match=f"127.0.0.1:{other.server_port}.*nothing was sent there"
        ) as no:
            READS[what](connected_without_retries(writer))
        assert no.value.status == code
        assert other.asked == []
        assert len(server.asked) == 1, "a redirect is asked for again"
        assert SECRET not in str(no.value)


@pytest.mark.parametrize("where", ["another name", "another scheme", "without a scheme", "behind a user"])
@pytest.mark.parametrize("type_", TYPES)
def test_another_origin_is_seen_however_it_is_written(type_: str, where: str) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(serving(in_turn(Reply(body=listing("stolen")))))
        sent_on = Reply(302, headers={"location": elsewhere(other)[where]})
        writer, _ = stack.enter_context(connected(type_, in_turn(sent_on)))
        for kind in ("assistant", "file"):
            with pytest.raises(RequestFailed, match="nothing was sent there"):
                list(connected_without_retries(writer).pages(kind))
        assert other.asked == []


@pytest.mark.parametrize(
    "location", ["http://[::1", "http://127.0.0.1:99999/x", "http://", "https://a b/", "\x01"]
)
@pytest.mark.parametrize("type_", TYPES)
def test_an_address_that_is_none_is_a_failed_request(type_: str, location: str) -> None:
    with connected(type_, in_turn(Reply(302, headers={"location": location}))) as (writer, _):
        for kind in ("assistant", "file"):
            with pytest.raises(RequestFailed):
                list(connected_without_retries(writer).pages(kind))


@pytest.mark.exhaustive(40)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("type_", TYPES)
def test_a_write_follows_no_redirect(type_: str, what: str, here: bool, code: int) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(serving(in_turn(Reply(body={"id": "stolen"}))))

        def answer(asked: RecordedRequest) -> Reply:
            place = server.origin if here else other.origin
            there = asked.path == "/moved"
            return (
                Reply(body={"id": "moved"}) if there else Reply(code, headers={"location": f"{place}/moved"})
            )

        writer, server = stack.enter_context(connected(type_, answer))
        with pytest.raises(RequestFailed, match=f"answered {code}") as no:
            WRITES[what](connected_without_retries(writer))
        assert isinstance(no.value, OutcomeUnknown) == (code in (301, 302, 303))
        assert other.asked == []
        assert [asked.path for asked in server.asked if asked.path == "/moved"] == []


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("kind", ["assistant", "file"])
def test_a_read_follows_one_within_its_origin_and_stays_signed(type_: str, kind: str) -> None:
    def answer(asked: RecordedRequest) -> Reply:
        if asked.path == "/moved":
            return Reply(body=listing("one"))
        return Reply(307, headers={"location": "/moved?x=1"})

    with connected(type_, answer) as (writer, server):
        (page,) = writer.pages(kind)
        assert [body["id"] for body in page.bodies] == ["one"]
        last = server.asked[-1]
        assert (last.method, last.path, last.query) == ("GET", "/moved", {"x": "1"})
        assert SECRET in (last.headers.get("authorization", "") + last.headers.get("api-key", ""))


@pytest.mark.parametrize("type_", TYPES)
def test_redirects_that_go_round_end(type_: str) -> None:
    with connected(type_, in_turn(Reply(302, headers={"location": "/round"}))) as (writer, server):
        with pytest.raises(RequestFailed, match="too many redirects"):
            list(connected_without_retries(writer).pages("assistant"))
        assert len(server.asked) <= 7
