"""Content that is returned only on request: requested once per kind, and left out where it is unknown."""

from __future__ import annotations

import threading
from itertools import combinations
from typing import Any

import pytest

from migrate.endpoints.include import IncludeOptions
from migrate.endpoints.routes import ITEM_INCLUDES
from migrate.errors import RequestFailed
from migrate.model.expected_gaps import hidden_parts

Body = dict[str, Any]


class Service:
    """A service that supports some values of `include[]` and returns the requested content."""

    def __init__(self, *known: str, status: int = 400) -> None:
        self.known, self.status = known, status
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, include: tuple[str, ...]) -> Body:
        self.asked.append(include)
        if set(include) - set(self.known):
            raise RequestFailed("Invalid value", self.status)
        return {"shown": include}


def test_all_of_it_costs_no_request_more() -> None:
    including, service = IncludeOptions(), Service(*ITEM_INCLUDES)
    for _ in range(3):
        assert including.request("message", ITEM_INCLUDES, service) == {"shown": ITEM_INCLUDES}
    assert service.asked == [ITEM_INCLUDES] * 3
    assert including.hidden == {}


@pytest.mark.parametrize("status", [400, 422])
def test_a_service_without_it_is_read_without_it(status: int) -> None:
    including, service = IncludeOptions(), Service(status=status)
    assert including.request("message", ITEM_INCLUDES, service) == {"shown": ()}
    assert len(service.asked) <= 2 * len(ITEM_INCLUDES)
    service.asked.clear()
    assert including.request("message", ITEM_INCLUDES, service) == {"shown": ()}
    assert service.asked == [()]
    assert including.hidden == {"message": ITEM_INCLUDES}


@pytest.mark.parametrize(
    "unknown",
    [*combinations(ITEM_INCLUDES, 1), *combinations(ITEM_INCLUDES, 2), *combinations(ITEM_INCLUDES, 5)],
)
def test_what_it_knows_is_asked_for(unknown: tuple[str, ...]) -> None:
    known = tuple(value for value in ITEM_INCLUDES if value not in unknown)
    including, service = IncludeOptions(), Service(*known)
    assert including.request("message", ITEM_INCLUDES, service) == {"shown": known}
    assert len(service.asked) <= 2 * len(ITEM_INCLUDES) + 1
    assert including.granted == {"message": known}
    assert including.hidden == {"message": unknown}


@pytest.mark.parametrize("status", [0, 401, 403, 404, 429, 500])
def test_another_failure_is_no_refusal_and_settles_nothing(status: int) -> None:
    including, service = IncludeOptions(), Service(status=status)
    with pytest.raises(RequestFailed):
        including.request("message", ITEM_INCLUDES, service)
    assert (including.granted, including.hidden) == ({}, {})


def test_a_request_that_is_wrong_in_itself_settles_nothing() -> None:
    def wrong(include: tuple[str, ...]) -> Body:
        raise RequestFailed("Invalid 'after'", 400)

    including = IncludeOptions()
    with pytest.raises(RequestFailed, match="after"):
        including.request("message", ITEM_INCLUDES, wrong)
    assert including.granted == {}


@pytest.mark.parametrize("status", [400, 422])
def test_what_is_refused_for_a_later_listing_is_read_without_it_and_reported(status: int) -> None:
    including, service = IncludeOptions(), Service(*ITEM_INCLUDES, status=status)
    including.request("message", ITEM_INCLUDES, service)
    service.known = ()
    assert including.request("message", ITEM_INCLUDES, service) == {"shown": ()}
    assert including.withheld_includes() == {"message": ITEM_INCLUDES}
    service.known = ITEM_INCLUDES
    assert including.request("message", ITEM_INCLUDES, service) == {"shown": ITEM_INCLUDES}


def test_a_later_request_that_is_wrong_in_itself_hides_nothing() -> None:
    including = IncludeOptions({"message": ITEM_INCLUDES})

    def wrong(include: tuple[str, ...]) -> Body:
        raise RequestFailed("Invalid 'after'", 400)

    with pytest.raises(RequestFailed, match="after"):
        including.request("message", ITEM_INCLUDES, wrong)
    assert including.withheld_includes() == {}


def test_values_that_are_not_taken_together_are_given_up() -> None:
    def one_at_a_time(include: tuple[str, ...]) -> Body:
        if len(include) > 1:
            raise RequestFailed("too many", 400)
        return {"shown": include}

    including = IncludeOptions()
    assert including.request("message", ("a", "b"), one_at_a_time) == {"shown": ()}
    assert including.hidden == {"message": ("a", "b")}


def test_many_threads_find_out_once() -> None:
    including, service = IncludeOptions(), Service(ITEM_INCLUDES[0])
    threads = [
        threading.Thread(target=including.request, args=("message", ITEM_INCLUDES, service)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert service.asked.count(ITEM_INCLUDES) == 1


@pytest.mark.parametrize(
    ("part", "hidden"),
    [
        ({"type": "input_image", "image_url": None, "file_id": None, "detail": "auto"}, True),
        ({"type": "input_image", "detail": "auto"}, True),
        ({"type": "input_image", "image_url": ""}, True),
        ({"type": "input_image", "image_url": "https://example.com/p.png"}, False),
        ({"type": "input_image", "file_id": "file-a", "image_url": None}, False),
        ({"type": "input_file", "file_id": None, "filename": "a.pdf"}, True),
        ({"type": "input_file", "file_data": "data:,x"}, False),
        ({"type": "input_file", "file_url": "https://example.com/a.pdf"}, False),
        ({"type": "computer_screenshot", "image_url": None}, True),
        ({"type": "input_text", "text": ""}, False),
        ({"type": None}, False),
    ],
)
@pytest.mark.parametrize("key", ["content", "output"])
def test_a_part_without_a_location_is_hidden(key: str, part: Body, hidden: bool) -> None:
    assert bool(hidden_parts({key: [part]})) is hidden
    assert bool(hidden_parts({key: part})) is hidden


@pytest.mark.parametrize(
    "body", [{}, {"content": None}, {"content": "text"}, {"content": [None, 7]}, {"output": 3}]
)
def test_odd_bodies_hide_nothing(body: Body) -> None:
    assert hidden_parts(body) == []
