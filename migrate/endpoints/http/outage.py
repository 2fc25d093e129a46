"""`Outage` decides when the service of one endpoint counts as gone, from the results of its requests.

That is so if for 60 seconds there was no good answer, and at least 5 requests had no answer, timed out or
were answered with 5xx. Throttling (429) is not an outage and never counts. Every other answer shows that the
service works.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from migrate.errors import NoResponse, RequestFailed, ServiceUnreachable

# Without a good answer for this long, the service counts as gone.
OUTAGE_S = 60.0
# At least this many requests must have failed in that time.
MIN_OUTAGE_ERRORS = 5
# The progress line shows that there is no answer after this time.
REPORT_SILENCE_AFTER_S = 5.0
TOO_MANY_REQUESTS = 429
# A gateway that got no answer may send 408: a timeout, although its number begins with 4.
GATEWAY_TIMEOUT = 408


class Outage:
    """The recent results of one endpoint. Safe to share between threads. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._errors = 0
        self._since = 0.0
        self._last = ""
        self._answered = False
        self._in_flight: dict[int, float] = {}
        # Repeats a read that had a good answer, to check whether the service answers at all.
        self.known_good_request: Callable[[], object] | None = None

    def request_started(self, watched: bool = True) -> float:
        """Record that a request is sent now; returns the time, for `request_ended`. `watched`:
        `status_text` reports a missing answer."""
        now = self._clock()
        with self._lock:
            if watched:
                self._in_flight[threading.get_ident()] = now
        return now

    def request_ended(self, began: float, failed: RequestFailed | None = None) -> None:
        """Record the result of a request. A failure counts if there was no answer, or one with 5xx. A 429 and
        failures that do not come from the service change nothing."""
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
        """Record that a part of an answer arrived."""
        with self._lock:
            if threading.get_ident() in self._in_flight:
                self._in_flight[threading.get_ident()] = self._clock()

    @property
    def is_suspected(self) -> bool:
        """Whether all recent requests failed: either one listing or the whole service does not work."""
        with self._lock:
            return self._errors >= MIN_OUTAGE_ERRORS

    def raise_if_gone(self, url: str = "the service") -> None:
        """Raise `ServiceUnreachable` once the service counts as gone."""
        with self._lock:
            outage_s = self._clock() - self._since
            if self._errors < MIN_OUTAGE_ERRORS or outage_s < OUTAGE_S:
                return
            errors, last = self._errors, self._last
        raise ServiceUnreachable(
            f"{url} does not answer any more: only errors for {outage_s:.0f} s",
            f"{errors} requests failed, the last one: {last}",
            "what was done until now is kept; run the same command again when the service answers, "
            "and it continues",
        )

    def status_text(self) -> str:
        """How long there has been no good answer, as text; '' while there is nothing to report."""
        with self._lock:
            now = self._clock()
            started = [self._since] if self._errors else []
            started += self._in_flight.values()
            silence_s = now - min(started, default=now)
            if silence_s < REPORT_SILENCE_AFTER_S:
                return ""
            suffix = " but errors" if self._errors and self._answered else ""
        return f"no answer{suffix} for {silence_s:.0f} s"
