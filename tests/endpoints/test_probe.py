"""A probe signs in with one request and sends the other ones at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from migrate.endpoints.http.openai_transport import JsonTransport
from migrate.endpoints.http.rate_limit import RateLimiter
from migrate.endpoints.http.retry import Channel
from migrate.endpoints.interface import Body
from migrate.endpoints.probe import probe_routes
from migrate.errors import NotFound, RequestFailed, ServiceUnreachable

EMPTY: Body = {"data": [], "has_more": False}


class Script(JsonTransport):
    """Answers with the result of a function of the path."""

    def __init__(self, answer: Callable[[str], Body]) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def request(
        self, method: str, path: str, params: Mapping[str, Any], headers: Mapping[str, str], body: Body | None
    ) -> Body:
        self.asked.append(path)
        return self.answer(path)


def channel(answer: Callable[[str], Body], workers: int = 4) -> tuple[Channel, Script]:
    wire = Script(answer)
    return Channel(wire, RateLimiter(workers)), wire


def test_the_first_is_asked_alone_and_the_others_side_by_side() -> None:
    together = threading.Barrier(3)
    alone: list[list[str]] = []

    def answer(path: str) -> Body:
        if path == "/assistants":
            alone.append(list(wire.asked))
        else:
            together.wait(5)  # the barrier breaks, and the test fails, if they come one after the other
        return EMPTY

    asked, wire = channel(answer)
    found = probe_routes(asked, "https://x")
    assert alone == [["/assistants"]]
    assert {kind: answer.state for kind, answer in found.items()} == dict.fromkeys(
        ("assistant", "file", "vector_store", "thread"), "works"
    )


def test_one_worker_asks_one_at_a_time() -> None:
    under_way = threading.Lock()

    def answer(_: str) -> Body:
        assert under_way.acquire(blocking=False)
        threading.Event().wait(0.01)
        under_way.release()
        return EMPTY

    found = probe_routes(channel(answer, workers=1)[0], "https://x")
    assert {answer.state for answer in found.values()} == {"works"}


def test_where_nobody_is_nothing_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimiter, "sleep", lambda *_: None)

    def answer(_: str) -> Body:
        raise RequestFailed("nobody there", status=0)

    asked, wire = channel(answer)
    with pytest.raises(ServiceUnreachable):
        probe_routes(asked, "https://x")
    assert set(wire.asked) == {"/assistants"}


def test_each_answer_is_reported_for_its_own_kind() -> None:
    def answer(path: str) -> Body:
        if path == "/vector_stores":
            raise NotFound(f"{path}: no such route", status=404)
        return EMPTY

    found = probe_routes(channel(answer)[0], "https://x")
    assert [kind for kind, answer in found.items() if answer.state == "gone"] == ["vector_store"]
    assert "/vector_stores" in found["vector_store"].reason


def test_whoever_stops_it_waits_for_no_further_attempt() -> None:
    def answer(path: str) -> Body:
        if path == "/files":
            raise KeyboardInterrupt
        if path == "/assistants":
            return EMPTY
        raise RequestFailed("no answer yet", status=503)

    asked, wire = channel(answer)
    with pytest.raises(KeyboardInterrupt):
        probe_routes(asked, "https://x")
    assert asked.limiter.stop.is_set()
    assert len(wire.asked) <= 4
