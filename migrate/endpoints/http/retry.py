"""One connection to a service and its manners: reads are repeated while that may help, writes sent once.

A write is sent again only when the service says it did nothing (429); any other failure that leaves its
outcome open is `OutcomeUnknown`, and the caller finds out what became of it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from migrate.endpoints.http.deadlines import patience
from migrate.endpoints.http.errors import TRANSIENT
from migrate.endpoints.http.openai_transport import OpenAIWire, Wire
from migrate.endpoints.http.outage import Outage
from migrate.endpoints.http.request_log import begin_attempt
from migrate.endpoints.interface import Body
from migrate.endpoints.rate_limit import ATTEMPTS, RateLimiter, pause
from migrate.errors import OutcomeUnknown, RequestFailed, ResponseTooLarge, ServiceUnreachable

log = logging.getLogger(__name__)

TOO_MANY = 429
"""Says that a request, also one that writes, was turned away before anything happened."""
SEE_OTHER = (301, 302, 303)
"""Redirects that may be the answer to a write that was carried out; 307 and 308 ask to write elsewhere."""


@dataclass(frozen=True)
class Channel:
    """A wire and how it is used. Safe to share between threads."""

    wire: Wire
    pace: RateLimiter
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = ATTEMPTS
    unanswered: int = ATTEMPTS
    """Attempts when there is no answer at all."""
    patience_s: float | None = None
    """Seconds until an answer must begin, where they are not the usual ones."""

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Body:
        """A GET, repeated while that may help. Raises `RequestFailed` or a subclass."""

        def call() -> Body:
            return self.wire.ask("GET", path, params or {}, self.headers, None)

        body = self._tried(call, _again)
        self.pace.outage.known_good = call
        return body

    def send(self, method: str, path: str, body: Body | None = None) -> Body:
        """A writing request, sent again only when the service says it did nothing."""
        return self._write(lambda: self.wire.ask(method, path, {}, self.headers, body))

    def _write(self, call: Callable[[], Body], watched: bool = True) -> Body:
        try:
            return self._tried(call, lambda failed: False, watched)
        except RequestFailed as failed:
            raise failed if failed.status == TOO_MANY else unsettled(failed) from None

    def _noted(self, began: float | None, failed: RequestFailed) -> None:
        """A request that was sent failed. Raises `ServiceUnreachable` once the service counts as gone."""
        if began is not None:
            self.pace.outage.ends(began, failed)
        self.pace.must_be_there()

    def _tell_outage_from_failure(self) -> None:
        """Where nothing but errors came lately, ask again for what was answered before: with few objects all
        attempts are used up long before a minute is over. Returns once there is an answer: then only this
        request failed. Raises `ServiceUnreachable` once the service counts as gone."""
        outage = self.pace.outage
        attempt = 0
        while outage.is_suspected and outage.known_good is not None and not self.pace.stop.is_set():
            waiting_since = time.monotonic()
            self.pace.nap(pause(attempt, {}) or 0.0)
            attempt += 1
            began: float | None = None
            try:
                with self.pace.turn(), patience(self.patience_s):
                    begin_attempt(attempt, time.monotonic() - waiting_since)
                    began = outage.begins()
                    outage.known_good()
                outage.ends(began)
            except RequestFailed as failed:
                self._noted(began, failed)
                if failed.status == TOO_MANY:
                    self.pace.turned_away(attempt, failed.headers)

    def _tried(
        self, call: Callable[[], Body], again: Callable[[RequestFailed], bool], watched: bool = True
    ) -> Body:
        """`watched`: the answer should come at once, so that its absence is worth a word."""
        outage = self.pace.outage
        waiting_since = time.monotonic()
        for attempt in range(max(self.attempts, self.unanswered)):
            began: float | None = None
            try:
                with self.pace.turn(), patience(self.patience_s):
                    begin_attempt(attempt + 1, time.monotonic() - waiting_since)
                    began = outage.begins(watched)
                    answer = call()
                outage.ends(began)
                self.pace.went_well()
                return answer
            except RequestFailed as failed:
                waiting_since = time.monotonic()
                self._noted(began, failed)
                most = self.attempts if failed.status else self.unanswered
                last = attempt + 1 >= most or self.pace.stop.is_set()
                if failed.status == TOO_MANY:
                    if not self.pace.turned_away(attempt, failed.headers) or last:
                        raise
                    log.info("%s; it is sent again when the service allows it", failed)
                    continue  # the next turn waits, with everybody else's
                wait = pause(attempt, failed.headers) if again(failed) else None
                if wait is None or last:
                    self._tell_outage_from_failure()
                    raise
                log.info("%s; it is sent again in %.1f s", failed, wait)
                self.pace.nap(wait)
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class FileChannel(Channel):
    """A channel that can also carry the bytes of files."""

    wire: OpenAIWire

    def upload(self, path: str, name: str, purpose: str, data: BinaryIO) -> Body:
        """Upload a file, streamed from a seekable object."""
        return self._write(lambda: self.wire.upload(path, name, purpose, data), watched=False)

    @contextmanager
    def stream(self, file_id: str) -> Iterator[Iterator[bytes]]:
        """A file's bytes, read in chunks; a broken stream raises `RequestFailed`."""
        outage = self.pace.outage
        began: float | None = None
        waiting_since = time.monotonic()
        try:
            with self.pace.turn():
                begin_attempt(1, time.monotonic() - waiting_since)
                began = outage.begins()
                with self.wire.stream(file_id) as chunks:
                    outage.ends(began)
                    began = outage.begins()
                    yield _heard(chunks, outage)
                outage.ends(began)
        except RequestFailed as failed:
            self._noted(began, failed)
            if failed.status == TOO_MANY:
                self.pace.turned_away(0, failed.headers)
            raise


def _heard(chunks: Iterator[bytes], outage: Outage) -> Iterator[bytes]:
    """Chunks as they come; each is a sign of life."""
    for chunk in chunks:
        outage.heard()
        yield chunk


def _again(failed: RequestFailed) -> bool:
    return failed.status in TRANSIENT or (failed.status == 0 and not isinstance(failed, ResponseTooLarge))


def unsettled(failed: RequestFailed) -> RequestFailed:
    """A failed write as what it is: refused for certain, or carried out perhaps."""
    unknown = failed.status in TRANSIENT or failed.status in SEE_OTHER
    if failed.status == 0 or unknown or failed.status >= 500:
        return OutcomeUnknown(failed.what, failed.status, failed.code, failed.headers)
    return failed


def no_answer(url: str, failed: RequestFailed) -> ServiceUnreachable:
    """The error for a service that could not be reached at all."""
    return ServiceUnreachable(
        f"cannot reach {url}",
        str(failed),
        "check the address, the network, any proxy and certificates (docs/network.md)",
    )
