"""The rate limit that all connections of an endpoint share."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest

from migrate.endpoints.http.rate_limit import RateLimiter
from migrate.errors import RequestFailed


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def many(limiter: RateLimiter, jobs: int, threads: int) -> int:
    """The maximum number of concurrent requests."""
    under_way, most, lock = 0, 0, threading.Lock()

    def one(_: int) -> None:
        nonlocal under_way, most
        with limiter.slot():
            with lock:
                under_way += 1
                most = max(most, under_way)
            time.sleep(0.002)
            with lock:
                under_way -= 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(jobs)))
    return most


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_never_more_than_the_workers(workers: int) -> None:
    assert many(RateLimiter(workers), 60, 20) == workers


def test_a_429_halves_and_answers_let_it_grow_again() -> None:
    clock = Clock()
    limiter = RateLimiter(8, clock)
    assert limiter.on_throttled(0, {"retry-after-ms": "10"})
    assert limiter.capacity == 4
    clock.now += 1
    assert limiter.on_throttled(0, {"retry-after-ms": "10"})
    assert limiter.capacity == 2
    seen = []
    for _ in range(60):
        limiter.on_success()
        seen.append(limiter.capacity)
    assert seen == sorted(seen), "it grows"
    assert seen[0] == 2, "slowly"
    assert seen[-1] == 8, "back to where it was, and no further"


def test_many_that_hear_of_one_shortage_halve_once() -> None:
    limiter = RateLimiter(8, Clock())
    for _ in range(5):
        limiter.on_throttled(0, {"retry-after": "1"})
    assert limiter.capacity == 4


def test_it_never_stops_altogether() -> None:
    clock = Clock()
    limiter = RateLimiter(2, clock)
    for _ in range(10):
        limiter.on_throttled(0, {"retry-after-ms": "1"})
        clock.now += 1
    assert limiter.capacity == 1


@pytest.mark.parametrize("headers", [{"retry-after": "86400"}, {"retry-after-ms": "86400000"}])
def test_nobody_waits_for_a_day(headers: dict[str, str]) -> None:
    assert RateLimiter(4).on_throttled(0, headers) is False


def test_a_date_is_understood() -> None:
    assert RateLimiter(4).on_throttled(0, {"retry-after": formatdate(time.time() + 5, usegmt=True)})
    assert (
        RateLimiter(4).on_throttled(0, {"retry-after": formatdate(time.time() + 9999, usegmt=True)}) is False
    )


def test_everybody_waits_as_long_as_one_was_asked_to() -> None:
    limiter = RateLimiter(4)
    limiter.on_throttled(0, {"retry-after-ms": "120"})
    started = time.monotonic()
    many(limiter, 4, 4)
    assert time.monotonic() - started >= 0.12


def test_it_reports_what_is_waited_for() -> None:
    clock = Clock()
    limiter = RateLimiter(8, clock)
    assert limiter.waiting() == ""
    limiter.on_throttled(0, {"retry-after": "12"})
    assert limiter.waiting() == "waiting 12 s as the service asked, 4 of 8 workers"
    clock.now += 11.5
    assert limiter.waiting().startswith("waiting 1 s ")
    clock.now += 1
    assert limiter.waiting() == "4 of 8 workers, as the service asked"
    while limiter.capacity < 8:
        limiter.on_success()
    assert limiter.waiting() == ""


def test_a_stop_ends_every_wait() -> None:
    limiter = RateLimiter(1)
    limiter.on_throttled(0, {"retry-after": "30"})
    threading.Timer(0.1, limiter.stop.set).start()
    started = time.monotonic()
    with pytest.raises(RequestFailed, match="stopped"), limiter.slot():
        pytest.fail("it was let through")
    limiter.sleep(30)
    assert time.monotonic() - started < 5


def test_a_pace_is_measured_from_twenty_good_answers() -> None:
    clock = Clock()
    limiter = RateLimiter(8, clock)
    for number in range(20):
        assert limiter.requests_per_s is None, number
        with limiter.slot():
            clock.now += 0.5
        limiter.on_success()
    clock.now += 1_000  # no requests meanwhile
    assert limiter.requests_per_s == pytest.approx(2.0)
