"""One endpoint's pace, shared by all its connections: how many requests at once, and when to wait.

A 429 halves the number of requests under way and makes all of them wait as long as the service asks;
every answer after that lets it grow again, slowly. Never more than the workers that were asked for.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from math import ceil

from migrate.endpoints.http.outage import Outage
from migrate.errors import RequestFailed, ServiceUnreachable

MAX_ATTEMPTS = 6
# Seconds; a service that asks for more (86,400 was seen) is given up on, not waited for.
MAX_WAIT_S = 60.0


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds the service asks to wait: retry-after-ms, retry-after in seconds, or as a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) / unit)
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (TypeError, ValueError):
            continue
    return None


def retry_wait_s(attempt: int, headers: Mapping[str, str]) -> float | None:
    """Seconds before attempt number `attempt` + 1 (the first is 0), or None to give up."""
    asked = retry_after_s(headers)
    if asked is None:
        return float(min(8.0, 0.25 * 2**attempt) * (0.75 + random.random() / 2))
    return asked if asked <= MAX_WAIT_S else None


# Stands for the status of a request that we did not send.
NOT_SENT_STATUS = 499
# Longest nap while waiting, in seconds, so that a stop is noticed.
STOP_CHECK_INTERVAL_S = 0.05


class RateLimiter:
    """Safe to share between threads. `waiting` says what is waited for; `stop` ends every wait."""

    def __init__(
        self, workers: int, clock: Callable[[], float] = time.monotonic, url: str = "the service"
    ) -> None:
        self.max_requests = max(1, workers)
        self.outage = Outage(clock)
        self.url = url
        self.stop = threading.Event()
        self._clock = clock
        self._capacity = float(self.max_requests)
        self._in_flight = 0
        self._quiet_until = 0.0
        self._halved_at = -1.0
        self._changed = threading.Condition()

    @property
    def capacity(self) -> int:
        """How many requests may be under way now."""
        return max(1, int(self._capacity))

    def waiting(self) -> str:
        """What is being waited for, in words; '' when the service holds nobody back."""
        if silent := self.outage.status_text():
            return silent
        rest = self._quiet_until - self._clock()
        slowed = (
            f"{self.capacity} of {self.max_requests} workers" if self.capacity < self.max_requests else ""
        )
        if rest > 0:
            return ", ".join(filter(None, (f"waiting {ceil(rest)} s as the service asked", slowed)))
        return f"{slowed}, as the service asked" if slowed else ""

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a place among the requests under way, and keep it until the block ends."""
        with self._changed:
            while not self.stop.is_set():
                rest = self._quiet_until - self._clock()
                if rest <= 0 and self._in_flight < self.capacity:
                    break
                self._changed.wait(min(STOP_CHECK_INTERVAL_S, rest) if rest > 0 else STOP_CHECK_INTERVAL_S)
            if self.stop.is_set():
                self.outage.raise_if_gone(self.url)
                raise RequestFailed("stopped before it was asked", status=NOT_SENT_STATUS)
            self._in_flight += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def check_reachable(self) -> None:
        """Raises `ServiceUnreachable` once the service counts as gone; then every wait ends."""
        try:
            self.outage.raise_if_gone(self.url)
        except ServiceUnreachable:
            self.stop.set()
            raise

    def sleep(self, seconds: float) -> None:
        """Wait alone, before one request is repeated."""
        self.stop.wait(seconds)

    def on_success(self) -> None:
        """An answer came: room grows by one when all who have a place have had one."""
        with self._changed:
            if self._capacity < self.max_requests:
                self._capacity = min(float(self.max_requests), self._capacity + 1.0 / self._capacity)

    def on_throttled(self, attempt: int, headers: Mapping[str, str]) -> bool:
        """A 429: slow down. False when the service asks for longer than anybody should wait."""
        wait = retry_wait_s(attempt, headers)
        if wait is None:
            return False
        with self._changed:
            now = self._clock()
            if now >= self._halved_at:  # those under way hear the same; they are one event
                self._capacity = max(1.0, self._capacity / 2)
                self._halved_at = now + wait
            self._quiet_until = max(self._quiet_until, now + wait)
        return True
