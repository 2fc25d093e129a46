"""An iterator that runs in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from migrate.stages.index.background_batches import iterate_in_background


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def numbers(made: list[int], count: int) -> Callable[[Callable[[], None]], Iterator[int]]:
    def make(check_stopped: Callable[[], None]) -> Iterator[int]:
        for number in range(count):
            check_stopped()
            made.append(number)
            yield number

    return make


def test_items_come_in_order_from_another_thread() -> None:
    threads = []

    def make(_: Callable[[], None]) -> Iterator[int]:
        threads.append(threading.current_thread())
        yield from range(50)

    with iterate_in_background(make) as items:
        assert list(items) == list(range(50))
    assert threads != [threading.current_thread()]
    assert not threads[0].is_alive()


def test_an_error_of_the_iterator_is_raised_after_the_items_before_it() -> None:
    def make(_: Callable[[], None]) -> Iterator[int]:
        yield 1
        raise KeyError("damaged")

    with iterate_in_background(make) as items:
        assert next(items) == 1
        with pytest.raises(KeyError, match="damaged"):
            next(items)
    assert "index" not in names()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_thread_ends_with_the_block(error: type[BaseException]) -> None:
    made: list[int] = []

    def take_four() -> None:
        with iterate_in_background(numbers(made, 10**9)) as items:
            for _ in range(4):
                next(items)
            raise error

    with pytest.raises(error):
        take_four()
    assert "index" not in names()
    assert made[:4] == [0, 1, 2, 3]
    assert len(made) <= 5  # only one runs ahead


def test_what_the_iterator_holds_is_released_when_it_is_stopped() -> None:
    released = threading.Event()

    def make(check_stopped: Callable[[], None]) -> Iterator[int]:
        try:
            yield from iter(int, 1)
        finally:
            released.set()

    with iterate_in_background(make) as items:
        next(items)
    assert released.wait(5)
