"""The transport below every client. It checks where requests go, and limits the size of answers.

All requests of both SDKs pass through it. They are sent to the origin of the estate only. A write follows
no redirect; a read follows a redirect within the same origin. Answers that are larger than
`MAX_RESPONSE_READ_CONCURRENTLY` are read and parsed by one thread at a time, so memory is bounded by the
size of one of them.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import httpx2

from migrate import __version__
from migrate.endpoints.addresses import DEFAULT_PORTS, Origin, format_origin
from migrate.endpoints.http.certificates import CERTIFICATE_OPTIONS
from migrate.endpoints.http.deadlines import (
    CONNECT_TIMEOUT_S,
    WHOLE_ANSWER_TIMEOUT_S,
    ReadMeter,
    answer_timeout_s,
    set_meter,
)
from migrate.endpoints.http.request_log import log_answer, log_no_answer
from migrate.endpoints.settings import Settings
from migrate.model.input_limits import (
    MAX_ERROR_RESPONSE,
    MAX_FILE,
    MAX_RESPONSE,
    MAX_RESPONSE_READ_CONCURRENTLY,
    InputLimit,
)

_lock = threading.Lock()


class _ThreadState(threading.local):
    has_lock = False


_thread = _ThreadState()


def wait_for_large_response() -> None:
    """Called while this thread reads a large answer: wait until no other thread does so."""
    if not _thread.has_lock:
        _thread.has_lock = _lock.acquire(timeout=WHOLE_ANSWER_TIMEOUT_S)


@contextmanager
def one_large_response() -> Iterator[None]:
    """Use it around a request and the parsing of its answer. After the block, another thread may read a large
    answer."""
    try:
        yield
    finally:
        if _thread.has_lock:
            _thread.has_lock = False
            _lock.release()


class RedirectRefused(httpx2.TransportError):
    """A redirect that is not followed. `status`: the HTTP status of the redirect."""

    def __init__(self, status: int, location: str, why: str) -> None:
        super().__init__(f"was answered {status} and redirected to {location}: {why}")
        self.status = status


class BodyOverLimit(httpx2.TransportError):
    """The answer is larger than the limit."""

    def __init__(self, limit: InputLimit) -> None:
        super().__init__(f"the answer was not read to its end: {limit.describe()}")
        self.limit = limit


REDIRECT_STATUSES = (300, 301, 302, 303, 307, 308)
# Redirects within the origin that a read follows. A gateway adds a slash or a region, so few are needed.
MAX_REDIRECTS = 5
USER_AGENT = f"assistants-migrate/{__version__} httpx2/{httpx2.__version__}"
# The headers in which the SDKs send credentials.
CREDENTIAL_HEADERS = ("authorization", "api-key")
# Extension of an httpx2 request that marks its answer as a file.
STREAMED_EXTENSION = "assistants-migrate.streamed"


class GuardedTransport(httpx2.BaseTransport):
    """Checks requests and sends them through `inner`. `proxy`: the address of the proxy for messages, if
    any."""

    def __init__(self, inner: httpx2.BaseTransport, settings: Settings, proxy: str = "") -> None:
        self._inner, self._proxy = inner, proxy
        self._origin = _origin(httpx2.URL(settings.url))
        self._headers = settings.headers
        self._unsigned = settings.auth == "none"

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(request.url) != self._origin:
            raise AssertionError(
                f"a request for {format_origin(self._origin)} must not go to {request.url.host}"
            )
        self._set_headers(request)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._send(request)
            redirected = self._redirected_request(request, answer)
            if redirected is None:
                return _bounded_response(answer, request)
            answer.close()
            request = redirected
        location = str(request.url.copy_with(query=None))
        raise RedirectRefused(answer.status_code, location, "there are too many redirects")

    def close(self) -> None:
        self._inner.close()

    def _set_headers(self, request: httpx2.Request) -> None:
        """Set the user agent and the headers of the estate. Without a sign-in, remove the placeholder
        credentials."""
        headers = request.headers
        headers["User-Agent"] = USER_AGENT
        if self._unsigned:
            for name in CREDENTIAL_HEADERS:
                headers.pop(name, None)
        for name, value in self._headers:
            headers[name] = value

    def _send(self, request: httpx2.Request) -> httpx2.Response:
        timeout_s = answer_timeout_s(request.method)
        request.extensions["timeout"] = {
            "connect": CONNECT_TIMEOUT_S, "read": timeout_s, "write": timeout_s, "pool": None,
        }  # fmt: skip
        meter = ReadMeter(timeout_s)
        set_meter(meter)
        began = time.monotonic()
        try:
            answer = self._inner.handle_request(request)
        except httpx2.TransportError as error:
            log_no_answer(request, error, began)
            raise self._with_hints(error) from error
        log_answer(request, answer, began)
        meter.body(None if request.extensions.get(STREAMED_EXTENSION) else WHOLE_ANSWER_TIMEOUT_S)
        return answer

    def _with_hints(self, error: httpx2.TransportError) -> httpx2.TransportError:
        """The same error with what helps to fix it: the proxy that was used, how to trust a certificate."""
        message = str(error) or type(error).__name__
        if self._proxy:
            message += f" (through the proxy {self._proxy}, which the environment names)"
        if _is_certificate_error(error):
            message += "; to trust the certificate of a company or a gateway, name it: "
            message += CERTIFICATE_OPTIONS
        return type(error)(message)

    def _redirected_request(self, request: httpx2.Request, answer: httpx2.Response) -> httpx2.Request | None:
        """The request that follows a redirect; None if the answer is not a redirect. Raises
        `RedirectRefused`."""
        if answer.status_code not in REDIRECT_STATUSES or "location" not in answer.headers:
            return None
        location = answer.headers["location"]
        try:
            url = request.url.join(location)
            origin = _origin(url)
        except (httpx2.InvalidURL, ValueError):
            answer.close()
            raise RedirectRefused(answer.status_code, "an invalid address", "it cannot be followed") from None
        why = ""
        if origin != self._origin:
            why = f"that is not {format_origin(self._origin)}, and nothing was sent there"
        elif url.userinfo:
            why = "the address contains a user or a password, and nothing was sent there"
        elif request.method != "GET":
            why = "a request that writes follows no redirect"
        if why:
            answer.close()
            raise RedirectRefused(answer.status_code, format_origin(origin), why)
        return httpx2.Request("GET", url, headers=request.headers, extensions=dict(request.extensions))


class _BoundedStream(httpx2.SyncByteStream):
    """The body of an answer up to a limit. A longer error message is cut; any other longer body is an
    error."""

    def __init__(self, chunks: Iterable[bytes], close: Callable[[], None], limit: InputLimit) -> None:
        self._chunks, self.close, self._limit = chunks, close, limit  # type: ignore[method-assign]

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._chunks:
            size += len(chunk)
            if size > self._limit.maximum:
                self.close()
                if self._limit is not MAX_ERROR_RESPONSE:
                    raise BodyOverLimit(self._limit)
                yield chunk[: self._limit.maximum - size + len(chunk)]
                return
            if size > MAX_RESPONSE_READ_CONCURRENTLY.maximum and self._limit is not MAX_FILE:
                wait_for_large_response()
            yield chunk


def _bounded_response(answer: httpx2.Response, request: httpx2.Request) -> httpx2.Response:
    """An answer whose body is decompressed and limited in size."""
    limit = MAX_FILE if request.extensions.get(STREAMED_EXTENSION) else MAX_RESPONSE
    if answer.status_code >= 300:
        limit = MAX_ERROR_RESPONSE
    length = answer.headers.get("content-length", "")
    if limit is not MAX_ERROR_RESPONSE and length.isdigit() and int(length) > limit.maximum:
        answer.close()
        raise BodyOverLimit(limit)
    if "content-encoding" not in answer.headers:
        stream = answer.stream
        assert isinstance(stream, httpx2.SyncByteStream)
        answer.stream = _BoundedStream(stream, stream.close, limit)
        return answer
    compressed_only = ("content-encoding", "content-length")
    return httpx2.Response(
        answer.status_code,
        headers=[(n, v) for n, v in answer.headers.multi_items() if n.lower() not in compressed_only],
        stream=_BoundedStream(answer.iter_bytes(), answer.close, limit),
        extensions=answer.extensions,
    )


def _origin(url: httpx2.URL) -> Origin:
    return url.scheme, url.host, url.port or DEFAULT_PORTS.get(url.scheme, 0)


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
