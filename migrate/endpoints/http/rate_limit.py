"""The rate limiter of one endpoint, shared by all its connections.

After a 429 the number of parallel requests is halved, and all of them wait as long as the service asks. Every
good answer lets the number grow again, slowly, and never above the number of workers.
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
from migrate.errors import NotSent, ServiceUnreachable

MAX_ATTEMPTS = 6
# If a service asks to wait longer than this (86,400 s was seen), the request fails instead.
MAX_WAIT_S = 60.0


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the service asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
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
    """Seconds to wait after the failed attempt number `attempt` (from 0); None: do not try again."""
    requested = retry_after_s(headers)
    if requested is None:
        return float(min(8.0, 0.25 * 2**attempt) * (0.75 + random.random() / 2))
    return requested if requested <= MAX_WAIT_S else None


# A waiting thread looks this often whether it should stop.
STOP_CHECK_INTERVAL_S = 0.05
# Below so many good answers no pace is measured: the first requests open connections and sign in.
MIN_PACE_ANSWERS = 20


class RateLimiter:
    """Limits the requests of one endpoint. Safe to share between threads. Setting `stop` ends every wait."""

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
        # Good answers, when the first request was sent, and when the last good answer came.
        self._answers = 0
        self._first_sent: float | None = None
        self._last_answer = 0.0
        self._changed = threading.Condition()

    @property
    def capacity(self) -> int:
        """How many requests may be in flight now."""
        return max(1, int(self._capacity))

    @property
    def requests_per_s(self) -> float | None:
        """Good answers per second until now, waiting included; None while there are too few to measure."""
        with self._changed:
            elapsed_s = self._last_answer - (self._first_sent or 0.0)
            return self._answers / elapsed_s if self._answers >= MIN_PACE_ANSWERS and elapsed_s > 0 else None

    def waiting(self) -> str:
        """What the program waits for, as text; '' if it does not wait for the service."""
        if outage_text := self.outage.status_text():
            return outage_text
        wait_s = self._quiet_until - self._clock()
        slowed = (
            f"{self.capacity} of {self.max_requests} workers" if self.capacity < self.max_requests else ""
        )
        if wait_s > 0:
            return ", ".join(filter(None, (f"waiting {ceil(wait_s)} s as the service asked", slowed)))
        return f"{slowed}, as the service asked" if slowed else ""

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until a request may be sent, and count as a request in flight until the block ends. Raises
        `ServiceUnreachable` or `NotSent` once `stop` is set."""
        with self._changed:
            while not self.stop.is_set():
                wait_s = self._quiet_until - self._clock()
                if wait_s <= 0 and self._in_flight < self.capacity:
                    break
                self._changed.wait(
                    min(STOP_CHECK_INTERVAL_S, wait_s) if wait_s > 0 else STOP_CHECK_INTERVAL_S
                )
            if self.stop.is_set():
                self.outage.raise_if_gone(self.url)
                raise NotSent
            self._in_flight += 1
            if self._first_sent is None:
                self._first_sent = self._clock()
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def check_reachable(self) -> None:
        """Raise `ServiceUnreachable` once the service counts as gone; this also ends every wait."""
        try:
            self.outage.raise_if_gone(self.url)
        except ServiceUnreachable:
            self.stop.set()
            raise

    def sleep(self, seconds: float) -> None:
        """Wait before one request is repeated; other requests continue."""
        self.stop.wait(seconds)

    def on_success(self) -> None:
        """Record a good answer: the capacity grows by one after as many good answers as requests in
        flight."""
        with self._changed:
            self._answers += 1
            self._last_answer = self._clock()
            if self._capacity < self.max_requests:
                self._capacity = min(float(self.max_requests), self._capacity + 1.0 / self._capacity)

    def on_throttled(self, attempt: int, headers: Mapping[str, str]) -> bool:
        """Slow down after a 429. False if the service asks to wait longer than `MAX_WAIT_S`."""
        wait = retry_wait_s(attempt, headers)
        if wait is None:
            return False
        with self._changed:
            now = self._clock()
            if now >= self._halved_at:  # requests in flight get a 429 too, but count as the same event
                self._capacity = max(1.0, self._capacity / 2)
                self._halved_at = now + wait
            self._quiet_until = max(self._quiet_until, now + wait)
        return True
