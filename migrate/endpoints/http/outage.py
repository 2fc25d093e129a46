"""Whether a service is gone: told after seconds, and given up after a minute.

A command ends when, for 60 seconds, there was no good answer and at least 5 requests had none at all, timed
out, or were answered with 5xx. Being slowed down (429) is no outage and never counts; every other answer says
that somebody is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from migrate.errors import NoResponse, RequestFailed, ServiceUnreachable

# Seconds without a good answer.
OUTAGE_S = 60.0
# Failed requests in them, at the least.
MIN_OUTAGE_ERRORS = 5
# Seconds of silence that are worth a word.
REPORT_SILENCE_AFTER_S = 5.0
TOO_MANY_REQUESTS = 429
# Said by a gateway that waited in vain: a timeout, though its number begins with 4.
GATEWAY_TIMEOUT = 408


class Outage:
    """What one endpoint answered lately. Threads may share it; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._errors = 0
        self._since = 0.0
        self._last = ""
        self._answered = False
        self._in_flight: dict[int, float] = {}
        # Sends a read again that was answered well: to see whether anybody is there at all.
        self.known_good_request: Callable[[], object] | None = None

    def request_started(self, watched: bool = True) -> float:
        """A request is sent now; the moment, which its end is told with. `watched`: silence is told."""
        now = self._clock()
        with self._lock:
            if watched:
                self._in_flight[threading.get_ident()] = now
        return now

    def request_ended(self, began: float, failed: RequestFailed | None = None) -> None:
        """A request that began at a moment was answered well, or failed. Without an answer or with 5xx it
        counts; 429, and what is no statement of the service at all, changes nothing."""
        with self._lock:
            self._in_flight.pop(threading.get_ident(), None)
            if failed is None or (
                300 <= failed.status < 500 and failed.status not in (TOO_MANY_REQUESTS, GATEWAY_TIMEOUT)
            ):
                self._errors = 0
            elif isinstance(failed, NoResponse) or failed.status >= 500 or failed.status == GATEWAY_TIMEOUT:
                self._since = min(self._since, began) if self._errors else began
                self._errors += 1
                self._answered = failed.status >= 500
                self._last = str(failed)

    def data_received(self) -> None:
        """Bytes of an answer arrive."""
        with self._lock:
            if threading.get_ident() in self._in_flight:
                self._in_flight[threading.get_ident()] = self._clock()

    @property
    def is_suspected(self) -> bool:
        """Whether nothing but errors came lately: one dead listing, or the whole service."""
        with self._lock:
            return self._errors >= MIN_OUTAGE_ERRORS

    def raise_if_gone(self, url: str = "the service") -> None:
        """Raises `ServiceUnreachable` once the service counts as gone."""
        with self._lock:
            silent = self._clock() - self._since
            if self._errors < MIN_OUTAGE_ERRORS or silent < OUTAGE_S:
                return
            errors, last = self._errors, self._last
        raise ServiceUnreachable(
            f"{url} does not answer any more: nothing but errors for {silent:.0f} s",
            f"{errors} requests failed, the last so: {last}",
            "what was done until now is kept; run the same command again when the service answers, "
            "and it continues",
        )

    def status_text(self) -> str:
        """In words, how long there has been no answer; '' while all is well."""
        with self._lock:
            now = self._clock()
            moments = [self._since] if self._errors else []
            moments += self._in_flight.values()
            silent = now - min(moments, default=now)
            if silent < REPORT_SILENCE_AFTER_S:
                return ""
            only = " but errors" if self._errors and self._answered else ""
        return f"no answer{only} since {silent:.0f} s"
