"""The transport below every client: what may be sent, where, and how much of an answer is taken.

All requests of an estate, those of both SDKs, pass here. They go to the estate's own origin and nowhere
else; no write follows a redirect, and a read follows one within that origin only.
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
    is_held = False


_thread = _ThreadState()


def wait_for_large_response() -> None:
    """The answer that this thread reads is large: wait until no other one is."""
    if not _thread.is_held:
        _thread.is_held = _lock.acquire(timeout=WHOLE_ANSWER_TIMEOUT_S)


@contextmanager
def one_large_response() -> Iterator[None]:
    """Around a request and the parsing of its answer: whoever took the turn gives it back."""
    try:
        yield
    finally:
        if _thread.is_held:
            _thread.is_held = False
            _lock.release()


class RedirectRefused(httpx2.TransportError):
    """The server sends us elsewhere, and we do not go there. `status` is that of its answer."""

    def __init__(self, status: int, where: str, why: str) -> None:
        super().__init__(f"was answered {status} and sent on to {where}: {why}")
        self.status = status


class BodyOverLimit(httpx2.TransportError):
    """The server sends more than is taken."""

    def __init__(self, bound: InputLimit) -> None:
        super().__init__(f"the answer was given up: {bound.describe()}")
        self.bound = bound


REDIRECT_STATUSES = (300, 301, 302, 303, 307, 308)
# Redirects within the origin that a read follows: a gateway adds a slash or a region, not more.
MAX_REDIRECTS = 5
USER_AGENT = f"assistants-migrate/{__version__} httpx2/{httpx2.__version__}"
# Headers in which SDKs sign requests.
CREDENTIAL_HEADERS = ("authorization", "api-key")
# Extension of a request whose answer is a file.
STREAMED_EXTENSION = "assistants-migrate.streamed"


class GuardedTransport(httpx2.BaseTransport):
    """Sends through `inner`. `proxy` is how the proxy is named in messages, if there is one."""

    def __init__(self, inner: httpx2.BaseTransport, settings: Settings, proxy: str = "") -> None:
        self._inner, self._proxy = inner, proxy
        self._origin = _origin(httpx2.URL(settings.url))
        self._headers = settings.headers
        self._unsigned = settings.auth == "none"

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(request.url) != self._origin:
            raise AssertionError(
                f"a request of {format_origin(self._origin)} was to go to {request.url.host}"
            )
        self._set_headers(request)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._send(request)
            following = self._redirected_request(request, answer)
            if following is None:
                return _bounded_response(answer, request)
            answer.close()
            request = following
        raise RedirectRefused(
            answer.status_code, str(request.url.copy_with(query=None)), "it goes round in a circle"
        )

    def close(self) -> None:
        self._inner.close()

    def _set_headers(self, request: httpx2.Request) -> None:
        """Our name, and the estate's own headers; without a sign-in, none that an SDK has put there."""
        headers = request.headers
        headers["User-Agent"] = USER_AGENT
        if self._unsigned:
            for name in CREDENTIAL_HEADERS:
                headers.pop(name, None)
        for name, value in self._headers:
            headers[name] = value

    def _send(self, request: httpx2.Request) -> httpx2.Response:
        within = answer_timeout_s(request.method)
        request.extensions["timeout"] = {
            "connect": CONNECT_TIMEOUT_S, "read": within, "write": within, "pool": None,
        }  # fmt: skip
        meter = ReadMeter(within)
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
        """The same error with what helps to fix it: a proxy that was used, a certificate not trusted."""
        said = str(error) or type(error).__name__
        if self._proxy:
            said += f" (through the proxy {self._proxy}, which the environment names)"
        if _is_of_certificate(error):
            said += "; the certificate of a company or a gateway is trusted when it is named: "
            said += CERTIFICATE_OPTIONS
        return type(error)(said)

    def _redirected_request(self, request: httpx2.Request, answer: httpx2.Response) -> httpx2.Request | None:
        """The request that a redirect asks for; None where the answer is none. Raises `RedirectRefused`."""
        if answer.status_code not in REDIRECT_STATUSES or "location" not in answer.headers:
            return None
        location = answer.headers["location"]
        try:
            where = request.url.join(location)
            place = _origin(where)
        except (httpx2.InvalidURL, ValueError):
            answer.close()
            raise RedirectRefused(
                answer.status_code, "an address that is none", "it cannot be followed"
            ) from None
        why = ""
        if place != self._origin:
            why = f"that is not {format_origin(self._origin)}, and nothing was sent there"
        elif where.userinfo:
            why = "the address holds a user or a password, and nothing was sent there"
        elif request.method != "GET":
            why = "a request that writes follows no redirect"
        if why:
            answer.close()
            raise RedirectRefused(answer.status_code, format_origin(place), why)
        return httpx2.Request("GET", where, headers=request.headers, extensions=dict(request.extensions))


class _BoundedStream(httpx2.SyncByteStream):
    """An answer's body up to a bound: an error is cut there, all else is given up."""

    def __init__(self, pieces: Iterable[bytes], close: Callable[[], None], bound: InputLimit) -> None:
        self._pieces, self.close, self._bound = pieces, close, bound  # type: ignore[method-assign]

    def __iter__(self) -> Iterator[bytes]:
        taken = 0
        for piece in self._pieces:
            taken += len(piece)
            if taken > self._bound.maximum:
                self.close()
                if self._bound is MAX_ERROR_RESPONSE:
                    yield piece[
                        : self._bound.maximum - taken + len(piece)
                    ]  # what came of it before the bound
                    return
                raise BodyOverLimit(self._bound)
            if taken > MAX_RESPONSE_READ_CONCURRENTLY.maximum and self._bound is not MAX_FILE:
                wait_for_large_response()
            yield piece


def _bounded_response(answer: httpx2.Response, request: httpx2.Request) -> httpx2.Response:
    """An answer whose body comes unpacked and bounded."""
    bound = MAX_FILE if request.extensions.get(STREAMED_EXTENSION) else MAX_RESPONSE
    if answer.status_code >= 300:
        bound = MAX_ERROR_RESPONSE
    length = answer.headers.get("content-length", "")
    if bound is not MAX_ERROR_RESPONSE and length.isdigit() and int(length) > bound.maximum:
        answer.close()
        raise BodyOverLimit(bound)
    if "content-encoding" not in answer.headers:
        stream = answer.stream
        assert isinstance(stream, httpx2.SyncByteStream)
        answer.stream = _BoundedStream(stream, stream.close, bound)
        return answer
    as_sent = ("content-encoding", "content-length")
    return httpx2.Response(
        answer.status_code,
        headers=[(n, v) for n, v in answer.headers.multi_items() if n.lower() not in as_sent],
        stream=_BoundedStream(answer.iter_bytes(), answer.close, bound),
        extensions=answer.extensions,
    )


def _origin(url: httpx2.URL) -> Origin:
    return url.scheme, url.host, url.port or DEFAULT_PORTS.get(url.scheme, 0)


def _is_of_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
