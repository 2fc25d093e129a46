"""A listing is read to its end or fails by name: no failed, empty or repeated page passes for the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.endpoints.interface import Page
from migrate.endpoints.paging import walk
from migrate.errors import PagingBroken, RequestFailed
from tests.strategies import steady

Body = dict[str, Any]


def rows(*ids: str) -> list[Body]:
    return [{"id": id_} for id_ in ids]


def envelope(*ids: str, more: bool | None = None) -> Body:
    body: Body = {"object": "list", "data": rows(*ids)}
    return body if more is None else {**body, "has_more": more}


class Server:
    """Gives prepared answers one after the other and remembers what it was asked."""

    def __init__(self, *answers: Body | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, after: str) -> Body:
        self.asked.append(after)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def read(fetch: Callable[[str], Body], after: str = "") -> tuple[list[str], list[str]]:
    """Ids and cursors of every page."""
    pages = list(walk(fetch, "/things", after))
    return [row["id"] for page in pages for row in page.bodies], [page.cursor for page in pages]


def test_pages_follow_each_other_until_no_more_is_promised() -> None:
    server = Server(envelope("a", "b", more=True), envelope("c", "d", more=True), envelope("e", more=False))
    assert read(server) == (["a", "b", "c", "d", "e"], ["b", "d", ""])
    assert server.asked == ["", "b", "d"]


@pytest.mark.parametrize("more", [False, None])
def test_an_empty_listing_has_no_page(more: bool | None) -> None:
    assert read(Server(envelope(more=more))) == ([], [])


def test_a_failed_page_is_a_failure_and_what_came_before_is_kept() -> None:
    pages = walk(Server(envelope("a", more=True), RequestFailed("500")), "/things")
    assert next(pages) == Page(rows("a"), "a")
    with pytest.raises(RequestFailed, match="500"):
        next(pages)


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {}}, {"error": {"message": "no"}}])
def test_an_answer_without_a_list_is_a_failure(answer: Body) -> None:
    with pytest.raises(RequestFailed, match="data"):
        read(Server(answer))


def test_without_a_word_about_more_an_empty_page_is_the_end() -> None:
    server = Server(envelope("a", "b"), envelope("c"), envelope())
    assert read(server)[0] == ["a", "b", "c"]
    assert server.asked == ["", "b", "c"]


def test_without_a_word_about_more_a_repeated_page_is_the_end() -> None:
    server = Server(envelope("a", "b"), envelope("a", "b"))
    assert read(server)[0] == ["a", "b"]
    assert server.asked == ["", "b"]


def test_an_empty_page_that_promises_more_is_a_failure() -> None:
    with pytest.raises(PagingBroken, match="empty page"):
        read(Server(envelope("a", more=True), envelope(more=True)))


def test_a_repeated_page_that_promises_more_is_a_failure() -> None:
    with pytest.raises(PagingBroken, match="repeats"):
        read(Server(envelope("a", "b", more=True), envelope("a", "b", more=True)))


def test_overlapping_rows_come_once() -> None:
    server = Server(
        envelope("a", "b", more=True), envelope("b", "c", more=True), envelope("c", "d", more=False)
    )
    assert read(server)[0] == ["a", "b", "c", "d"]


def test_a_row_twice_in_a_page_comes_once() -> None:
    assert read(Server(envelope("a", "a", "b", more=False)))[0] == ["a", "b"]


def test_reading_goes_on_behind_a_cursor() -> None:
    server = Server(envelope("c", more=True), envelope("d", more=False))
    assert read(server, after="b") == (["c", "d"], ["c", ""])
    assert server.asked == ["b", "c"]


@pytest.mark.parametrize("row", [None, "file-a", 7, {"name": "x"}, {"id": None}])
def test_a_row_that_cannot_be_told_apart_is_not_dropped_in_silence(row: Any) -> None:
    with pytest.raises(RequestFailed):
        read(Server({"data": [row, {"id": "a"}], "has_more": False}))


@steady
@given(count=st.integers(0, 40), limit=st.integers(1, 9), says=st.booleans(), start=st.integers(0, 40))
def test_any_listing_of_any_server_is_read_whole(count: int, limit: int, says: bool, start: int) -> None:
    ids = [f"id{n:02}" for n in range(count)]

    def fetch(after: str) -> Body:
        left = [id_ for id_ in ids if id_ > after]
        return envelope(*left[:limit], more=len(left) > limit if says else None)

    begin = f"id{start:02}"
    assert read(fetch)[0] == ids
    assert read(fetch, begin)[0] == [id_ for id_ in ids if id_ > begin]
