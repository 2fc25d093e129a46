"""A listing is read to its end or fails: a failed, empty or repeated page is never taken for the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.endpoints.http.pagination import iter_pages
from migrate.endpoints.interface import Page
from migrate.errors import PaginationError, RequestFailed
from tests.strategies import steady

Body = dict[str, Any]


def rows(*ids: str) -> list[Body]:
    return [{"id": id_} for id_ in ids]


def envelope(*ids: str, more: bool | None = None) -> Body:
    body: Body = {"object": "list", "data": rows(*ids)}
    return body if more is None else {**body, "has_more": more}


class Server:
    """Gives prepared answers one after the other and records the requests."""

    def __init__(self, *answers: Body | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, after: str) -> Body:
        self.asked.append(after)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def read(fetch: Callable[[str], Body], after: str = "", limit: int = 0) -> tuple[list[str], list[str]]:
    """Ids and cursors of every page."""
    pages = list(iter_pages(fetch, "/things", after, limit))
    return [row["id"] for page in pages for row in page.bodies], [page.cursor for page in pages]


def test_pages_follow_each_other_until_no_more_is_promised() -> None:
    server = Server(envelope("a", "b", more=True), envelope("c", "d", more=True), envelope("e", more=False))
    assert read(server) == (["a", "b", "c", "d", "e"], ["b", "d", ""])
    assert server.asked == ["", "b", "d"]


@pytest.mark.parametrize("more", [False, None])
def test_an_empty_listing_has_no_page(more: bool | None) -> None:
    assert read(Server(envelope(more=more))) == ([], [])


def test_a_failed_page_is_a_failure_and_what_came_before_is_kept() -> None:
    pages = iter_pages(Server(envelope("a", more=True), RequestFailed("500")), "/things")
    assert next(pages) == Page(rows("a"), "a")
    with pytest.raises(RequestFailed, match="500"):
        next(pages)


@pytest.mark.parametrize("error", [{"message": "over quota"}, "over quota", {"detail": "over quota"}])
def test_an_error_in_a_listing_of_nothing_is_a_failure(error: Any) -> None:
    with pytest.raises(RequestFailed, match="over quota"):
        read(Server({"object": "list", "data": [], "has_more": False, "error": error}))
    assert read(Server({**envelope("a", more=False), "error": None})) == (["a"], [""])


@pytest.mark.parametrize("answer", [{}, {"data": None}, {"data": {}}, {"error": None}])
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


def test_without_a_word_about_more_a_page_with_the_last_row_again_is_the_end() -> None:
    assert read(Server(envelope("a", "b"), envelope("b", "c"), envelope("c")))[0] == ["a", "b", "c"]


@pytest.mark.parametrize("back", [("a", "b"), ("b", "c"), ("a",), ("d", "a")])
def test_a_page_that_leads_back_to_older_pages_is_no_end(back: tuple[str, ...]) -> None:
    with pytest.raises(PaginationError, match="leads back"):
        read(Server(envelope("a", "b"), envelope("c", "d"), envelope(*back)))


def test_an_empty_page_that_promises_more_is_a_failure() -> None:
    with pytest.raises(PaginationError, match="empty page"):
        read(Server(envelope("a", more=True), envelope(more=True)))


def test_a_repeated_page_that_promises_more_is_a_failure() -> None:
    with pytest.raises(PaginationError, match="repeats"):
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
def test_a_row_without_identity_is_not_dropped_silently(row: Any) -> None:
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


class TestAFullPageThatCallsItselfTheLast:
    """`has_more: false` after a full page is checked with one more request."""

    def test_more_rows_behind_it_are_read(self) -> None:
        server = Server(
            envelope("a", "b", more=False), envelope("c", "d", more=False), envelope("e", more=False)
        )
        assert read(server, limit=2) == (["a", "b", "c", "d", "e"], ["b", "d", ""])
        assert server.asked == ["", "b", "d"]

    @pytest.mark.parametrize("more", [False, None])
    def test_nothing_behind_it_is_the_end(self, more: bool | None) -> None:
        server = Server(envelope("a", "b", more=False), envelope(more=more))
        assert read(server, limit=2)[0] == ["a", "b"]
        assert server.asked == ["", "b"]

    def test_a_page_with_fewer_rows_is_not_doubted(self) -> None:
        server = Server(envelope("a", "b", more=False))
        assert read(server, limit=3) == (["a", "b"], [""])

    @pytest.mark.parametrize("own", [20, 25, 50])
    def test_a_server_that_gives_a_number_of_rows_of_its_own_is_doubted_too(self, own: int) -> None:
        ids = [f"id{n:02}" for n in range(own + 3)]
        server = Server(envelope(*ids[:own], more=False), envelope(*ids[own:], more=False))
        assert read(server, limit=100)[0] == ids

    @pytest.mark.parametrize("status", [400, 404, 405, 422, 501])
    def test_a_server_that_cannot_be_asked_is_believed(self, status: int) -> None:
        assert read(Server(envelope("a", "b", more=False), RequestFailed("no", status)), limit=2)[0] == [
            "a",
            "b",
        ]

    @pytest.mark.parametrize("status", [0, 401, 403, 429, 500, 503])
    def test_a_server_that_fails_is_not(self, status: int) -> None:
        with pytest.raises(RequestFailed):
            read(Server(envelope("a", "b", more=False), RequestFailed("no", status)), limit=2)

    @pytest.mark.parametrize("more", [False, None])
    def test_a_repeated_full_page_hides_later_rows(self, more: bool | None) -> None:
        with pytest.raises(PaginationError, match="ignores `after`"):
            read(Server(envelope("a", "b", more=more), envelope("a", "b", more=more)), limit=2)

    @pytest.mark.parametrize("more", [False, None])
    def test_more_rows_than_were_asked_for_and_again_the_same_are_all(self, more: bool | None) -> None:
        server = Server(envelope("a", "b", "c", more=more), envelope("a", "b", "c", more=more))
        assert read(server, limit=2)[0] == ["a", "b", "c"]

    def test_reading_goes_on_behind_the_page_that_was_doubted(self) -> None:
        server = Server(envelope(more=False))
        assert read(server, after="b", limit=2) == ([], [])


class TestWhatAPageSaysOfItself:
    @pytest.mark.parametrize("said", ["false", "False", 0, "0"])
    def test_no_more_in_another_spelling(self, said: Any) -> None:
        server = Server({"data": rows("a"), "has_more": said})
        assert read(server, limit=2)[0] == ["a"]

    @pytest.mark.parametrize("said", ["true", "True", 1, "1"])
    def test_more_in_another_spelling_is_a_promise(self, said: Any) -> None:
        with pytest.raises(PaginationError, match="repeats"):
            read(Server({"data": rows("a"), "has_more": said}, {"data": rows("a"), "has_more": said}))

    @pytest.mark.parametrize("said", [None, "perhaps", {}, []])
    def test_an_answer_without_has_more_is_checked(self, said: Any) -> None:
        server = Server({"data": rows("a"), "has_more": said}, {"data": rows("b")}, {"data": []})
        assert read(server, limit=2)[0] == ["a", "b"]

    @pytest.mark.parametrize("name", ["total", "total_count"])
    def test_a_listing_shorter_than_it_counts_is_not_whole(self, name: str) -> None:
        with pytest.raises(PaginationError, match="reports 3 rows and sends 2"):
            read(Server({"data": rows("a", "b"), "has_more": False, name: 3}))

    @pytest.mark.parametrize("count", [2, 1, 0, -1, None, True, "3", 2.5])
    def test_a_count_that_fits_or_is_none_is_no_matter(self, count: Any) -> None:
        assert read(Server({"data": rows("a", "b"), "has_more": False, "total": count}))[0] == ["a", "b"]

    def test_a_count_proves_nothing_about_a_part(self) -> None:
        assert read(Server({"data": rows("c"), "has_more": False, "total": 3}), after="b")[0] == ["c"]


def test_two_different_rows_of_one_id_on_a_page_are_a_failure() -> None:
    page = {"data": [{"id": "a", "text": "one"}, {"id": "a", "text": "other"}], "has_more": False}
    with pytest.raises(RequestFailed, match="two different rows with id a"):
        read(Server(page))


def test_a_row_that_changed_between_two_pages_comes_once() -> None:
    later = {"data": [{"id": "b", "text": "changed"}, {"id": "c"}], "has_more": False}
    assert read(Server(envelope("a", "b", more=True), later))[0] == ["a", "b", "c"]


@steady
@given(count=st.integers(0, 40), limit=st.integers(1, 9), lies=st.booleans(), after_works=st.booleans())
def test_a_server_that_always_calls_itself_finished_is_read_whole_or_fails(
    count: int, limit: int, lies: bool, after_works: bool
) -> None:
    ids = [f"id{n:02}" for n in range(count)]

    def fetch(after: str) -> Body:
        left = [id_ for id_ in ids if id_ > after] if after_works else ids
        return envelope(*left[:limit], more=False if lies else None)

    try:
        assert read(fetch, limit=limit)[0] == ids
    except PaginationError:
        assert not after_works
        assert count >= limit
