"""`Channel`: sends requests to a service, and repeats them where that is safe.

Reads are repeated while that may help. A write is repeated only after 429, when the service reports that
it did nothing. If another failure leaves the result of a write open, `OutcomeUnknown` is raised, and the
caller has to find it out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from migrate.endpoints.http.deadlines import answer_timeout
from migrate.endpoints.http.openai_transport import JsonTransport, OpenAITransport
from migrate.endpoints.http.outage import TOO_MANY_REQUESTS, Outage
from migrate.endpoints.http.rate_limit import MAX_ATTEMPTS, RateLimiter, retry_wait_s
from migrate.endpoints.http.request_log import begin_attempt
from migrate.endpoints.http.response_check import TRANSIENT_STATUSES
from migrate.endpoints.interface import Body
from migrate.errors import OutcomeUnknown, RequestFailed, ResponseTooLarge, ServiceUnreachable

log = logging.getLogger(__name__)

# Redirects that a service may send after it carried out a write. 307 and 308 mean: send the write to
# another address.
REDIRECTS_AFTER_WRITE = (301, 302, 303)


@dataclass(frozen=True)
class Channel:
    """A transport with the rules for repeating requests. Safe to share between threads."""

    transport: JsonTransport
    limiter: RateLimiter
    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = MAX_ATTEMPTS
    # Attempts where there is no answer at all.
    attempts_without_answer: int = MAX_ATTEMPTS
    # Within this time an answer must begin; None: the default of `deadlines.py`.
    answer_timeout_s: float | None = None

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Body:
        """Send a GET, repeated while that may help. Raises `RequestFailed` or a subclass."""

        def call() -> Body:
            return self.transport.request("GET", path, params or {}, self.headers, None)

        body = self._send_with_retries(call, _is_retryable)
        self.limiter.outage.known_good_request = call
        return body

    def send(self, method: str, path: str, body: Body | None = None) -> Body:
        """Send a write, repeated only after 429. Raises `RequestFailed`, or `OutcomeUnknown` if the
        service may have carried it out."""
        return self._write(lambda: self.transport.request(method, path, {}, self.headers, body))

    def _write(self, call: Callable[[], Body], watched: bool = True) -> Body:
        try:
            return self._send_with_retries(call, lambda failed: False, watched)
        except RequestFailed as failed:
            raise failed if failed.status == TOO_MANY_REQUESTS else write_failure(failed) from None

    def _record_failure(self, began: float | None, failed: RequestFailed) -> None:
        """Record that a request failed. Raises `ServiceUnreachable` once the service counts as gone."""
        if began is not None:
            self.limiter.outage.request_ended(began, failed)
        self.limiter.check_reachable()

    def _check_for_outage(self) -> None:
        """If all recent requests failed, repeat a read that had a good answer before. With few objects,
        all attempts are used up long before a minute is over.

        Returns after a good answer: then only this request failed. Raises `ServiceUnreachable` once the
        service counts as gone."""
        outage = self.limiter.outage
        attempt = 0
        while (
            outage.is_suspected and outage.known_good_request is not None and not self.limiter.stop.is_set()
        ):
            waiting_since = time.monotonic()
            self.limiter.sleep(retry_wait_s(attempt, {}) or 0.0)
            attempt += 1
            began: float | None = None
            try:
                with self.limiter.slot(), answer_timeout(self.answer_timeout_s):
                    begin_attempt(attempt, time.monotonic() - waiting_since)
                    began = outage.request_started()
                    outage.known_good_request()
                outage.request_ended(began)
            except RequestFailed as failed:
                self._record_failure(began, failed)
                if failed.status == TOO_MANY_REQUESTS:
                    self.limiter.on_throttled(attempt, failed.headers)

    def _send_with_retries(
        self, call: Callable[[], Body], is_retryable: Callable[[RequestFailed], bool], watched: bool = True
    ) -> Body:
        """`watched`: the answer should come quickly, so the progress line reports if it does not."""
        outage = self.limiter.outage
        waiting_since = time.monotonic()
        for attempt in range(max(self.attempts, self.attempts_without_answer)):
            began: float | None = None
            try:
                with self.limiter.slot(), answer_timeout(self.answer_timeout_s):
                    begin_attempt(attempt + 1, time.monotonic() - waiting_since)
                    began = outage.request_started(watched)
                    answer = call()
                outage.request_ended(began)
                self.limiter.on_success()
                return answer
            except RequestFailed as failed:
                waiting_since = time.monotonic()
                self._record_failure(began, failed)
                most = self.attempts if failed.status else self.attempts_without_answer
                last = attempt + 1 >= most or self.limiter.stop.is_set()
                if failed.status == TOO_MANY_REQUESTS:
                    if not self.limiter.on_throttled(attempt, failed.headers) or last:
                        raise
                    log.info("%s; it is sent again when the service allows it", failed)
                    continue  # `slot` waits, together with all other requests
                wait = retry_wait_s(attempt, failed.headers) if is_retryable(failed) else None
                if wait is None or last:
                    self._check_for_outage()
                    raise
                log.info("%s; it is sent again in %.1f s", failed, wait)
                self.limiter.sleep(wait)
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class FileChannel(Channel):
    """A channel that can also upload and download files."""

    transport: OpenAITransport

    def upload(self, path: str, name: str, purpose: str, data: BinaryIO) -> Body:
        """Upload a file, streamed from a seekable object."""
        return self._write(lambda: self.transport.upload(path, name, purpose, data), watched=False)

    @contextmanager
    def stream(self, file_id: str) -> Iterator[Iterator[bytes]]:
        """The bytes of a file in chunks. Raises `RequestFailed`, also when the stream breaks."""
        outage = self.limiter.outage
        began: float | None = None
        waiting_since = time.monotonic()
        try:
            with self.limiter.slot():
                begin_attempt(1, time.monotonic() - waiting_since)
                began = outage.request_started()
                with self.transport.stream(file_id) as chunks:
                    outage.request_ended(began)
                    began = outage.request_started()
                    yield _watched_chunks(chunks, outage)
                outage.request_ended(began)
        except RequestFailed as failed:
            self._record_failure(began, failed)
            if failed.status == TOO_MANY_REQUESTS:
                self.limiter.on_throttled(0, failed.headers)
            raise


def _watched_chunks(chunks: Iterator[bytes], outage: Outage) -> Iterator[bytes]:
    """Chunks as they arrive; each is recorded, because it shows that the service still answers."""
    for chunk in chunks:
        outage.data_received()
        yield chunk


def _is_retryable(failed: RequestFailed) -> bool:
    return failed.status in TRANSIENT_STATUSES or (
        failed.status == 0 and not isinstance(failed, ResponseTooLarge)
    )


def write_failure(failed: RequestFailed) -> RequestFailed:
    """The error for a failed write: the same error if the service refused it, `OutcomeUnknown` if the
    service may have carried it out."""
    unknown = failed.status in TRANSIENT_STATUSES or failed.status in REDIRECTS_AFTER_WRITE
    if failed.status == 0 or unknown or failed.status >= 500:
        return OutcomeUnknown(failed.what, failed.status, failed.code, failed.headers)
    return failed


def unreachable_error(url: str, failed: RequestFailed) -> ServiceUnreachable:
    """The error for a service that could not be reached at all."""
    return ServiceUnreachable(
        f"cannot reach {url}",
        str(failed),
        "check the address, the network, any proxy and certificates (docs/network.md)",
    )
