"""The order of a listing is detected from its rows: reversed where needed, or reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.endpoints.http.list_order import ListOrder, OrderedListing, row_creation_time
from migrate.endpoints.interface import Page
from migrate.errors import PaginationError
from migrate.model.entity import RESTART_FROM_FIRST_PAGE
from tests.strategies import steady

Body = dict[str, Any]


def timed(*times: float | None) -> list[Body]:
    """Rows in their order of creation, with these times; the id shows the position."""
    return [
        {"id": f"row{place:03}", **({} if time is None else {"created_at": time})}
        for place, time in enumerate(times)
    ]


class Server:
    """A listing of `stored` rows. `ignores`: the order that it always uses ("asc" or "desc"); '': it obeys
    `order`."""

    def __init__(self, stored: list[Body], ignores: str = "", size: int = 100) -> None:
        self.stored, self.ignores, self.size = stored, ignores, size
        self.asked = 0

    def given(self, order: str) -> list[Body]:
        rows = list(self.stored)
        return rows[::-1] if (self.ignores or order) == "desc" else rows

    def pages(self, order: str = "asc") -> Iterator[Page]:
        rows = self.given(order)
        for start in range(0, len(rows), self.size):
            part = rows[start : start + self.size]
            yield Page(part, "" if start + self.size >= len(rows) else part[-1]["id"])

    def newest(self) -> list[Body]:
        self.asked += 1
        return self.given("desc")[: self.size]


def read(
    server: Server, sorting: ListOrder | None = None, resumed: bool = False, content: bool = True
) -> list[str]:
    question = OrderedListing("message", "/things", content, server.newest, resumed)
    pages = list((sorting or ListOrder()).oldest_first(server.pages(), question))
    assert not pages or pages[-1].cursor == ""
    return [row["id"] for page in pages for row in page.bodies]


def stored(server: Server) -> list[str]:
    return [row["id"] for row in server.stored]


RISING = {
    "seconds": (1, 2, 3, 4, 5),
    "with ties": (1, 1, 2, 2, 3),
    "ties at the start": (1, 1, 1, 2, 3),
    "ties at the end": (1, 2, 3, 3, 3),
    "some tell none": (1, None, 2, 0, 3),
    "two": (1, 2),
    "fractions": (1.25, 1.5, 1.75),
}


def tells(times: Any) -> bool:
    """Whether the times of a page show an order."""
    return len({time for time in times if time}) > 1


class TestTimesThatTell:
    @pytest.mark.parametrize("size", [100, 2])
    @pytest.mark.parametrize("times", RISING.values(), ids=RISING)
    def test_in_order_it_stays_and_nothing_is_asked(self, times: Any, size: int) -> None:
        server = Server(timed(*times), size=size)
        assert read(server) == stored(server)
        assert server.asked == (0 if tells(times[:size]) else 1)

    @pytest.mark.parametrize("size", [100, 2])
    @pytest.mark.parametrize("times", RISING.values(), ids=RISING)
    def test_newest_first_it_is_turned_round(self, times: Any, size: int) -> None:
        server = Server(timed(*times), ignores="desc", size=size)
        if not tells(times[-size:]):
            with pytest.raises(PaginationError, match="cannot be determined"):
                read(server)
            return
        assert read(server) == stored(server)
        assert server.asked == 0

    def test_pages_of_a_listing_turned_round_cannot_be_continued_behind(self) -> None:
        server = Server(timed(1, 2, 3, 4, 5), ignores="desc", size=2)
        question = OrderedListing("message", "/things", True, server.newest)
        pages = list(ListOrder().oldest_first(server.pages(), question))
        assert [page.cursor for page in pages] == [RESTART_FROM_FIRST_PAGE, RESTART_FROM_FIRST_PAGE, ""]

    def test_a_part_of_a_listing_is_not_turned_round(self) -> None:
        with pytest.raises(PaginationError, match="was read before"):
            read(Server(timed(1, 2, 3), ignores="desc"), resumed=True)

    def test_one_row_or_none_needs_no_proof(self) -> None:
        for rows in ([], timed(5), timed(None)):
            server = Server(rows, ignores="desc")
            assert read(server) == stored(server)
            assert server.asked == 0


class TestTimesThatDoNotTell:
    """Items of conversations, and messages of one second."""

    @pytest.mark.parametrize("times", [(None, None, None), (7, 7, 7), (0, None, 0)])
    @pytest.mark.parametrize("size", [100, 2])
    def test_a_server_that_obeys_is_asked_once_a_kind(self, times: Any, size: int) -> None:
        sorting, server = ListOrder(), Server(timed(*times), size=size)
        assert read(server, sorting) == stored(server)
        assert read(server, sorting) == stored(server)
        assert server.asked == 1

    @pytest.mark.parametrize("ignores", ["asc", "desc"])
    @pytest.mark.parametrize("size", [100, 2])
    def test_a_server_that_does_not_is_reported(self, ignores: str, size: int) -> None:
        sorting, server = ListOrder(), Server(timed(None, None, None), ignores=ignores, size=size)
        for _ in range(2):
            with pytest.raises(PaginationError, match="ignores `order`"):
                read(server, sorting)
        assert server.asked == 1

    @pytest.mark.parametrize("ignores", ["asc", "desc"])
    def test_another_listing_of_the_same_kind_is_enough(self, ignores: str) -> None:
        sorting, server = ListOrder(), Server(timed(7, 7, 7), ignores=ignores)
        read(Server(timed(1, 2, 3), ignores=ignores), sorting)
        assert read(server, sorting) == stored(server)
        assert server.asked == 0

    @pytest.mark.parametrize("ignores", ["", "asc", "desc"])
    def test_one_row_without_has_more_needs_no_proof(self, ignores: str) -> None:
        server = Server(timed(None), ignores)
        question = OrderedListing("message", "/things", True, server.newest)
        pages = iter([Page(server.stored, "row000")])  # after which there is none
        assert list(ListOrder().oldest_first(pages, question)) == [Page(server.stored)]
        assert server.asked == 0

    @pytest.mark.parametrize("ignores", ["asc", "desc"])
    def test_two_pages_of_one_row_are_proved(self, ignores: str) -> None:
        server = Server(timed(None, None), ignores, size=1)
        with pytest.raises(PaginationError, match="cannot be determined"):
            read(server)
        assert read(Server(timed(None, None), size=1)) == ["row000", "row001"]

    def test_another_kind_proves_nothing(self) -> None:
        sorting, server = ListOrder(), Server(timed(7, 7, 7), ignores="desc")
        other = Server(timed(1, 2, 3))
        list(sorting.oldest_first(other.pages(), OrderedListing("run", "/runs", True, other.newest)))
        with pytest.raises(PaginationError):
            read(server, sorting)

    def test_a_row_that_came_meanwhile_proves_all_the_same(self) -> None:
        server = Server(timed(None, None, None))
        pages = server.pages()
        question = OrderedListing("message", "/things", True, server.newest)

        def later() -> list[Body]:
            return [{"id": "new"}, *server.newest()]

        found = list(ListOrder().oldest_first(pages, OrderedListing("message", "/things", True, later)))
        assert [row["id"] for page in found for row in page.bodies] == stored(server)
        assert question.path == "/things"

    def test_a_server_that_shuffles_is_reported(self) -> None:
        server = Server(timed(None, None, None, None))
        shuffled = [server.stored[n] for n in (2, 0, 3, 1)]
        question = OrderedListing("message", "/things", True, lambda: shuffled)
        with pytest.raises(PaginationError):
            list(ListOrder().oldest_first(server.pages(), question))

    def test_where_order_is_no_content_nothing_is_asked(self) -> None:
        server = Server(timed(None, None, None), ignores="desc")
        assert read(server, content=False) == stored(server)[::-1]
        assert server.asked == 0


class TestTimesThatRiseAndFall:
    MIXED = (3, 1, 2, 5, 4)

    @pytest.mark.parametrize("size", [100, 2])
    def test_a_server_whose_newest_rows_are_the_end_backwards_is_believed(self, size: int) -> None:
        server = Server(timed(*self.MIXED), size=size)
        assert read(server) == stored(server)

    @pytest.mark.parametrize("ignores", ["asc", "desc"])
    @pytest.mark.parametrize("size", [100, 2])
    def test_a_server_that_ignores_order_is_reported(self, ignores: str, size: int) -> None:
        with pytest.raises(PaginationError, match="rise and fall"):
            read(Server(timed(*self.MIXED), ignores=ignores, size=size))

    def test_it_is_named_although_another_listing_of_the_kind_was_in_order(self) -> None:
        sorting = ListOrder()
        read(Server(timed(1, 2, 3), ignores="asc"), sorting)
        with pytest.raises(PaginationError, match="rise and fall"):
            read(Server(timed(*self.MIXED), ignores="asc"), sorting)

    @pytest.mark.parametrize("ignores", ["", "asc", "desc"])
    def test_where_order_is_no_content_rows_stay_as_they_came(self, ignores: str) -> None:
        server = Server(timed(*self.MIXED), ignores=ignores)
        assert read(server, content=False) == [row["id"] for row in server.given("asc")]


class TestNewestFirst:
    @pytest.mark.parametrize("size", [100, 2])
    @pytest.mark.parametrize("ignores", ["", "asc", "desc"])
    def test_whatever_the_server_does_the_newest_comes_first(self, ignores: str, size: int) -> None:
        server = Server(timed(1, 2, 3, 4, 5), ignores, size)
        pages = ListOrder().newest_first(server.pages("desc"))
        assert [row["id"] for page in pages for row in page.bodies] == stored(server)[::-1]

    def test_a_server_that_obeys_is_not_read_further_than_needed(self) -> None:
        read_pages = []

        def pages() -> Iterator[Page]:
            for page in Server(timed(1, 2, 3, 4), size=2).pages("desc"):
                read_pages.append(page)
                yield page

        next(ListOrder().newest_first(pages()))
        assert len(read_pages) == 1


def test_an_agent_was_made_when_its_newest_version_was() -> None:
    assert row_creation_time({"versions": {"latest": {"created_at": 7}}}) == 7
    for row in ({}, {"versions": None}, {"versions": {"latest": None}}, {"created_at": "now"}):
        assert row_creation_time(row) == 0


@steady
@given(
    times=st.lists(st.integers(1, 4), max_size=12),
    size=st.integers(1, 5),
    ignores=st.sampled_from(["", "asc", "desc"]),
)
def test_any_listing_in_the_order_of_its_times_is_read_so_or_reported(
    times: list[int], size: int, ignores: str
) -> None:
    server = Server(timed(*sorted(times)), ignores, size)
    try:
        assert read(server) == stored(server)
    except PaginationError:
        assert ignores
